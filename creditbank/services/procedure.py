"""The procedure of a rule: steps that are made one after the other before a grant is registered.

A pack declares them, the core hands them on, and whoever registers says when each was made, and by whom
(CONVERSION §1.3). What was said is kept with the grant.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from creditbank.account.step_body import StepMade
from creditbank.conversion.decision import Decision, Exemption, RuleCited, Waiver, WaiverDecision
from creditbank.errors import InvalidInput


class ProcedureInvalid(InvalidInput):
    """A step of a procedure is missing, unknown, or out of its order."""

    code = "procedure-invalid"


def require_procedure(decision: Decision | WaiverDecision, made: Sequence[StepMade], *, today: date) -> None:
    """Make sure that every step of every rule that grants was made, one after the other.

    Raises:
        ProcedureInvalid: `step-of-none` (no rule that grants has any), `step-unknown` (none has this one),
            `step-twice`, `step-in-future`, `step-missing` (the first that lacks is named), `step-by-nobody`
            (a step of another body that does not say whose), `step-too-early` (it was made before the one
            that it follows).
    """
    cited = granting(decision)
    if not cited:
        return  # nothing is left to grant
    known = {step.id for one in cited for step in one.procedure}
    on: dict[str, StepMade] = {}
    for step in made:
        if not known:
            raise ProcedureInvalid("step-of-none", field="steps", step=step.id)
        if step.id not in known:
            raise ProcedureInvalid("step-unknown", field="steps", step=step.id, known=sorted(known))
        if step.id in on:
            raise ProcedureInvalid("step-twice", field="steps", step=step.id)
        if step.on > today:
            raise ProcedureInvalid("step-in-future", field="steps", step=step.id, day=step.on, today=today)
        on[step.id] = step
    for one in cited:
        _require_order(one, on)


def _require_order(cited: RuleCited, on: dict[str, StepMade]) -> None:
    before: StepMade | None = None
    for step in cited.procedure:
        made = on.get(step.id)
        if made is None:
            raise ProcedureInvalid(
                "step-missing", field="steps", step=step.id, title=step.title, rule=cited.rule
            )
        if step.is_outside and not made.by:
            raise ProcedureInvalid("step-by-nobody", field="steps", step=step.id, title=step.title)
        if before is not None and made.on < before.on:
            raise ProcedureInvalid(
                "step-too-early",
                field="steps",
                step=step.id,
                day=made.on,
                before=before.id,
                earlier=before.on,
            )
        before = made


def steps_of(cited: RuleCited, made: Iterable[StepMade]) -> tuple[StepMade, ...]:
    """Return those of the steps made that are the rule's, in its order, by its titles."""
    on = {step.id: step for step in made}
    return tuple(replace(on[step.id], title=step.title.zh) for step in cited.procedure if step.id in on)


def is_done(cited: RuleCited, made: Iterable[StepMade]) -> bool:
    """Whether the steps made are all that the rule asks for, one after the other."""
    try:
        _require_order(cited, {step.id: step for step in made})
    except ProcedureInvalid:
        return False
    return True


def granting(decision: Decision | WaiverDecision) -> list[RuleCited]:
    """Return the rules that grant something, each once."""
    return list(dict.fromkeys(one.cited for one in grants_in(decision)))


def grants_in(decision: Decision | WaiverDecision) -> Sequence[Exemption | Waiver]:
    """Return what a decision grants, in its order."""
    return decision.exemptions if isinstance(decision, Decision) else decision.waivers
