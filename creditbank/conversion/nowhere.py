"""Outcomes that count for nothing here, and why; and what is left over of those that count."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from creditbank.conversion.decision import Nowhere, NowhereReason, Refusal, RefusalKind
from creditbank.conversion.explanation import idle
from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import Option
from creditbank.conversion.solving import Case, Solution
from creditbank.terms import OutcomeId, RuleId

_KEPT_OUT: Mapping[RefusalKind, NowhereReason] = {
    "cap": "cap",
    "limit": "cap",
    "capacity": "cap",
    "not-searched": "not-searched",
    "unpaired": "no-place",
    "gap": "no-place",
    "budget": "no-place",
    "leftover": "no-place",
    "not-exemptible": "no-place",
    "no-worth": "no-worth",
}
"""What refusals come to for the outcome they keep out; of all others it is not needed."""
_ORDER: tuple[NowhereReason, ...] = ("cap", "not-searched", "not-needed", "no-worth", "no-place", "unmet")
"""Of several the first is said: what a rule that takes the outcome says before what other rules ask for."""


def nowhere(case: Case, solution: Solution, refused: Sequence[Refusal]) -> tuple[Nowhere, ...]:
    """Return, by outcome, what counts for nothing in this answer, whole or in part."""
    why: dict[OutcomeId, dict[NowhereReason, set[RuleId]]] = {}
    for match, options in zip(solution.matches, solution.options, strict=True):
        held: NowhereReason = "not-needed" if options else "unmet"
        spent = {outcome for option in options for outcome in option.spent_ids}
        for holding in (one for met in match.met_by for one in met):
            if holding.id not in spent:
                why.setdefault(holding.id, {}).setdefault(held, set()).add(match.live.rule.id)
        for holding in (one for missed in match.missed_by for one in missed):
            why.setdefault(holding.id, {}).setdefault("unmet", set()).add(match.live.rule.id)
    beside: dict[OutcomeId, set[RuleId]] = {}  # another that would be spent with it gives nothing
    for match, options in zip(solution.matches, solution.options, strict=True):
        for outcome in (one for option in options for one in option.spent_ids):
            beside.setdefault(outcome, set()).add(match.live.rule.id)
    for refusal in refused:
        if refusal.kind not in {"premise", "fact"}:
            kept = _KEPT_OUT.get(refusal.kind, "not-needed")
            for outcome in refusal.outcomes:
                why.setdefault(outcome, {}).setdefault(kept, set()).add(refusal.cited.rule)
    idling = idle(case, solution)
    barred = _barred(solution)
    found = list(_leftovers(case, solution))
    for holding in case.holdings:
        if holding.id in idling:
            own = why.get(holding.id) or ({"unmet": beside[holding.id]} if holding.id in beside else {})
            of_rules: NowhereReason = next((one for one in _ORDER if one in own), "no-rule")
            reason = _reason(case, holding) or of_rules
            rules = own.get(reason, set())
            if reason == "not-needed" and holding.id in barred:
                reason = "registered"
            found.append(Nowhere(outcome=holding.id, reason=reason, rules=tuple(sorted(rules))))
    return tuple(sorted(found, key=lambda one: one.outcome))


def _barred(solution: Solution) -> frozenset[OutcomeId]:
    """Return the outcomes that registered grants keep out of every rule that would spend them."""
    spending: dict[bool, set[OutcomeId]] = {True: set(), False: set()}
    for at, option in enumerate(solution.problem.options):
        spending[at in solution.problem.blocked].update(option.spent_ids)
    return frozenset(spending[True] - spending[False])


def _reason(case: Case, holding: Holding) -> NowhereReason | None:
    """Return why an outcome counts nowhere at all on that day."""
    if holding.is_revoked(as_of=case.as_of, known_at=case.known_at):
        return "revoked"
    if holding.awarded_on > case.as_of:
        return "not-yet"
    if holding.expires_on is not None and case.as_of >= holding.expires_on:
        return "expired"
    return None


def _leftovers(case: Case, solution: Solution) -> Iterator[Nowhere]:
    """Yield the credits of a drawn outcome, or of one with a worth of its own, that nothing was given for."""
    given: dict[OutcomeId, int] = {}
    holds: dict[OutcomeId, int] = {}
    for at, _, units in solution.grants:
        option = solution.problem.options[at]
        for outcome in _measured(option.spent_ids, option.drawn, option.worth is not None):
            given[outcome] = given.get(outcome, 0) + units
            value = option.worth if option.drawn is None else option.budget
            left = (value or Decimal(0)) - _drawn_elsewhere(case, option)
            holds[outcome] = max(holds.get(outcome, 0), int(left // case.step))
    for grant in case.pinned:
        for outcome in grant.spent:
            if outcome in given:
                given[outcome] += grant.units
    for outcome, units in given.items():
        if holds[outcome] > units:
            credits_left = (holds[outcome] - units) * case.step
            yield Nowhere(outcome=outcome, reason="leftover", credits=credits_left)


def _drawn_elsewhere(case: Case, option: Option) -> Decimal:
    """Return the credits that grants in other programmes have drawn for good of what the option draws on."""
    if option.drawn is None:
        return Decimal(0)
    minds = any(premise.for_good for premise in option.live.rule.premises if premise.use == "draw")
    uses = (use for use in case.elsewhere if use.outcome == option.drawn.id)
    return sum((use.credits for use in uses if use.for_good or minds), Decimal(0))


def _measured(
    spent: tuple[OutcomeId, ...],
    drawn: Holding | None,
    has_worth: bool,  # noqa: FBT001
) -> tuple[OutcomeId, ...]:
    if drawn is not None:
        return (drawn.id,)
    return spent if has_worth and len(spent) == 1 else ()
