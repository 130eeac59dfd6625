"""The procedure of a rule: steps that are made one after the other before a grant is registered.

A pack declares them, the core hands them on, and whoever registers says when each was made, and by whom
(CONVERSION §1.3). What was said is kept with the grant; what a rule grants waits until all were made.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from creditbank.account.step_body import StepMade
from creditbank.conversion.decision import Decision, Exemption, RuleCited, Waiver, WaiverDecision
from creditbank.conversion.procedure import Step
from creditbank.errors import InvalidInput
from creditbank.terms import Wording


class ProcedureInvalid(InvalidInput):
    """A step of a procedure is missing, unknown, or out of its order."""

    code = "procedure-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What a rule grants that is not registered yet, since a step of its procedure was not made."""

    cited: RuleCited
    step: Step  # the first that lacks
    titles: tuple[Wording, ...]  # of the courses, buckets or parts, in the decision's order


def require_procedure(
    decision: Decision | WaiverDecision, made: Sequence[StepMade], *, today: date
) -> tuple[Waiting, ...]:
    """Return what waits for a step, after making sure that every step stated was made, one after the other.

    Raises:
        ProcedureInvalid: `step-of-none` (no rule that grants has any), `step-unknown` (none has this one),
            `step-twice`, `step-in-future`, `step-by-nobody` (a step of another body that does not say
            whose), `step-too-early` (it was made before the one that it follows), `step-missing` (every rule
            that grants lacks one: the first is named).
    """
    cited = granting(decision)
    if not cited:
        return ()  # nothing is left to grant
    on = _by_id(cited, made, today=today)
    lacking = [(one, _first_lacking(one, on)) for one in cited]
    waiting = tuple(
        Waiting(cited=one, step=step, titles=_titles(decision, one))
        for one, step in lacking
        if step is not None
    )
    if len(waiting) == len(cited):
        first = waiting[0]
        raise ProcedureInvalid(
            "step-missing",
            field="steps",
            step=first.step.id,
            title=first.step.title,
            rule=first.cited.rule,
        )
    return waiting


def _by_id(cited: Iterable[RuleCited], made: Iterable[StepMade], *, today: date) -> Mapping[str, StepMade]:
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
    return on


def _first_lacking(cited: RuleCited, on: Mapping[str, StepMade]) -> Step | None:
    """Return the first step that was not made, None where all were; those made are in their order."""
    before: StepMade | None = None
    for step in cited.procedure:
        if (made := on.get(step.id)) is None:
            continue
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
    return next((step for step in cited.procedure if step.id not in on), None)


def _titles(decision: Decision | WaiverDecision, cited: RuleCited) -> tuple[Wording, ...]:
    return tuple(one.title for one in grants_in(decision) if one.cited == cited)


def steps_of(cited: RuleCited, made: Iterable[StepMade]) -> tuple[StepMade, ...]:
    """Return those of the steps made that are the rule's, in its order, by its titles."""
    on = {step.id: step for step in made}
    return tuple(replace(on[step.id], title=step.title.zh) for step in cited.procedure if step.id in on)


def is_done(cited: RuleCited, made: Iterable[StepMade]) -> bool:
    """Whether the steps made are all that the rule asks for, one after the other."""
    try:
        return _first_lacking(cited, {step.id: step for step in made}) is None
    except ProcedureInvalid:
        return False


def granting(decision: Decision | WaiverDecision) -> list[RuleCited]:
    """Return the rules that grant something, each once."""
    return list(dict.fromkeys(one.cited for one in grants_in(decision)))


def grants_in(decision: Decision | WaiverDecision) -> Sequence[Exemption | Waiver]:
    """Return what a decision grants, in its order."""
    return decision.exemptions if isinstance(decision, Decision) else decision.waivers
