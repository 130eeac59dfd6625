"""Which course goes with which outcome: what a rule asks of the two together, beside what it asks of each.

A course that does not go with the outcomes spent is not for them, however well they meet the premises.
"""

from decimal import Decimal
from typing import Literal

from creditbank.conversion.decision import Need, decimal_text
from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import Option
from creditbank.conversion.programme import Course
from creditbank.conversion.rule import Pairing

Unpaired = tuple[Literal["unpaired", "gap"], Need]
"""Another course altogether, or one whose credits or hours are too far off; and what is needed."""


def unpaired(option: Option, courses: tuple[Course, ...]) -> Unpaired | None:
    """Return why these courses, exempted together, do not go with what is spent; None where they do."""
    pairing = option.live.exemption.pairing
    if pairing is None or not courses:
        return None
    need = _other(pairing, option, courses)
    if need is not None:
        return "unpaired", need
    need = _gap(pairing, option, sum((course.credits for course in courses), Decimal(0)))
    need = need or _too_short(pairing, option, courses)
    return None if need is None else ("gap", need)


def misnamed(option: Option) -> Need | None:
    """Return what keeps the outcomes from naming one another as the rule asks, whatever they are for."""
    pairing = option.live.exemption.pairing
    if pairing is None or pairing.names_outcome is None:
        return None
    return _another(pairing.names_outcome, option.evidence)


def _other(pairing: Pairing, option: Option, courses: tuple[Course, ...]) -> Need | None:
    ids = tuple(course.id for course in courses)
    if pairing.is_same_code and not any(holding.code in ids for holding in option.spent):
        return Need(attribute="outcome", have=None, need=ids[0], outcome=option.spent[0].id)
    if pairing.names_course is not None:
        named = _named(pairing.names_course, option.evidence)
        if not any(course in ids for _, course in named):
            holding, have = next(((one, course) for one, course in named if course is not None), named[-1])
            return Need(attribute=pairing.names_course, have=have, need=ids[0], outcome=holding.id)
    if pairing.names_outcome is not None:
        return _another(pairing.names_outcome, option.evidence)
    return None


def _another(attribute: str, evidence: tuple[Holding, ...]) -> Need | None:
    """Return what keeps one of the outcomes from naming another; the last one, where none names any."""
    named = _named(attribute, evidence)
    stated = [(holding, code) for holding, code in named if code is not None]
    for holding, code in stated or named[-1:]:
        others = [other.code for other in evidence if other is not holding]
        if code not in others:
            return Need(
                attribute=attribute,
                have=code,
                need=others[0] if others else holding.code,
                outcome=holding.id,
            )
    return None


def _named(attribute: str, evidence: tuple[Holding, ...]) -> list[tuple[Holding, str | None]]:
    return [(holding, holding.attribute(attribute)) for holding in evidence]


def _too_short(pairing: Pairing, option: Option, courses: tuple[Course, ...]) -> Need | None:
    """Return what the outcomes lack of the share of the courses' hours; `*` where a course states none."""
    if pairing.hours_share is None:
        return None
    hours = [course.hours for course in courses if course.hours is not None]
    stated = [holding.hours for holding in option.spent if holding.hours is not None]
    have, wanted = sum(stated, Decimal(0)), sum(hours, Decimal(0)) * pairing.hours_share
    is_known = len(hours) == len(courses)
    if is_known and stated and have >= wanted:
        return None
    return Need(
        attribute="hours",
        have=decimal_text(have) if stated else None,
        need=decimal_text(wanted) if is_known else "*",
        outcome=option.spent[0].id,
    )


def _gap(pairing: Pairing, option: Option, credits_: Decimal) -> Need | None:
    stated = sum((holding.credits or Decimal(0) for holding in option.spent), Decimal(0))
    have = stated if option.worth is None else option.worth
    if pairing.max_above is not None and credits_ - have > pairing.max_above:
        need = decimal_text(credits_ - pairing.max_above)
    elif pairing.max_below is not None and have - credits_ > pairing.max_below:
        need = f"≤{decimal_text(credits_ + pairing.max_below)}"
    else:
        return None
    return Need(attribute="credits", have=decimal_text(have), need=need, outcome=option.spent[0].id)
