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
"""Another course altogether, or one whose credits are too far from the outcomes'; and what is needed."""


def unpaired(option: Option, courses: tuple[Course, ...]) -> Unpaired | None:
    """Return why these courses, exempted together, do not go with what is spent; None where they do."""
    pairing = option.live.exemption.pairing
    if pairing is None or not courses:
        return None
    need = _other(pairing, option.spent, courses)
    if need is not None:
        return "unpaired", need
    need = _gap(pairing, option, sum((course.credits for course in courses), Decimal(0)))
    return None if need is None else ("gap", need)


def _other(pairing: Pairing, spent: tuple[Holding, ...], courses: tuple[Course, ...]) -> Need | None:
    ids = tuple(course.id for course in courses)
    if pairing.is_same_code and not any(holding.code in ids for holding in spent):
        return Need(attribute="outcome", have=None, need=ids[0], outcome=spent[0].id)
    if pairing.names_course is not None:
        named = [(holding, holding.attribute(pairing.names_course)) for holding in spent]
        if not any(course in ids for _, course in named):
            holding, have = next(((one, course) for one, course in named if course is not None), named[-1])
            return Need(attribute=pairing.names_course, have=have, need=ids[0], outcome=holding.id)
    if pairing.names_outcome is not None:
        for holding in spent:
            have = holding.attribute(pairing.names_outcome)
            others = [other.code for other in spent if other is not holding]
            if have is not None and have not in others:
                need = others[0] if others else holding.code
                return Need(attribute=pairing.names_outcome, have=have, need=need, outcome=holding.id)
    return None


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
