"""The operator's token: made once, or replaced; see `tokens.py` for what it is."""

import hmac

from creditbank.services.bank import Bank
from creditbank.services.tokens import digest_of, new_token


def make_token(bank: Bank, *, replace: bool = False) -> str | None:
    """Make the token where there is none, or a new one in its place, and return it this once.

    None where there is one already and it is not to be replaced.
    """
    with bank.store.writing() as books:
        if books.tokens.digest() is not None and not replace:
            return None
        token = new_token(bank)
        books.tokens.set_digest(digest_of(token))
        return token


def kept_digest(bank: Bank) -> bytes | None:
    """Return what is kept of the token, None before there is one."""
    with bank.store.reading() as books:
        return books.tokens.digest()


def is_token(token: str, digest: bytes) -> bool:
    """Whether this is the token, in a time that does not depend on where it differs."""
    return hmac.compare_digest(digest_of(token), digest)
