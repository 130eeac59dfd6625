"""Who asks: a fact that nothing here knows is a slip, and would change the answer without a word.

A person category and a form of study come from lists, a school is registered here: anything else is refused,
unless a rule names it. A region, a major or a level may be right though no rule speaks of it: that is said
beside the answer. Whoever asks now is held to this; what was stated once, for a grant or at an earlier
moment, counts as it was stated.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from creditbank.conversion.declared import declared_in, reads
from creditbank.conversion.holding import DAYS, FACTS, PERCENT_MAX, YEARS_MAX, Applicant, HoldingInvalid
from creditbank.conversion.rule import RulePack
from creditbank.outcomes.outcome import FIRST_DAY, LAST_DAY
from creditbank.services.bank import Bank
from creditbank.services.books import Books
from creditbank.services.institutions import InstitutionUnknown, institution_of
from creditbank.terms import InputWarning, IssuerId, Wording

_LISTED: Mapping[str, str] = MappingProxyType({"category": "person-category", "study_form": "study-form"})
"""Facts that come from a list, and which."""
_OPEN = ("enrolled_level", "major", "region")
"""Facts that are codes of no list which the bank has whole."""
_PLACES = 6
_FINEST = Decimal(1).scaleb(-_PLACES)


def require_known_facts(bank: Bank, books: Books, packs: Collection[RulePack], applicant: Applicant) -> None:
    """Make sure that what is stated of an applicant can be, and is in the lists or named by a rule.

    Raises:
        HoldingInvalid: `year-out-of-range` or `date-out-of-range` (1900 to 2199), `percent-out-of-range`
            (0 to 100), `years-out-of-range` (0 to 150), `number-too-precise` (six decimals);
            `fact-value-unknown`, or `enrolled-at-unknown` for a school that is not registered;
            `fact-undeclared`, `fact-own-member` and `fact-unreadable`.
    """
    _require_range(applicant)
    require_declared_facts(packs, applicant)
    for name, listed in _LISTED.items():
        value = applicant.fact(name)
        terms = [term.code for term in bank.vocabularies[listed].terms]
        if value is None or value in terms:
            continue
        named = _named(packs, name)
        if value not in named:
            known = list(dict.fromkeys([*terms, *sorted(named)]))
            raise HoldingInvalid("fact-value-unknown", field=name, value=value, known=known)
    school = applicant.enrolled_at
    if school is None or school in _named(packs, "enrolled_at"):
        return
    try:
        institution_of(books, IssuerId(school))
    except InstitutionUnknown as error:
        raise HoldingInvalid("enrolled-at-unknown", field="enrolled_at", value=school) from error


def require_declared_facts(packs: Collection[RulePack], applicant: Applicant) -> None:
    """Make sure that facts which the bank does not know by itself are declared by a pack, and of its kind.

    Raises:
        HoldingInvalid: `fact-undeclared`, `fact-own-member` for one of the bank's, or `fact-unreadable`.
    """
    if not applicant.declared:
        return
    declared = declared_in(packs)
    for name, text in applicant.declared:
        if name in FACTS:
            raise HoldingInvalid("fact-own-member", field="facts", name=name)
        kinds = sorted({one.kind for one in declared.get(name, ())})
        if not kinds:
            raise HoldingInvalid(
                "fact-undeclared", field="facts", name=name, known=sorted({*FACTS, *declared})
            )
        if not any(reads(kind, text) for kind in kinds):
            raise HoldingInvalid("fact-unreadable", field="facts", name=name, value=text, wanted=kinds[0])


def _require_range(applicant: Applicant) -> None:
    first, last = FIRST_DAY.year, LAST_DAY.year
    if applicant.cohort is not None and not first <= applicant.cohort <= last:
        raise HoldingInvalid(
            "year-out-of-range", field="cohort", value=str(applicant.cohort), first=str(first), last=str(last)
        )
    for name in sorted(DAYS):
        day = applicant.fact(name)
        if isinstance(day, date) and not FIRST_DAY <= day <= LAST_DAY:
            raise HoldingInvalid("date-out-of-range", field=name, value=day.isoformat())
    _require_figure("completed_percent", applicant.completed_percent, PERCENT_MAX, "percent-out-of-range")
    _require_figure("years_of_work", applicant.years_of_work, YEARS_MAX, "years-out-of-range")


def _require_figure(name: str, figure: Decimal | None, maximum: int, reason: str) -> None:
    if figure is None:
        return
    if not 0 <= figure <= maximum:
        raise HoldingInvalid(reason, field=name, value=str(figure), maximum=maximum)
    if figure != figure.quantize(_FINEST):
        raise HoldingInvalid("number-too-precise", field=name, value=str(figure), places=_PLACES)


def unheard_of(packs: Collection[RulePack], applicant: Applicant) -> tuple[InputWarning, ...]:
    """Return the stated facts that rules of `packs` ask for, while none names what was stated."""
    found = []
    for name in (*_OPEN, *(name for name, _ in applicant.declared)):
        value = applicant.fact(name)
        named = frozenset[str]() if value is None else _named(packs, name)
        if named and value not in named:
            found.append(
                InputWarning(
                    code="fact-unheard-of",
                    field=name,
                    values={"field": _title(packs, name), "value": value, "known": sorted(named)},
                )
            )
    return tuple(found)


def _title(packs: Iterable[RulePack], fact: str) -> Wording | str:
    """Return what a pack that declares a fact calls it; of the bank's own, its name."""
    return next((pack.attributes[fact] for pack in packs if fact in pack.facts), fact)


def _named(packs: Iterable[RulePack], fact: str) -> frozenset[str]:
    tests = (test for pack in packs for rule in pack.rules for test in rule.scope.facts)
    return frozenset(value for test in tests if test.fact == fact for value in test.one_of)
