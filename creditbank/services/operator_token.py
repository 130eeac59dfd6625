"""The operator's token: 32 random bytes, shown once, of which only a digest is kept."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

from creditbank.services.bank import Bank

_TOKEN_BYTES = 32


def make_token(bank: Bank, *, replace: bool = False) -> str | None:
    """Make the token where there is none, or a new one in its place, and return it this once.

    None where there is one already and it is not to be replaced.
    """
    with bank.store.writing() as books:
        if books.tokens.digest() is not None and not replace:
            return None
        token = urlsafe_b64encode(bank.random(_TOKEN_BYTES)).decode().rstrip("=")
        books.tokens.set_digest(_digest(token))
        return token


def kept_digest(bank: Bank) -> bytes | None:
    """Return what is kept of the token, None before there is one."""
    with bank.store.reading() as books:
        return books.tokens.digest()


def is_token(token: str, digest: bytes) -> bool:
    """Whether this is the token, in a time that does not depend on where it differs."""
    return hmac.compare_digest(_digest(token), digest)


def _digest(token: str) -> bytes:
    """Random bytes need no salt and no slow hash."""
    return sha256(token.encode(errors="surrogatepass")).digest()
