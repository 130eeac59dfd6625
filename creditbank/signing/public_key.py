"""Reads the public half of a key made elsewhere: a C2SP verifier key, or PEM as HSM tools write it."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from creditbank.ledger.checkpoint import VerifierKey, VerifierKeyInvalid, parse_verifier_key

_PEM = b"-----BEGIN PUBLIC KEY-----"


def parse_public_key(content: bytes, *, name: str) -> VerifierKey:
    """Return the Ed25519 key in a file; a PEM key (RFC 8410) carries no name and is given this one.

    Raises:
        VerifierKeyInvalid: it is neither, or of another algorithm.
    """
    if not content.lstrip().startswith(_PEM):
        return parse_verifier_key(content.decode(errors="replace").strip())
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise VerifierKeyInvalid("verifier-key-malformed") from error
    if not isinstance(key, Ed25519PublicKey):
        raise VerifierKeyInvalid("verifier-key-algorithm")
    return VerifierKey(name=name, public_key=key.public_bytes_raw())
