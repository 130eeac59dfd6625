"""The JSON of the reverse questions: where idle outcomes would count, which exams outcomes help with."""

from typing import Any

from api.written import Message
from creditbank.conversion.decision import NowhereReason, decimal_text
from creditbank.conversion.exam_help import PartState
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import names_of
from creditbank.locale.pack_wording import shown
from creditbank.locale.reverse_wording import counts_in_line, exam_lines, waives_in_line
from creditbank.services.reverse import CountsIn, ExamAnswer, IdleAnswer, WaivesIn


class CountsInMessage(Message):
    """Another programme in which the outcome would count; `credits` are of all places that rest on it."""

    programme: str
    pack: str
    rule: str
    version: int
    places: tuple[str, ...]
    credits: str
    line: str

    @classmethod
    def of(cls, found: CountsIn, words: Catalogue) -> "CountsInMessage":
        return cls(
            programme=found.programme,
            pack=found.pack,
            rule=found.rule,
            version=found.version,
            places=tuple(shown(words, place) for place in found.places),
            credits=decimal_text(found.credits),
            line=counts_in_line(
                words,
                programme=found.title,
                places=found.places,
                credits_=found.credits,
                rule=f"{found.rule} v{found.version}",
            ),
        )


class WaivesInMessage(Message):
    """An exam of which parts rest on the outcome, registered already or waived if asked."""

    exam: str
    pack: str
    rule: str
    version: int
    parts: tuple[str, ...]
    line: str

    @classmethod
    def of(cls, found: WaivesIn, words: Catalogue) -> "WaivesInMessage":
        return cls(
            exam=found.exam,
            pack=found.pack,
            rule=found.rule,
            version=found.version,
            parts=tuple(shown(words, part) for part in found.parts),
            line=waives_in_line(
                words, exam=found.title, parts=found.parts, rule=f"{found.rule} v{found.version}"
            ),
        )


class IdleMessage(Message):
    """An outcome that counts for nothing here, why, and where it would count."""

    outcome: str
    reason: NowhereReason
    line: str
    counts_in: tuple[CountsInMessage, ...]
    waives_in: tuple[WaivesInMessage, ...] = ()


class NowhereMessage(Message):
    """Every outcome that is idle in a programme; `tried` counts the other programmes, `exams` the exams.

    `warnings` what was odd about the facts of the applicant.
    """

    programme: str
    as_of: str
    known_at: int
    tried: int
    exams: int = 0
    idle: tuple[IdleMessage, ...]
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: IdleAnswer, words: Catalogue) -> "NowhereMessage":
        answer = found.answer
        names = names_of(words, answer.place, answer.account, answer.packs, answer.institutions)
        lines = decision_lines(words, answer.decision, names).nowhere
        return cls(
            programme=answer.decision.programme,
            as_of=answer.decision.as_of.isoformat(),
            known_at=answer.decision.known_at,
            tried=found.tried,
            exams=found.exams,
            idle=tuple(
                IdleMessage(
                    outcome=one.nowhere.outcome,
                    reason=one.nowhere.reason,
                    line=line,
                    counts_in=tuple(CountsInMessage.of(where, words) for where in one.counts_in),
                    waives_in=tuple(WaivesInMessage.of(where, words) for where in one.waives_in),
                )
                for line, one in zip(lines, found.idle, strict=True)
            ),
            warnings=tuple(map(words.warning, found.warnings)),
        )


class PartMessage(Message):
    id: str
    state: PartState
    line: str
    reasons: tuple[str, ...]


class ExamMessage(Message):
    """An exam, part by part, and the decision about it; `warnings` as in a decision's answer."""

    exam: str
    helps: bool
    headline: str
    parts: tuple[PartMessage, ...]
    decision: dict[str, Any]
    warnings: tuple[str, ...] = ()


class ExamsMessage(Message):
    """Every exam of the library, those that the outcomes help with most first."""

    exams: tuple[ExamMessage, ...]

    @classmethod
    def of(cls, found: tuple[ExamAnswer, ...], words: Catalogue) -> "ExamsMessage":
        return cls(exams=tuple(_exam(one, words) for one in found))


def _exam(found: ExamAnswer, words: Catalogue) -> ExamMessage:
    said = exam_lines(
        words, found.help, names_of(words, found.place, found.account, found.packs, found.institutions)
    )
    return ExamMessage(
        exam=found.help.exam,
        helps=found.help.helps,
        headline=said.headline,
        parts=tuple(
            PartMessage(id=part.id, state=part.state, line=part.line, reasons=part.reasons)
            for part in said.parts
        ),
        decision=found.help.decision.as_json(),
        warnings=tuple(map(words.warning, found.warnings)),
    )
