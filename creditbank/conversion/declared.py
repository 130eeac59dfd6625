"""Facts about an applicant that a pack declares, beside those that the bank knows by itself."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from creditbank.conversion.decision import decimal_text
from creditbank.conversion.holding import FACTS
from creditbank.conversion.meeting import day_of
from creditbank.conversion.premise import RuleInvalid
from creditbank.outcomes.outcome import FIRST_DAY, LAST_DAY

if TYPE_CHECKING:
    from creditbank.conversion.rule import RulePack

FactKind = Literal["number", "date", "text"]
TEXT_MAX = 120
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredFact:
    """A fact that rules of the pack may test, and whether it is a number, a day or text.

    Raises:
        RuleInvalid: `fact-name` (lower-case letters, digits and underscores), `fact-known` for one that the
            bank knows by itself.
    """

    name: str
    kind: FactKind

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise RuleInvalid("fact-name", field="name", value=self.name)
        if self.name in FACTS:
            raise RuleInvalid("fact-known", field="name", value=self.name)


def reads(kind: FactKind, text: str) -> bool:
    """Whether a stated text is a fact of some kind: printable, and of 120 characters at most.

    A number has up to nine digits and six decimals; a day is written 2026-03-01, from 1900 to 2199.
    """
    if not text.isprintable() or len(text) > TEXT_MAX:
        return False
    match kind:
        case "number":
            return _NUMBER.fullmatch(text) is not None
        case "date":
            day = day_of(text)
            return day is not None and FIRST_DAY <= day <= LAST_DAY and text == day.isoformat()
        case "text":
            return bool(text)


def stated_text(value: Decimal | date | str) -> str:
    """Return how a fact is stated as text, whatever it was written as."""
    match value:
        case Decimal():
            return decimal_text(value)
        case date():
            return value.isoformat()
        case _:
            return value


def declared_in(packs: Iterable["RulePack"]) -> Mapping[str, list[DeclaredFact]]:
    """Return the facts that some packs declare, by name; two authorities may mean two things by one."""
    found: dict[str, list[DeclaredFact]] = {}
    for pack in packs:
        for one in pack.facts.values():
            found.setdefault(one.name, []).append(one)
    return found
