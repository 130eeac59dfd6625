"""What one more outcome, or a better one in the place of another, would bring to a solved case: units only.

An allocation with it is one of options that were there before, which bring no more than they did, and of
fresh ones, which bring no more than they would alone; and beside the answer as it stands the fresh ones
bring at least what it leaves them. Where the two meet nothing is searched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from creditbank.conversion.cut import Cut
from creditbank.conversion.fill import Nodes
from creditbank.conversion.holding import Holding, Pinned
from creditbank.conversion.layout import Layout, components
from creditbank.conversion.matching import Option, rematch
from creditbank.conversion.options import options_of
from creditbank.conversion.problem import Problem, conflicts_of
from creditbank.conversion.search import Search
from creditbank.conversion.solving import Case, Solution, part_name, pose_options


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The options that there are with an addition; `fresh` ones are new, `lost` are numbers of old ones."""

    added: Holding
    options: tuple[tuple[Option, ...], ...]  # of each rule
    fresh: tuple[Option, ...]
    lost: frozenset[int]
    is_complete: bool  # every option was looked at


def most_units(case: Case, solution: Solution, added: Holding, nodes: Nodes) -> int | None:
    """Return the most units with `added` beside the case's outcomes, or in the place of one of the same id.

    What does not change is taken over from the solution. None where the budget ends before that is proved.
    """
    changed = _changed(case, solution, added)
    if not changed.is_complete:
        return None
    least, most = 0, None
    if solution.proved and not _shares_a_budget(changed):
        least = _beside(case, solution, changed, nodes)
        most = solution.units + _alone(case, changed)
        if least == most:
            return least
    return _searched(case, solution, changed, nodes, at_least=least, at_most=most)


def _changed(case: Case, solution: Solution, added: Holding) -> Changed:
    options = list(solution.options)
    is_complete = solution.is_complete
    fresh: list[Option] = []
    kept: dict[int, set[object]] = {}
    for at, match in rematch(solution.matches, added, index=case.index, as_of=case.as_of).items():
        before = {_key(option) for option in options[at]}
        options[at], are_all = options_of(match, as_of=case.as_of)
        is_complete = is_complete and are_all
        fresh.extend(option for option in options[at] if _key(option) not in before)
        kept[at] = {_key(option) for option in options[at]}
    lost = frozenset(
        at
        for at, rule in enumerate(solution.rule_of)
        if rule in kept and _key(solution.problem.options[at]) not in kept[rule]
    )
    return Changed(
        added=added, options=tuple(options), fresh=tuple(fresh), lost=lost, is_complete=is_complete
    )


def _key(option: Option) -> object:
    """Return what tells an option of a rule from its others; the outcomes as they are, not their ids."""
    drawn = None if option.drawn is None else id(option.drawn)
    return tuple(map(id, option.evidence)), drawn, option.budget, option.worth, option.families


def _shares_a_budget(changed: Changed) -> bool:
    """Whether a fresh option draws on an outcome that others draw on too, of which each may allow more."""
    return any(option.drawn not in (None, changed.added) for option in changed.fresh)


def _alone(case: Case, changed: Changed) -> int:
    """Return units that the fresh options cannot exceed by themselves."""
    problem = _posed(case, changed, changed.fresh, case.pinned)
    groups, bounds = components(problem)
    return sum(_ceiling(layout) for layout in (Layout(problem, group, bounds) for group in groups))


def _ceiling(layout: Layout) -> int:
    return Cut(layout).ceiling(layout.mask) * layout.scale


def _beside(case: Case, solution: Solution, changed: Changed, nodes: Nodes) -> int:
    """Return units that can be reached by leaving the answer as it is, but for what the addition replaces."""
    kept = [grant for grant in solution.grants if grant[0] not in changed.lost]
    units = sum(grant[2] for grant in kept)
    used = [solution.problem.options[at] for at in sorted({at for at, _, _ in kept})]
    rivals = conflicts_of([*used, *changed.fresh])
    beside = [
        option
        for at, option in enumerate(changed.fresh, start=len(used))
        if not rivals[at] & ((1 << len(used)) - 1)
    ]
    if not beside:
        return units
    pinned = (*case.pinned, *(_pinned(solution.problem, grant) for grant in kept))
    problem = _posed(case, changed, beside, pinned)
    groups, bounds = components(problem)
    for group in groups:
        units += Search(Layout(problem, group, bounds), nodes, spends=()).most(at_least=0).units
    return units


def _pinned(problem: Problem, grant: tuple[int, int, int]) -> Pinned:
    """Return a grant of the answer as if it were registered already."""
    at, place, units = grant
    option = problem.options[at]
    return Pinned(
        pack=option.live.pack.id,
        rule=option.live.rule.id,
        rule_version=option.live.rule.version,
        target=problem.places[place].id,
        units=units,
        spent=option.spent_ids,
    )


def _posed(case: Case, changed: Changed, options: Sequence[Option], pinned: Sequence[Pinned]) -> Problem:
    return pose_options(case, options, [*case.holdings, changed.added], pinned=pinned)


def _searched(
    case: Case, solution: Solution, changed: Changed, nodes: Nodes, *, at_least: int, at_most: int | None
) -> int | None:
    """Return the same by deciding again, but for parts that the addition does not touch."""
    options = [option for of_rule in changed.options for option in of_rule]
    rule_of = [at for at, of_rule in enumerate(changed.options) for _ in of_rule]
    problem = _posed(case, changed, options, case.pinned)
    known = {
        part_name(solution.problem, search.layout.options, solution.rule_of): best
        for search, best in zip(solution.searches, solution.bests, strict=True)
    }
    groups, bounds = components(problem)
    names = [part_name(problem, group, rule_of) for group in groups]
    others = sum(known[name].units for name in names if name in known)
    touched = sum(name not in known for name in names)
    units = 0
    for group, name in zip(groups, names, strict=True):
        best = known.get(name)
        if best is None:
            within = set(name)
            kept = sum(one.units for other, one in known.items() if within.issuperset(other))
            ceiling = None
            if touched == 1:
                kept = max(kept, at_least - others)
                ceiling = None if at_most is None else at_most - others
            search = Search(Layout(problem, group, bounds), nodes, spends=())
            best = search.most(at_least=kept, at_most=ceiling)
        if not best.proved:
            return None
        units += best.units
    return units
