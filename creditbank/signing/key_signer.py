"""Signs notes with a private key at hand. What a note is, `ledger/checkpoint.py` says."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from creditbank.ledger.checkpoint import VerifierKey, sign_note
from creditbank.signing.keys import Key, verifier_key_of


class KeySigner:
    """Keeps the promises of the port `Signer` with an Ed25519 seed (RFC 8032) and the name it signs under."""

    def __init__(self, *, name: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._verifier = verifier_key_of(name, seed)

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half, with which anyone can check the notes."""
        return self._verifier

    def sign(self, text: bytes) -> bytes:
        """Return the C2SP signed note over a text; equal texts give equal notes (RFC 8032)."""
        return sign_note(text, self._verifier, self.signature(text))

    def signature(self, text: bytes) -> bytes:
        """Return the 64 bytes of the signature alone."""
        return self._private.sign(text)


def signer_with(key: Key | None) -> KeySigner | None:
    """Return a signer with this key, None where its private half is not here."""
    if key is None or key.secret is None or key.name.verifier_key is None:
        return None
    return KeySigner(name=key.name.verifier_key.name, seed=key.secret)
