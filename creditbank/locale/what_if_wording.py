"""What is supposed, and what it would change, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from creditbank.conversion.decision import Decision, WaiverDecision, decimal_text
from creditbank.conversion.holding import Holding
from creditbank.conversion.next_steps import Addition
from creditbank.conversion.policy_diff import Measure, Shift, name_of
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import NAMELESS, Names, Naming
from creditbank.locale.pack_wording import shown
from creditbank.locale.wording import level_name, named

NOTHING_ASKED: Mapping[str, str] = MappingProxyType({})
_IDLE_LINES = 4
"""How much is said of why outcomes count for nothing."""


def supposed_name(words: Catalogue, outcome: Holding, asked: Mapping[str, str] = NOTHING_ASKED) -> str:
    """Return what an outcome that nobody holds is called: its kind and code, and what is asked of it.

    `asked` are bounds of its attributes, such as `≤10`, where it is one of many that would do.
    """
    naming = Naming(words=words, names=NAMELESS)
    details = [level_name(words, outcome.level)] if outcome.level is not None else []
    for name in ("score", "hours", "credits"):
        value = getattr(outcome, name)
        if value is not None:
            details.append(words.text("say.supposed-detail", field=name, value=value))
    if outcome.grade is not None:
        details.append(outcome.grade)
    details += [
        f"{naming.attribute(name)} "
        f"{naming.wanted(name, asked[name]) if name in asked else naming.value(name, value)}"
        for name, value in outcome.attributes
    ]
    name = f"{named(words, 'word.kind-', outcome.kind)} {outcome.code}".rstrip()  # any code: none is said
    if not details:
        return words.text("say.supposed", name=name)
    return words.text("say.supposed-with-details", name=name, details=words.listed(details))


def with_supposed(words: Catalogue, names: Names, supposed: Sequence[Holding]) -> Names:
    """Return the names with those of supposed outcomes."""
    return replace(
        names, outcomes={**names.outcomes, **{one.id: supposed_name(words, one) for one in supposed}}
    )


def idle_lines(
    words: Catalogue,
    decision: Decision | WaiverDecision,
    names: Names,
    supposed: Sequence[Holding],
) -> tuple[str, ...]:
    """Return why supposed outcomes count for nothing: what becomes of each, and what rules say of it."""
    said = decision_lines(words, decision, names)
    ids = {one.id for one in supposed}
    nowhere = decision.nowhere if isinstance(decision, Decision) else ()
    lines = [line for one, line in zip(nowhere, said.nowhere, strict=True) if one.outcome in ids]
    for refusal, line in zip(decision.refusals, said.refusals, strict=True):
        if not ids.isdisjoint(refusal.outcomes) or any(need.outcome in ids for need in refusal.needs):
            lines.append(line)
    return tuple(lines[:_IDLE_LINES])


def shift_line(words: Catalogue, shift: Shift, measure: Measure, names: Names) -> str:
    """Return one line: which course or part, how much more of it, from which rule to which."""
    title = names.places.get(shift.target)
    nothing = words.text("word.diff-no-rule")
    return words.text(
        "say.shift",
        target=shift.target if title is None else shown(words, title),
        change=words.text(f"word.diff-{measure}", change=signed(shift.change)),
        before=name_of(shift.before) or nothing,
        after=name_of(shift.after) or nothing,
    )


def step_line(words: Catalogue, addition: Addition, *, learners: int, gained: Decimal, most: Decimal) -> str:
    """Return one line: what to get, whom it would help, how much, and by which rules."""
    return words.text(
        "say.class-step",
        outcome=supposed_name(words, addition.outcome, dict(addition.asked)),
        learners=learners,
        gained=words.credits(gained),
        most=words.credits(most),
        rules=words.listed(addition.rules),
    )


def signed(change: Decimal) -> str:
    """Return a figure with its sign."""
    text = decimal_text(abs(change))
    return text if not change else f"+{text}" if change > 0 else f"−{text}"
