"""The statement of an account: whose it is, what is held, what was granted, and the entries behind it all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from creditbank.account.holdings import AccountHoldings, HeldGrant, HeldOutcome, holdings_of
from creditbank.identity.account_number import AccountNumber
from creditbank.identity.person import Person
from creditbank.ledger.entry import Entry
from creditbank.outcomes.course import CourseCredit
from creditbank.terms import IssuerId, Microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """One entry as a reader sees it: enough to ask for its proof."""

    seq: int
    kind: str
    at: Microseconds
    issuer: IssuerId
    leaf_hash: bytes
    is_redacted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """An account at one moment; `issuer_names` names every institution that speaks in it."""

    number: AccountNumber
    person: Person
    opened_at: Microseconds
    holdings: AccountHoldings
    entries: tuple[EntryLine, ...]
    issuer_names: Mapping[IssuerId, str]

    @property
    def current(self) -> tuple[HeldOutcome, ...]:
        """The outcomes that count today's record, neither revoked nor replaced."""
        return tuple(held for held in self.holdings.outcomes if held.is_current)

    @property
    def ended(self) -> tuple[HeldOutcome, ...]:
        """The outcomes that were revoked or replaced: they stay readable for ever."""
        return tuple(held for held in self.holdings.outcomes if not held.is_current)

    @property
    def active_grants(self) -> tuple[HeldGrant, ...]:
        """The exemptions and waivers that hold."""
        return self.holdings.active_grants

    @property
    def course_credits(self) -> Decimal:
        """The sum of the current course credits, as their issuers state them."""
        stated = (held.outcome.credits for held in self.current if isinstance(held.outcome, CourseCredit))
        return sum(stated, Decimal(0))


def statement_of(
    number: AccountNumber,
    person: Person,
    entries: Iterable[Entry],
    *,
    issuer_names: Mapping[IssuerId, str],
) -> Statement:
    """Make the statement of an account from its entries: all of them, the one that opened it first.

    Raises:
        BodyUnreadable: an entry of ours does not say what its kind must say.
    """
    kept = tuple(entries)
    return Statement(
        number=number,
        person=person,
        opened_at=kept[0].leaf.at,
        holdings=holdings_of(kept),
        entries=tuple(_line(entry) for entry in kept),
        issuer_names=issuer_names,
    )


def _line(entry: Entry) -> EntryLine:
    return EntryLine(
        seq=entry.leaf.seq,
        kind=entry.leaf.kind,
        at=entry.leaf.at,
        issuer=entry.leaf.issuer,
        leaf_hash=entry.leaf_hash,
        is_redacted=entry.payload is None,
    )
