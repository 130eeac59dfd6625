"""Whether an outcome is what a pattern asks, or an applicant what a scope asks; and if not, what is missing.

A kind or a code that differs is another outcome altogether, never something missing of this one.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from creditbank.conversion.decision import Need, decimal_text
from creditbank.conversion.holding import Applicant, Fact, Holding
from creditbank.conversion.premise import AttributeTest, FactTest, Pattern
from creditbank.conversion.rule import Scale
from creditbank.outcomes.outcome import FrameworkLevel

ANY_OF = "/"
"""Stands between the values of which one is needed."""
Lack = tuple[str, str | None, str]
"""An attribute, what is stated of it, and what is needed."""


def is_subject_of(pattern: Pattern, holding: Holding) -> bool:
    """Whether the outcome is of the kind and one of the codes that the pattern is about."""
    return holding.kind == pattern.kind and (not pattern.codes or holding.code in pattern.codes)


def is_met(pattern: Pattern, holding: Holding, *, scales: Mapping[str, Scale], as_of: date) -> bool:
    """Whether the outcome is all that the pattern asks on the day `as_of`."""
    return is_subject_of(pattern, holding) and not lacking(pattern, holding, scales, as_of)


def needs(
    pattern: Pattern, holding: Holding, scales: Mapping[str, Scale], as_of: date, premise: int | None = None
) -> tuple[Need, ...]:
    """Return what an outcome of the right kind and code lacks."""
    return tuple(
        Need(attribute=attribute, have=have, need=need, outcome=holding.id, premise=premise)
        for attribute, have, need in lacking(pattern, holding, scales, as_of)
    )


def lacking(pattern: Pattern, holding: Holding, scales: Mapping[str, Scale], as_of: date) -> list[Lack]:
    """Return, in codes, what an outcome of the right kind and code lacks."""
    found: list[Lack] = []
    if pattern.min_levels:
        found.extend(_lacking_level(pattern.min_levels, holding.level, scales))
    if pattern.min_grade is not None and not _is_at_least(holding.grade, pattern.min_grade, scales):
        found.append(("grade", holding.grade, pattern.min_grade.level))
    if pattern.min_score is not None:
        found.extend(_lacking_number("score", pattern.min_score, holding.score))
    if pattern.min_hours is not None:
        found.extend(_lacking_number("hours", pattern.min_hours, holding.hours))
    if pattern.min_credits is not None:
        found.extend(_lacking_number("credits", pattern.min_credits, holding.credits))
    age = pattern.max_age
    if age is not None and as_of >= age.after(holding.awarded_on):
        found.append(("awarded_on", holding.awarded_on.isoformat(), age.oldest(as_of).isoformat()))
    least = pattern.min_age
    if least is not None and as_of < least.after(holding.awarded_on):
        found.append(("awarded_on", holding.awarded_on.isoformat(), f"≤{least.newest(as_of).isoformat()}"))
    if pattern.issuers and holding.issuer not in pattern.issuers:
        found.append(("issuer", holding.issuer, ANY_OF.join(sorted(pattern.issuers))))
    for test in pattern.attributes:
        stated = holding.attribute(test.attribute)
        if not _passes(test, stated, scales):
            found.append((test.attribute, stated, asked_of(test)))
    return found


def _lacking_number(name: str, minimum: Decimal, value: Decimal | None) -> tuple[Lack, ...]:
    if value is not None and value >= minimum:
        return ()
    return ((name, None if value is None else decimal_text(value), decimal_text(minimum)),)


def _lacking_level(
    minima: tuple[FrameworkLevel, ...], level: FrameworkLevel | None, scales: Mapping[str, Scale]
) -> tuple[Lack, ...]:
    if level is not None:
        for minimum in minima:
            if minimum.framework == level.framework:
                enough = _is_at_least(level.level, minimum, scales)
                return () if enough else (("level", level.level, minimum.level),)
    have = None if level is None else level.level
    return (("level", have, ANY_OF.join(one.level for one in minima)),)


def _is_at_least(stated: str | None, minimum: FrameworkLevel, scales: Mapping[str, Scale]) -> bool:
    scale = scales.get(minimum.framework)
    if stated is None or scale is None:
        return False
    rank, wanted = scale.rank(stated), scale.rank(minimum.level)
    return rank is not None and wanted is not None and rank >= wanted


def _passes(test: AttributeTest, stated: str | None, scales: Mapping[str, Scale]) -> bool:
    if stated is None or (test.one_of and stated not in test.one_of):
        return False
    if test.at_least is not None and not _is_at_least(stated, test.at_least, scales):
        return False
    if test.at_most is None and test.more_than is None and test.no_less_than is None:
        return True
    number = number_of(stated)
    return (
        number is not None
        and (test.at_most is None or number <= test.at_most)
        and (test.more_than is None or number > test.more_than)
        and (test.no_less_than is None or number >= test.no_less_than)
    )


def asked_of(test: AttributeTest) -> str:
    """Return what a test of an attribute asks for: `a/b`, a level, or every bound: `≥n ≤m`, `>n`."""
    if test.one_of:
        return ANY_OF.join(test.one_of)
    if test.at_least is not None:
        return test.at_least.level
    bounds = (("≥", test.no_less_than), (">", test.more_than), ("≤", test.at_most))
    return " ".join(f"{sign}{decimal_text(bound)}" for sign, bound in bounds if bound is not None)


def fact_need(test: FactTest, applicant: Applicant, *, as_of: date) -> Need | None:
    """Return what an applicant lacks for a test, None where it holds; `have` None: nothing is known."""
    fact = applicant.fact(test.fact)
    if fact is not None and _fact_passes(test, fact, as_of=as_of):
        return None
    return Need(attribute=test.fact, have=None if fact is None else _fact_text(fact), need=_fact_asked(test))


def _fact_passes(test: FactTest, fact: Fact, *, as_of: date) -> bool:
    if test.one_of and _fact_text(fact) not in test.one_of:
        return False
    if test.within is not None or test.after is not None:
        day = day_of(fact)
        return (
            day is not None
            and day <= as_of
            and (test.within is None or as_of < test.within.after(day))
            and (test.after is None or as_of >= test.after.after(day))
        )
    if test.at_least is None and test.at_most is None:
        return True
    number = number_of(fact)
    return (
        number is not None
        and (test.at_least is None or number >= test.at_least)
        and (test.at_most is None or number <= test.at_most)
    )


def day_of(fact: Fact | None) -> date | None:
    """Return the day that a fact is, None where it is none; one that a pack declares is stated as text."""
    if isinstance(fact, str):
        try:
            return date.fromisoformat(fact)
        except ValueError:
            return None
    return fact if isinstance(fact, date) else None


def number_of(fact: Fact) -> Decimal | None:
    """Return the finite number that a fact or an attribute is, None where it is none."""
    if isinstance(fact, date):
        return None
    try:
        number = Decimal(fact)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _fact_text(fact: Fact) -> str:
    if isinstance(fact, Decimal):
        return decimal_text(fact)
    return fact.isoformat() if isinstance(fact, date) else str(fact)


def _fact_asked(test: FactTest) -> str:
    if test.one_of:
        return ANY_OF.join(test.one_of)
    bounds = (
        "" if test.after is None else f"≥{test.after.text}",
        "" if test.within is None else f"<{test.within.text}" if test.after else test.within.text,
        "" if test.at_least is None else f"≥{decimal_text(test.at_least)}",
        "" if test.at_most is None else f"≤{decimal_text(test.at_most)}",
    )
    return " ".join(bound for bound in bounds if bound) or "*"


def level_rank(holding: Holding, scales: Mapping[str, Scale]) -> int:
    """Return the place of the outcome's level on its scale, -1 where it has none: how precious it is."""
    if holding.level is None or holding.level.framework not in scales:
        return -1
    rank = scales[holding.level.framework].rank(holding.level.level)
    return -1 if rank is None else rank
