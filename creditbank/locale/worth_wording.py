"""How a worth came out, in one short line: what the table gives, what comes off and why, what bounds it."""

from collections.abc import Iterable

from creditbank.conversion.decision import Worth, WorthStep
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.pack_wording import shown

_SUM = frozenset({"row", "hours", "amount", "share", "deduction", "part"})


def worth_line(words: Catalogue, worth: Worth, outcome: str) -> str:
    """Return one line for the worth of the outcome that is called so."""
    return words.text(
        "say.worth",
        outcome=outcome,
        table=shown(words, worth.title),
        derivation=derivation_line(words, worth.steps),
    )


def derivation_line(words: Catalogue, steps: Iterable[WorthStep]) -> str:
    """Return the steps of a worth as one sum: `4 − 0.5 (team member) = 3.5 credits`."""
    every = tuple(steps)
    lowered = [_bound(words, step) for step in every if step.applied == "downgrade"]
    summed = [step for step in every if step.applied in _SUM]
    bounds = [_bound(words, step) for step in every if step.applied in {"maximum", "within"}]
    result = words.credits(summed[-1].credits)
    if len(summed) > 1 or not _is_plain(summed[0]):
        equals = "＝" if words.language == "zh-CN" else "="
        result = " ".join((*(_term(words, step) for step in summed), equals, result))
    return words.clauses([*lowered, result, *bounds])


def _is_plain(step: WorthStep) -> bool:
    """Whether what the table gives is not worked out: the credits of a row, or all of those stated."""
    return step.applied == "row" or (step.applied == "share" and step.by == 1)


def _bound(words: Catalogue, step: WorthStep) -> str:
    return words.text(
        f"say.worth-{step.applied}",
        credits=words.credits(step.credits),
        by=step.by or 0,
        why="" if step.why is None else shown(words, step.why),
    )


def _term(words: Catalogue, step: WorthStep) -> str:
    of, by = words.number(step.of or 0), words.number(step.by or 0)
    match step.applied:
        case "hours":
            return words.text("say.worth-hours", of=of, by=by)
        case "share" if not _is_plain(step):
            return f"{of} × {by}"
        case "amount":
            return f"{of} ÷ {by}"
        case "deduction" | "part":
            less = f"− {by}" if step.applied == "deduction" else f"× {by}"
            why = "" if step.why is None else shown(words, step.why)
            return words.text("say.outcome-with-detail", title=less, detail=why) if why else less
        case _:
            return words.number(step.credits)
