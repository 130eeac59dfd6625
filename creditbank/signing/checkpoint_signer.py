"""Signs the log's checkpoints with the keyring's key. What a note is, `ledger/checkpoint.py` says."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from creditbank.ledger.checkpoint import VerifierKey, sign_note
from creditbank.signing.keys import Keyring


class KeyringSigner:
    """Keeps the promises of the port `Signer`; the key name is the keyring's origin."""

    def __init__(self, keyring: Keyring) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(keyring.checkpoint_seed)
        public = self._private.public_key().public_bytes_raw()
        self._verifier = VerifierKey(name=keyring.origin, public_key=public)

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half, with which anyone can check the notes."""
        return self._verifier

    def sign(self, text: bytes) -> bytes:
        """Return the C2SP signed note over a text; equal texts give equal notes (RFC 8032)."""
        return sign_note(text, self._verifier, self._private.sign(text))
