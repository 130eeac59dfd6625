"""Which courses stand for which: what the rules in force on a day give for an outcome of some code.

This is asked before there is a learner: by a school that looks up how another one recognises its courses.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from creditbank.conversion.pack import Pack
from creditbank.conversion.programme import Course, Programme
from creditbank.conversion.rule import ExemptionGrant, Mode, Rule
from creditbank.outcomes.outcome import OutcomeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """One rule in one programme: all of `asked` together stand for `given`, as its mode says.

    A member of `asked` is the codes of which any will do, of one kind; without codes any outcome of the kind.
    """

    pack: Pack
    rule: Rule
    programme: Programme
    asked: tuple[tuple[OutcomeKind, tuple[str, ...]], ...]
    given: tuple[Course, ...]
    mode: Mode


def equivalences(
    packs: Iterable[Pack], programmes: Iterable[Programme], *, code: str, as_of: date
) -> tuple[Equivalence, ...]:
    """Return what rules give on a day for an outcome of a code, or for a course of this id.

    By pack, rule and programme. Where the day of the award or of enrolment picks the version of a rule, an
    earlier version still holds for earlier awards or enrolments, and is there too. Rules that name no codes
    are left out: they are about every outcome.
    """
    aims = sorted(programmes, key=lambda one: one.id)
    every_pack = sorted(packs, key=lambda pack: pack.id)
    return tuple(
        found
        for pack in every_pack
        for rule in pack.rules
        if _holds(rule, pack, as_of)
        for found in _in_programmes(pack, rule, aims)
        if any(code in codes for _, codes in found.asked) or any(code == one.id for one in found.given)
    )


def _holds(rule: Rule, pack: Pack, as_of: date) -> bool:
    """Whether whoever asks on a day may be granted something under this version of the rule."""
    if pack.date_basis == "application":
        return rule.is_effective(as_of)
    return rule.effective_from <= as_of


def _in_programmes(pack: Pack, rule: Rule, programmes: Iterable[Programme]) -> Iterator[Equivalence]:
    grant, scope = rule.grant, rule.scope
    if not isinstance(grant, ExemptionGrant) or grant.courses is None:
        return
    asked = tuple((premise.pattern.kind, tuple(sorted(premise.pattern.codes))) for premise in rule.premises)
    if not any(codes for _, codes in asked):
        return
    for programme in programmes:
        is_meant = (
            any(own.id == programme.id for own in pack.programmes)
            and (not scope.programmes or programme.id in scope.programmes)
            and (not scope.majors or programme.major in scope.majors)
            and (not scope.levels or programme.level in scope.levels)
        )
        given = tuple(
            course
            for course in programme.courses
            if grant.courses.covers(course) and course.is_exemptible_under(scope.categories)
        )
        if is_meant and given:
            yield Equivalence(
                pack=pack, rule=rule, programme=programme, asked=asked, given=given, mode=grant.mode
            )
