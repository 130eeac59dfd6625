"""The error tree: every way in which the bank fails to answer.

An error carries codes and values, never a sentence: `code` names its class, `reason` what exactly is
wrong, `field` and `values` where and with what. Both codes are published and never change; the
catalogues in `locale/` turn them into Chinese and English, and `api/problems.py` into an HTTP status.
"""

from typing import ClassVar


class CreditBankError(Exception):
    """The bank could not answer. Subclasses say why; the branches below decide the HTTP status."""

    code: ClassVar[str] = "error"

    def __init__(self, reason: str, /, *, field: str | None = None, **values: object) -> None:
        self.reason = reason
        self.field = field
        self.values = values
        super().__init__(reason)

    def __str__(self) -> str:
        where = f" in {self.field}" if self.field else ""
        what = "".join(f" {name}={value}" for name, value in self.values.items())
        return f"{self.code}: {self.reason}{where}{what}"


class InvalidInput(CreditBankError):
    """The caller sent something we cannot accept."""

    code = "invalid-input"


class NotAuthorised(CreditBankError):
    """The caller may not do this."""

    code = "not-authorised"


class NotFound(CreditBankError):
    """The caller named something we do not hold."""

    code = "not-found"


class Conflict(CreditBankError):
    """True a moment ago: read again and retry."""

    code = "conflict"


class Raced(Conflict):
    """Another writer was first: what was read is no longer true. Whoever decides again may well succeed."""

    code = "raced"


class Overloaded(CreditBankError):
    """More is waiting than can be worked off in time: come back later."""

    code = "overloaded"


class NotYet(CreditBankError):
    """What was asked for will be there soon: ask again in `retry_after_seconds`."""

    code = "not-yet"

    def __init__(
        self, reason: str, /, *, retry_after_seconds: int, field: str | None = None, **values: object
    ) -> None:
        super().__init__(reason, field=field, retry_after_seconds=retry_after_seconds, **values)
        self.retry_after_seconds = retry_after_seconds


class IntegrityBroken(CreditBankError):
    """Our own records contradict themselves: stop and alert."""

    code = "integrity-broken"


class Misconfigured(CreditBankError):
    """This deployment cannot start as it is set up: a key, a database or a setting is missing or wrong."""

    code = "misconfigured"
