"""Outcomes that count for nothing here, and why; and what is left over of those that count."""

from collections.abc import Iterator

from creditbank.conversion.decision import Nowhere, NowhereReason
from creditbank.conversion.holding import Holding
from creditbank.conversion.solving import Case, Solution
from creditbank.terms import OutcomeId, RuleId


def nowhere(case: Case, solution: Solution) -> tuple[Nowhere, ...]:
    """Return, by outcome, what counts for nothing in this answer, whole or in part."""
    meeting: dict[OutcomeId, set[RuleId]] = {}
    missing: dict[OutcomeId, set[RuleId]] = {}
    for match in solution.matches:
        rule = match.live.rule.id
        for holding in (one for met in match.met_by for one in met):
            meeting.setdefault(holding.id, set()).add(rule)
        for miss in (one for missed in match.missed_by for one in missed):
            missing.setdefault(miss.holding.id, set()).add(rule)
    used = [solution.problem.options[at] for at in sorted({at for at, _, _ in solution.grants})]
    counted = {one.id for option in used for one in (*option.spent, *option.witnesses)}
    counted.update(one for grant in case.pinned for one in (*grant.spent, *grant.witnesses))
    found = list(_leftovers(case, solution))
    for holding in case.holdings:
        if holding.id not in counted:
            reason = _reason(case, holding, meeting=meeting, missing=missing)
            rules = {"not-needed": meeting, "unmet": missing}.get(reason, {}).get(holding.id, set())
            found.append(Nowhere(outcome=holding.id, reason=reason, rules=tuple(sorted(rules))))
    return tuple(sorted(found, key=lambda one: one.outcome))


def _reason(
    case: Case,
    holding: Holding,
    *,
    meeting: dict[OutcomeId, set[RuleId]],
    missing: dict[OutcomeId, set[RuleId]],
) -> NowhereReason:
    if holding.is_revoked(as_of=case.as_of, known_at=case.known_at):
        return "revoked"
    if holding.awarded_on > case.as_of:
        return "not-yet"
    if holding.expires_on is not None and case.as_of >= holding.expires_on:
        return "expired"
    if holding.id in meeting:
        return "not-needed"
    return "unmet" if holding.id in missing else "no-rule"


def _leftovers(case: Case, solution: Solution) -> Iterator[Nowhere]:
    """Yield the credits of a drawn outcome, or of one with a worth of its own, that nothing was given for."""
    given: dict[OutcomeId, int] = {}
    holds: dict[OutcomeId, int] = {}
    for at, _, units in solution.grants:
        option = solution.problem.options[at]
        for outcome in _measured(option.spent_ids, option.drawn, option.worth is not None):
            given[outcome] = given.get(outcome, 0) + units
            value = option.worth if option.drawn is None else option.budget
            holds[outcome] = max(holds.get(outcome, 0), int((value or 0) // case.step))
    for grant in case.pinned:
        for outcome in grant.spent:
            if outcome in given:
                given[outcome] += grant.units
    for outcome, units in given.items():
        if holds[outcome] > units:
            credits_left = (holds[outcome] - units) * case.step
            yield Nowhere(outcome=outcome, reason="leftover", credits=credits_left)


def _measured(
    spent: tuple[OutcomeId, ...],
    drawn: Holding | None,
    has_worth: bool,  # noqa: FBT001
) -> tuple[OutcomeId, ...]:
    if drawn is not None:
        return (drawn.id,)
    return spent if has_worth and len(spent) == 1 else ()
