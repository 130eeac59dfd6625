"""What if: an outcome more, another programme, another day. For one learner whole, for many what it changes.

Nothing is written. What one learner would be granted is the decision that would be made if the outcomes stood
in the account; what many would come to is found as for a change of rules (`policy_diff`).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic

from creditbank.conversion.decision import Decision, WaiverDecision
from creditbank.conversion.holding import Applicant, Holding
from creditbank.conversion.policy_diff import Compared, Shift, Side, shifts_between
from creditbank.identity.account_number import AccountNumber
from creditbank.services.applicants import unheard_of
from creditbank.services.bank import Bank
from creditbank.services.conversions import Answer, answer_to, stated_by
from creditbank.services.known import KnownAt, known_in, published_in
from creditbank.services.mentioned import institutions_in
from creditbank.services.policy_diff import Terms
from creditbank.services.questions import D, ExemptionQuestion, Question, WaiverQuestion
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import ExamId, InputWarning, Microseconds, ProgrammeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposition:
    """What is supposed; a member of None, or without outcomes, is left as it is."""

    outcomes: tuple[Holding, ...] = ()
    aim: ProgrammeId | ExamId | None = None
    as_of: date | None = None


NOTHING_SUPPOSED = Supposition()


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf(Generic[D]):
    """The answer as it is and as it would be, and what shifts from which rule to which.

    `warnings` are about facts that rules of either side ask for and rules of neither name.
    """

    before: Answer[D]
    after: Answer[D]
    shifts: tuple[Shift, ...]
    warnings: tuple[InputWarning, ...] = ()


def what_if_exempted(
    bank: Bank,
    number: AccountNumber,
    question: ExemptionQuestion,
    supposed: Supposition,
    *,
    applicant: Applicant,
    as_of: date | None = None,
    known_at: KnownAt | None = None,
) -> WhatIf[Decision]:
    """Answer which courses would be exempted beside which are.

    Raises:
        AccountUnknown, ProgrammeUnknown: one of them is not known here.
        AccountRedacted, HoldingInvalid, LogSizeInvalid, PackChanged, PackMissing: as `decide_for`.
    """
    aim = question.programme if supposed.aim is None else ProgrammeId(supposed.aim)
    after = replace(question, programme=aim)
    return _answered(bank, number, question, after, supposed, applicant, as_of, known_at)


def what_if_waived(
    bank: Bank,
    number: AccountNumber,
    question: WaiverQuestion,
    supposed: Supposition,
    *,
    applicant: Applicant,
    as_of: date | None = None,
    known_at: KnownAt | None = None,
) -> WhatIf[WaiverDecision]:
    """Answer which parts of an exam would be waived beside which are.

    Raises:
        AccountUnknown, ExamUnknown: one of them is not known here.
        AccountRedacted, HoldingInvalid, LogSizeInvalid, PackChanged, PackMissing: as `decide_for`.
    """
    aim = question.exam if supposed.aim is None else ExamId(supposed.aim)
    after = replace(question, exam=aim)
    return _answered(bank, number, question, after, supposed, applicant, as_of, known_at)


def compared_under(
    library: RuleLibrary, aim: ProgrammeId | ExamId, supposed: Supposition, terms: Terms, *, is_exam: bool
) -> Compared:
    """Return what a supposition changes for anybody, as `policy_diff.survey` takes it.

    Raises:
        ProgrammeUnknown, ExamUnknown: the library has no such programme or exam for that day.
    """
    day, known_at = terms.as_of, terms.known_at
    after_day = day if supposed.as_of is None else supposed.as_of
    after_aim = aim if supposed.aim is None else supposed.aim
    return Compared(
        id=after_aim,
        measure="parts" if is_exam else "credits",
        before=_side(library, aim, day, known_at, is_exam=is_exam),
        after=replace(
            _side(library, after_aim, after_day, known_at, is_exam=is_exam),
            as_of=after_day,
            supposed=supposed.outcomes,
        ),
    )


def library_of(
    bank: Bank, library: RuleLibrary, aims: Collection[ProgrammeId | ExamId]
) -> tuple[RuleLibrary, Microseconds]:
    """Return the rules that decisions about these go by now, and the instant of that.

    Raises:
        PackChanged, PackMissing: a published pack is not as it was, or not here.
    """
    authorities: Iterable[str] = {name for aim in aims for name in library.authorities_for(aim)}
    with bank.store.reading() as books:
        published, at = published_in(bank, books, authorities)
    return library.as_known(published), at


def _side(
    library: RuleLibrary, aim: ProgrammeId | ExamId, day: date, known_at: Microseconds, *, is_exam: bool
) -> Side:
    if is_exam:
        exam = ExamId(aim)
        return Side(
            place=library.exam(exam, as_of=day, known_at=known_at),
            packs=tuple(library.packs_for_exam(exam, known_at=known_at)),
        )
    programme = ProgrammeId(aim)
    return Side(
        place=library.programme(programme, as_of=day, known_at=known_at),
        packs=tuple(library.packs_for_programme(programme, known_at=known_at)),
    )


def _answered(
    bank: Bank,
    number: AccountNumber,
    before: Question[D],
    after: Question[D],
    supposed: Supposition,
    applicant: Applicant,
    as_of: date | None,
    known_at: KnownAt | None,
) -> WhatIf[D]:
    with bank.store.reading() as books:
        stated = stated_by(bank, books, number, applicant, before.library, known_at=known_at)
        authorities = {*before.authorities, *after.authorities}
        known = known_in(bank, books, number, authorities, known_at=known_at)
    day = as_of or bank.today()
    first: Answer[D] = answer_to(before, known, stated, as_of=day, solver=bank.solver)
    second: Answer[D] = answer_to(
        after,
        known,
        stated,
        as_of=day if supposed.as_of is None else supposed.as_of,
        planned=supposed.outcomes,
        solver=bank.solver,
    )
    return WhatIf(
        before=replace(first, institutions=institutions_in(bank, first.decision)),
        after=replace(second, institutions=institutions_in(bank, second.decision)),
        shifts=shifts_between(first.decision, second.decision),
        warnings=unheard_of((*first.packs, *second.packs), stated),
    )
