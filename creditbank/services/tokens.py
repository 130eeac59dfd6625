"""Tokens by which the bank knows who is asking: 32 random bytes, shown once, of which a digest is kept."""

from base64 import urlsafe_b64encode
from hashlib import sha256

from creditbank.services.bank import Bank

_TOKEN_BYTES = 32


def new_token(bank: Bank) -> str:
    """Return a new token; nobody has it but whoever is shown it now."""
    return urlsafe_b64encode(bank.random(_TOKEN_BYTES)).decode().rstrip("=")


def digest_of(token: str) -> bytes:
    """Return what is kept of a token. Random bytes need no salt and no slow hash."""
    return sha256(token.encode(errors="surrogatepass")).digest()
