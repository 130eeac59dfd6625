"""`creditbank decide what-if`: one outcome more, another programme or day, for one learner or many."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated

import typer

from creditbank.account.facts import facts_of
from creditbank.cli.asking import (
    AsOf,
    EnrolledAt,
    Facts,
    KnownAtOption,
    QuestionInvalid,
    day_of,
    known_at_of,
    with_facts,
)
from creditbank.cli.output import NEGATIVE, console, print_json, print_warnings, progress
from creditbank.cli.rules_diff import Effect, effect_members, print_effect
from creditbank.cli.session import JsonOption, Session, session_of
from creditbank.cli.supposed import Processes, Registered, WhomArgument, supposed_outcomes, whom
from creditbank.conversion.decision import json_members
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Applicant, Holding
from creditbank.conversion.policy_diff import Measure, RuleTotals
from creditbank.conversion.rule import RulePack
from creditbank.identity.account_number import AccountNumber
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import Names, names_of
from creditbank.locale.what_if_wording import idle_lines, shift_line, with_supposed
from creditbank.rulepacks.library import Library
from creditbank.services.bank import Bank
from creditbank.services.conversions import Answer
from creditbank.services.policy_diff import Terms, explained, survey
from creditbank.services.questions import AimUnclear, D, ExemptionQuestion, WaiverQuestion
from creditbank.services.what_if import (
    NOTHING_SUPPOSED,
    Supposition,
    WhatIf,
    compared_under,
    library_of,
    what_if_exempted,
    what_if_waived,
)
from creditbank.terms import ExamId, ProgrammeId

Programme = Annotated[str | None, typer.Option(help="专业培养方案编号 · programme")]
Exam = Annotated[str | None, typer.Option(help="考试编号 · exam")]


def what_if(
    context: typer.Context,
    who: WhomArgument,
    programme: Programme = None,
    exam: Exam = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            metavar="成果_OUTCOME",
            help="再有一项成果，如 code=CD-X-JTNC,level=中级,awarded_on=2026-03-01 · one outcome more",
        ),
    ] = None,
    instead: Annotated[
        str | None, typer.Option(help="换成这个专业或考试 · this programme or exam instead")
    ] = None,
    instead_as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="换成这一天 · this day instead")
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAtOption = None,
    enrolled_at: EnrolledAt = None,
    fact: Facts = None,
    from_nothing: Registered = False,
    processes: Processes = None,
    limit: Annotated[int, typer.Option(min=0, help="列出多少人 · how many learners are listed")] = 20,
    as_json: JsonOption = False,
) -> None:
    """再有一项成果、换专业、换日期，会多免什么 · one outcome more, another programme or day."""
    session = session_of(context)
    asking = _Asking.begun(
        session, aim_of(programme, exam), is_exam=exam is not None, instead=instead, day=day_of(as_of)
    )
    asking.suppose(add or [], instead, day_of(instead_as_of))
    asking.applicant = with_facts(Applicant(enrolled_at=enrolled_at), fact or [])
    asked = whom(asking.bank, who)
    if not asked.is_class:
        has_changed = asking.print_one(asked.numbers[0], known_at, as_json=as_json)
    elif known_at is not None:
        raise QuestionInvalid("class-known-at", field="known_at")
    else:
        effect = asking.effect(asked.numbers, from_nothing=from_nothing, processes=processes)
        _print_class(session.words, effect, limit=limit, as_json=as_json)
        has_changed = bool(effect.differences)
    raise typer.Exit(0 if has_changed else NEGATIVE)


def aim_of(programme: str | None, exam: str | None) -> ProgrammeId | ExamId:
    """Return what the question is about.

    Raises:
        AimUnclear: not exactly one is given.
    """
    if (programme is None) == (exam is None):
        raise AimUnclear("aim-unclear", field="programme")
    return ProgrammeId(programme) if programme is not None else ExamId(exam or "")


@dataclass(slots=True, kw_only=True)
class _Asking:
    """One question as it is put together."""

    session: Session
    bank: Bank
    library: Library
    aim: ProgrammeId | ExamId
    is_exam: bool
    day: date
    packs: Sequence[RulePack]
    supposed: Supposition = NOTHING_SUPPOSED
    applicant: Applicant = NOBODY_IN_PARTICULAR

    @classmethod
    def begun(
        cls,
        session: Session,
        aim: ProgrammeId | ExamId,
        *,
        is_exam: bool,
        instead: str | None,
        day: date | None,
    ) -> "_Asking":
        bank, library = session.bank(), session.library()
        meant = aim if instead is None else instead
        packs = (
            library.packs_for_exam(ExamId(meant))
            if is_exam
            else library.packs_for_programme(ProgrammeId(meant))
        )
        return cls(
            session=session,
            bank=bank,
            library=library,
            aim=aim,
            is_exam=is_exam,
            day=day or bank.today(),
            packs=packs,
        )

    def suppose(self, add: Sequence[str], instead: str | None, as_of: date | None) -> None:
        self.supposed = Supposition(
            outcomes=supposed_outcomes(add, self.packs, on=as_of or self.day),
            aim=None if instead is None else ProgrammeId(instead),
            as_of=as_of,
        )
        if self.supposed == NOTHING_SUPPOSED:
            raise QuestionInvalid("supposed-nothing", field="add")

    def print_one(self, number: AccountNumber, known_at: str | None, *, as_json: bool) -> bool:
        """Print what changes for one learner; return whether anything does."""
        known = None if known_at is None else known_at_of(known_at)
        words, outcomes = self.session.words, self.supposed.outcomes
        if self.is_exam:
            waived = what_if_waived(
                self.bank,
                number,
                WaiverQuestion(library=self.library, exam=ExamId(self.aim)),
                self.supposed,
                applicant=self.applicant,
                as_of=self.day,
                known_at=known,
            )
            _print_one(words, waived, outcomes, "parts", as_json=as_json)
            return bool(waived.shifts)
        found = what_if_exempted(
            self.bank,
            number,
            ExemptionQuestion(library=self.library, programme=ProgrammeId(self.aim)),
            self.supposed,
            applicant=self.applicant,
            as_of=self.day,
            known_at=known,
        )
        _print_one(words, found, outcomes, "credits", as_json=as_json)
        return bool(found.shifts)

    def effect(
        self, numbers: Sequence[AccountNumber], *, from_nothing: bool, processes: int | None
    ) -> Effect:
        """Find what changes for many, with bars."""
        rules, at = library_of(self.bank, self.library, {self.aim, self.supposed.aim or self.aim})
        terms = Terms(
            as_of=self.day,
            known_at=at,
            facts=facts_of(self.applicant),
            keeps_registered=not from_nothing,
            processes=processes or os.cpu_count() or 1,
            at_hand=self.library,
        )
        compared = compared_under(rules, self.aim, self.supposed, terms, is_exam=self.is_exam)
        words = self.session.words
        with progress(words.text("word.what-if-deciding"), total=len(numbers)) as step:
            found = survey(self.bank, numbers, [compared], terms, on_progress=step)
        with progress(words.text("word.what-if-explaining"), total=len(found.differing)) as step:
            differences = tuple(explained(found, terms, on_progress=step))
        by_rule: dict[Measure, RuleTotals] = {"credits": RuleTotals(), "parts": RuleTotals()}
        for one in differences:
            by_rule[one.measure].count(one.shifts)
        return Effect(terms=terms, found=found, differences=differences, by_rule=by_rule)


def _print_one(
    words: Catalogue, found: WhatIf[D], supposed: Sequence[Holding], measure: Measure, *, as_json: bool
) -> None:
    if as_json:
        print_json(
            {
                "before": found.before.decision.as_json(),
                "after": found.after.decision.as_json(),
                "shifts": [json_members(shift) for shift in found.shifts],
                "warnings": [words.warning(one) for one in found.warnings],
            }
        )
        return
    print_warnings(words, found.warnings)
    for heading, answer, outcomes in (
        ("word.what-if-now", found.before, ()),
        ("word.what-if-then", found.after, supposed),
    ):
        console.print(words.text(heading), style="bold")
        names = with_supposed(words, _names(words, answer), outcomes)
        said = decision_lines(words, answer.decision, names)
        console.print(f"  {said.headline}")
        for line in said.grants:
            console.print(f"  · {line}", style="green")
    console.print(words.text("word.what-if-changes"), style="bold")
    names = _names(words, found.after)
    places = {**_names(words, found.before).places, **names.places}
    for shift in found.shifts:
        line = shift_line(words, shift, measure, replace(names, places=places))
        console.print(f"  · {line}", style="green" if shift.change > 0 else "yellow")
    if not found.shifts:
        console.print(f"  {words.text('word.what-if-nothing')}")
        for line in idle_lines(words, found.after.decision, with_supposed(words, names, supposed), supposed):
            console.print(f"  · {line}", style="yellow")


def _names(words: Catalogue, answer: Answer[D]) -> Names:
    return names_of(words, answer.place, answer.account, answer.packs, answer.institutions)


def _print_class(words: Catalogue, effect: Effect, *, limit: int, as_json: bool) -> None:
    if as_json:
        print_json(effect_members(words, effect))
    else:
        print_effect(words, effect, limit=limit)
