"""One id recorded, by the services themselves."""

import traceback
from typing import Protocol

from creditbank.errors import Conflict, CreditBankError, Overloaded
from creditbank.identity.account_number import AccountNumber
from creditbank.services.bank import Bank, Principal
from creditbank.services.outcomes import record_outcome
from tests.driver.pieces import account_for, holder_of, outcome_of

UNEXPECTED = "unexpected"
"""With what the reason begins where the bank had no word for what happened: in it lies a bug."""


class NotRecorded(Exception):
    """An id was refused or had no answer; it may be in the ledger all the same. `is_passing`: ask again."""

    def __init__(self, why: str, *, is_passing: bool = False) -> None:
        super().__init__(why)
        self.is_passing = is_passing


class Recorder(Protocol):
    """Whoever is asked to record."""

    def record(self, piece: str) -> None:
        """Record an id, and come back once it is kept.

        Raises:
            NotRecorded: it was refused, or nobody answered.
        """


class Accounts:
    """The accounts of a driver's ids, opened when they are first wanted."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._known: dict[str, AccountNumber] = {}

    def of(self, piece: str) -> AccountNumber:
        """Return the account that an id goes to.

        Raises:
            NotRecorded: it could not be opened.
        """
        number = holder_of(piece).citizen_number
        assert number is not None, "every driver's learner has one"
        holder = number.text
        if holder not in self._known:
            try:
                self._known[holder] = account_for(self._bank, piece)
            except Exception as error:
                raise not_recorded(error) from error
        return self._known[holder]


class ServiceRecorder:
    """Records in this process: `services.outcomes.record_outcome`."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._accounts = Accounts(bank)

    def record(self, piece: str) -> None:
        account = self._accounts.of(piece)
        outcome = outcome_of(piece)
        try:
            record_outcome(
                self._bank, Principal.operator(outcome.issuer), account, outcome, idempotency_key=piece
            )
        except Exception as error:
            raise not_recorded(error) from error


def not_recorded(error: Exception) -> NotRecorded:
    """Return what a harness is told of an error; one that the bank has no word for is a bug, and logged."""
    if isinstance(error, CreditBankError):
        return NotRecorded(
            f"{error.code}/{error.reason}", is_passing=isinstance(error, Conflict | Overloaded)
        )
    traceback.print_exception(error)
    return NotRecorded(f"{UNEXPECTED}/{type(error).__module__}.{type(error).__qualname__}")
