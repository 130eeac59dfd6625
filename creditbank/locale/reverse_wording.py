"""Where an idle outcome would count, and what an exam takes, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from creditbank.conversion.exam_help import ExamHelp, HelpedPart, PartState
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.decision_wording import DecisionWords, decision_lines
from creditbank.locale.naming import NAMELESS, Names
from creditbank.locale.pack_wording import shown
from creditbank.terms import Wording

_REASONS_SHOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PartWords:
    """One part: how near it is, and by what or what lacks."""

    id: str
    state: PartState
    line: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamWords:
    """One exam in words."""

    headline: str
    parts: tuple[PartWords, ...]


def counts_in_line(
    words: Catalogue, *, programme: Wording, places: Iterable[Wording], credits_: Decimal, rule: str
) -> str:
    """Return one line: in which programme an outcome would count, for what, how much, by which rule."""
    return words.text(
        "say.counts-in",
        programme=shown(words, programme),
        places=words.listed(words.text("say.outcome", title=shown(words, place)) for place in places),
        credits=words.credits(credits_),
        rule=rule,
    )


def waives_in_line(words: Catalogue, *, exam: Wording, parts: Iterable[Wording], rule: str) -> str:
    """Return one line: of which exam which parts rest on an outcome, by which rule."""
    return words.text(
        "say.waives-in",
        exam=shown(words, exam),
        parts=words.listed(words.text("say.outcome", title=shown(words, part)) for part in parts),
        rule=rule,
    )


def exam_lines(words: Catalogue, found: ExamHelp, names: Names = NAMELESS) -> ExamWords:
    """Put what an exam takes into words."""
    decision = decision_lines(words, found.decision, names)
    return ExamWords(
        headline=words.text(
            "say.exam-help",
            title=shown(words, found.title),
            parts=len(found.parts),
            waived=found.count("registered", "waived"),
            near=found.count("nearly"),
        ),
        parts=tuple(
            PartWords(
                id=part.id,
                state=part.state,
                line=words.text(f"say.exam-part-{part.state}", title=shown(words, part.title)),
                reasons=tuple(_reasons(part, decision)),
            )
            for part in found.parts
        ),
    )


def _reasons(part: HelpedPart, decision: DecisionWords) -> Sequence[str]:
    if part.waiver is not None:
        return [decision.grants[part.waiver]]
    return [decision.refusals[at] for at in part.refusals[:_REASONS_SHOWN]]
