"""Run a pack's examples: each is decided under the pack alone and compared with what it expects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Decision, Need, WaiverDecision, decimal_text
from creditbank.conversion.pack import Example, ExpectedMiss, Pack, PackFinding
from creditbank.conversion.waivers import decide_waivers
from creditbank.errors import InvalidInput
from creditbank.terms import Progress, RuleId


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleRun:
    """One example, what was decided (None: it could not be), and where that is not what it expects."""

    example: Example
    decision: Decision | WaiverDecision | None
    findings: tuple[PackFinding, ...]

    @property
    def granted(self) -> frozenset[RuleId]:
        """The rules that granted something."""
        match self.decision:
            case Decision(exemptions=exemptions):
                return frozenset(one.cited.rule for one in exemptions)
            case WaiverDecision(waivers=waivers):
                return frozenset(one.cited.rule for one in waivers)
            case None:
                return frozenset()


def run_examples(pack: Pack, *, on_progress: Progress = lambda _: None) -> tuple[ExampleRun, ...]:
    """Return a run of every example of the pack, in its order; an example that fails has findings.

    `on_progress` is told 1 after each.
    """
    runs = []
    for index, example in enumerate(pack.examples):
        runs.append(_run(pack, index, example))
        on_progress(1)
    return tuple(runs)


def _run(pack: Pack, index: int, example: Example) -> ExampleRun:
    path = ("example", index)
    outside = () if pack.is_effective(example.as_of) else (_outside(pack, example, path),)
    try:
        decision = _decide(pack, example)
    except InvalidInput as error:
        if outside:
            return ExampleRun(example=example, decision=None, findings=outside)
        finding = PackFinding(
            code=error.reason,
            severity="error",
            path=path,
            values={"example": example.name, "at": error.field, **error.values},
        )
        return ExampleRun(example=example, decision=None, findings=(finding,))
    found = tuple(
        PackFinding(
            code="example-failed",
            severity="error",
            path=(*path, what),
            values={"pack": pack.id, "example": example.name, "what": what, "expected": wanted, "got": got},
        )
        for what, wanted, got in _differences(example, decision)
    ) + tuple(_other_marks(pack, example, decision, path))
    return ExampleRun(example=example, decision=decision, findings=outside if found and outside else found)


def _outside(pack: Pack, example: Example, path: tuple[str | int, ...]) -> PackFinding:
    """Say that the pack is not in force on the example's day: that is why it comes out wrong."""
    values = {
        "example": example.name,
        "as_of": example.as_of,
        "effective_from": pack.effective_from,
        "effective_to": pack.effective_to or "—",
    }
    return PackFinding(code="example-outside-pack", severity="error", path=(*path, "as_of"), values=values)


def _decide(pack: Pack, example: Example) -> Decision | WaiverDecision:
    if example.exam is not None:
        exam = pack.exam(example.exam, as_of=example.as_of)
        if exam is None:
            raise InvalidInput("exam-unknown", field="exam", id=example.exam)
        return decide_waivers(
            [pack],
            example.holdings,
            exam,
            as_of=example.as_of,
            known_at=example.known_at,
            applicant=example.applicant,
        )
    assert example.programme is not None, "an example is about a programme or an exam"
    programme = pack.programme(example.programme, as_of=example.as_of)
    if programme is None:
        raise InvalidInput("programme-unknown", field="programme", id=example.programme)
    return decide_exemptions(
        [pack],
        example.holdings,
        programme,
        as_of=example.as_of,
        known_at=example.known_at,
        applicant=example.applicant,
        gains=False,
    )


def _differences(example: Example, decision: Decision | WaiverDecision) -> Iterator[tuple[str, str, str]]:
    match decision:
        case Decision():
            rules = {one.cited.rule for one in decision.exemptions}
            courses = {one.target for one in decision.exemptions}
            if example.credits is not None and example.credits != decision.credits:
                yield "credits", decimal_text(example.credits), decimal_text(decision.credits)
            if example.courses is not None and example.courses != courses:
                yield "courses", _listed(example.courses), _listed(courses)
        case WaiverDecision():
            rules = {one.cited.rule for one in decision.waivers}
            parts = {one.part for one in decision.waivers}
            if example.parts is not None and example.parts != parts:
                yield "parts", _listed(example.parts), _listed(parts)
    if example.rules is not None and example.rules != rules:
        yield "rules", _listed(example.rules), _listed(rules)
    for miss in example.near:
        needs = [
            need for refusal in decision.refusals if refusal.cited.rule == miss.rule for need in refusal.needs
        ]
        if not any(_is_missed(miss, need) for need in needs):
            got = " · ".join(_need_text(need.attribute, need.have, need.need) for need in needs)
            yield "near", f"{miss.rule}: {_need_text(miss.attribute, miss.have, miss.need)}", got or "—"


def _other_marks(
    pack: Pack, example: Example, decision: Decision | WaiverDecision, path: tuple[str | int, ...]
) -> Iterator[PackFinding]:
    """Yield the courses that are exempted with another mark than is expected, or not at all."""
    granted = decision.exemptions if isinstance(decision, Decision) else ()
    marks = {one.target: one.mark or "" for one in granted}
    for course, wanted in example.marks:
        got = marks.get(course)
        if got == wanted:
            continue
        yield PackFinding(
            code="example-mark-unexempted" if got is None else "example-mark",
            severity="error",
            path=(*path, "marks", course),
            values={
                "pack": pack.id,
                "example": example.name,
                "course": course,
                "expected": wanted or "—",
                "got": got or "—",
            },
        )


def _is_missed(miss: ExpectedMiss, need: Need) -> bool:
    return (
        miss.attribute == need.attribute
        and (miss.have is None or _same(miss.have, need.have))
        and (miss.need is None or _same(miss.need, need.need))
    )


def _same(expected: str, got: str | None) -> bool:
    return got is not None and expected == got


def _need_text(attribute: str, have: str | None, need: str | None) -> str:
    """Say what is missing; of what is expected only the attribute, where only that is written."""
    return attribute if have is None and need is None else f"{attribute} {have or '—'} → {need or '—'}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "—"
