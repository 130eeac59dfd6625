"""What in a pack adds nothing: rules that another one makes needless.

Like the rest of the lint it says only what is certain from the pack alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from creditbank.conversion.pack import Pack
from creditbank.conversion.premise import Pattern, Premise
from creditbank.conversion.rule import (
    EVERYWHERE,
    ExemptionGrant,
    GradePolicy,
    Rule,
    Scale,
    Scope,
    WaiverGrant,
)
from creditbank.outcomes.outcome import FrameworkLevel


def grade_of(rule: Rule) -> GradePolicy | None:
    """Return what a rule writes as the grade; None of a waiver, which writes none."""
    return rule.grant.grade if isinstance(rule.grant, ExemptionGrant) else None


def shadowed_rules(pack: Pack) -> Iterator[tuple[int, Rule, Rule]]:
    """Yield every rule that adds nothing to another one: its place, itself, and the rule that does as much.

    Whoever meets it meets the other, on every day, has no less of the same places by it, in the same
    route, and no more by both; and the other is ranked before it, or gives the same grade. Of two that are
    alike the first stays. Where the two write different grades the rule is no less idle, but what it says is
    lost with it: whoever wrote it most likely meant it to go first.
    """
    known: dict[_Sort, list[tuple[int, Rule]]] = {}
    for index, rule in enumerate(pack.rules):
        for code in _first_codes(rule) or (None,):
            known.setdefault((_sort(rule), rule.scope, code), []).append((index, rule))
    for index, rule in enumerate(pack.rules):
        for _, other in sorted(_candidates(rule, known), key=lambda one: one[0]):
            if other is rule or not _does_all_of(other, rule, pack):
                continue
            if _is_before(other, rule) or not _does_all_of(rule, other, pack):
                yield index, rule, other
                break


_Sort = tuple[object, Scope, str | None]


def _sort(rule: Rule) -> object:
    """Return what two rules must have in common for one to make the other needless."""
    asked = tuple((one.use, one.worth, one.pattern.kind) for one in rule.premises)
    grant = rule.grant
    return rule.route, asked, _kind_of_grant(grant) if isinstance(grant, ExemptionGrant) else None


def _first_codes(rule: Rule) -> frozenset[str]:
    """Return the codes that the first premise asks for; none: any."""
    return rule.premises[0].pattern.codes if rule.premises else frozenset()


def _candidates(rule: Rule, known: Mapping[_Sort, list[tuple[int, Rule]]]) -> Iterator[tuple[int, Rule]]:
    """Yield the rules that could do all that this one does: of its sort, for no fewer codes, in its scope."""
    sort, codes = _sort(rule), _first_codes(rule)
    for scope in {rule.scope, EVERYWHERE}:
        for code in {None, min(codes, default=None)}:
            yield from known.get((sort, scope, code), ())


def _is_before(other: Rule, rule: Rule) -> bool:
    """Whether the published order ranks one rule before another."""
    return (-other.priority, other.id, other.version) < (-rule.priority, rule.id, rule.version)


def _does_all_of(other: Rule, rule: Rule, pack: Pack) -> bool:
    return (
        _holds_whenever(other, rule)
        and other.scope in (rule.scope, EVERYWHERE)
        and other.route == rule.route
        and other.exclusive in (None, rule.exclusive)
        and (rule.different_codes or not other.different_codes)
        and set(other.void_if) <= set(rule.void_if)
        and len(other.premises) == len(rule.premises)
        and all(
            _asks_no_more(less, more, pack.scales)
            for less, more in zip(other.premises, rule.premises, strict=True)
        )
        and _gives_no_less(other, rule, pack)
    )


def _holds_whenever(other: Rule, rule: Rule) -> bool:
    begins = other.effective_from <= rule.effective_from and other.published_at <= rule.published_at
    if other.effective_to is None:
        return begins
    return begins and rule.effective_to is not None and rule.effective_to <= other.effective_to


def _asks_no_more(other: Premise, premise: Premise, scales: Mapping[str, Scale]) -> bool:
    less, more = other.pattern, premise.pattern
    return (
        (other.use, other.worth, less.kind) == (premise.use, premise.worth, more.kind)
        and other.awarded_since in (None, premise.awarded_since)
        and (premise.for_good or not other.for_good)
        and other.awarded_before in (None, premise.awarded_before)
        and _names_within(more.codes, less.codes)
        and _names_within(more.issuers, less.issuers)
        and _levels_within(more.min_levels, less.min_levels, scales)
        and _bounds_within(more, less)
        and all(test in more.attributes for test in less.attributes)
    )


def _names_within(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether whatever is one of `some` is one of `others`; none named: any."""
    return not others or (bool(some) and some <= others)


def _levels_within(
    higher: Sequence[FrameworkLevel], lower: Sequence[FrameworkLevel], scales: Mapping[str, Scale]
) -> bool:
    lowest = {level.framework: level.level for level in lower}
    return not lower or (
        bool(higher)
        and all(
            level.framework in lowest
            and _rank(scales, level) >= _rank(scales, level, lowest[level.framework])
            for level in higher
        )
    )


def _rank(scales: Mapping[str, Scale], level: FrameworkLevel, name: str | None = None) -> int:
    rank = scales[level.framework].rank(name or level.level)
    assert rank is not None, "the levels of a pack are on its scales"
    return rank


def _bounds_within(more: Pattern, less: Pattern) -> bool:
    bounds = (
        (less.min_score, more.min_score),
        (less.min_hours, more.min_hours),
        (less.min_credits, more.min_credits),
    )
    return (
        all(bound is None or (other is not None and bound <= other) for bound, other in bounds)
        and less.max_age in (None, more.max_age)
        and less.min_age in (None, more.min_age)
        and less.min_grade in (None, more.min_grade)
    )


def _gives_no_less(other: Rule, rule: Rule, pack: Pack) -> bool:
    match other.grant, rule.grant:
        case WaiverGrant(parts=parts), WaiverGrant(parts=fewer):
            return set(fewer) <= set(parts)
        case ExemptionGrant() as more, ExemptionGrant() as less:
            return (
                (more.grade == less.grade or _is_before(other, rule))
                and _kind_of_grant(more) == _kind_of_grant(less)
                and (not _is_limited(more) or any(premise.use == "consume" for premise in rule.premises))
                and set(less.buckets) <= set(more.buckets)
                and _courses_within(less, more, pack)
                and _limit_within(less.max_credits, more.max_credits)
                and _limit_within(less.max_courses, more.max_courses)
            )
        case _:
            return False


def _kind_of_grant(grant: ExemptionGrant) -> object:
    return grant.mode, grant.worth, grant.pairing, grant.with_credit, grant.is_leftover_only


def _is_limited(grant: ExemptionGrant) -> bool:
    """Whether the grant bounds itself: two such rules give more than one, unless they use an outcome up."""
    return any(limit is not None for limit in (grant.max_credits, grant.max_courses, grant.worth))


def _limit_within(narrow: Decimal | int | None, wide: Decimal | int | None) -> bool:
    return wide is None or (narrow is not None and narrow <= wide)


def _courses_within(less: ExemptionGrant, more: ExemptionGrant, pack: Pack) -> bool:
    """Whether one grant covers what another does; of a bundle, which is all or none, exactly that."""
    narrow, wide = _covered(less, pack), _covered(more, pack)
    return narrow == wide if more.mode == "bundle" else narrow <= wide


def _covered(grant: ExemptionGrant, pack: Pack) -> set[tuple[str, int, str]]:
    return {
        (programme.id, programme.version, course.id)
        for programme in pack.programmes
        for course in programme.courses
        if grant.courses is not None and grant.courses.covers(course)
    }
