"""What a learner reads on a phone: outcomes, grants and decisions in short sentences with their figures.

The sentences are in the catalogues' section `say`; this module chooses them and fills them in.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import assert_never

from creditbank.account.body import ExemptionTarget, WaiverTarget
from creditbank.account.holdings import HeldGrant
from creditbank.account.step_body import StepMade
from creditbank.conversion.decision import RuleCited
from creditbank.conversion.equivalence import Equivalence
from creditbank.conversion.procedure import Step
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.worth_wording import worth_line
from creditbank.outcomes import Outcome
from creditbank.outcomes.award import Award
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.experience import Experience
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.outcomes.training import Training
from creditbank.terms import Wording

_SCHOOLING = "GB/T 4658"


def outcome_line(words: Catalogue, outcome: Outcome) -> str:
    """Return one line that says what was achieved, at what level or size, and on which day."""
    day = outcome.awarded_on
    match outcome:
        case Diploma(major=major, level=level):
            return words.text("say.diploma", major=major, level=level_name(words, level), day=day)
        case SkillCertificate(title=title, level=level, expires_on=expires_on):
            called = title if level is None else outcome_name(words, outcome)
            key = "say.skill-certificate" if expires_on is None else "say.skill-certificate-until"
            return words.text(key, certificate=called, day=day, until=expires_on)
        case CourseCredit(title=title, credits=credits):
            return words.text("say.course-credit", title=title, credits=words.credits(credits), day=day)
        case Training(title=title, hours=hours):
            return words.text("say.training", title=title, hours=hours, day=day)
        case Award(title=title, rank=rank, organiser_level=organiser):
            return words.text(
                "say.award",
                title=title,
                rank=named(words, "word.award-rank-", rank),
                organiser=named(words, "word.organiser-level-", organiser),
                day=day,
            )
        case Experience(form=form, title=title):
            return words.text(
                "say.experience",
                form=named(words, "word.experience-form-", form),
                title=title,
                started=outcome.started_on,
                day=day,
            )
        case _:
            assert_never(outcome)


def outcome_name(words: Catalogue, outcome: Outcome) -> str:
    """Return what an outcome is called within a sentence: its title, and its level where it has one."""
    match outcome:
        case (
            Diploma(major=title, level=FrameworkLevel() as level)
            | SkillCertificate(title=title, level=FrameworkLevel() as level)
        ):
            return words.text("say.outcome-with-detail", title=title, detail=level_name(words, level))
        case _:
            return words.text("say.outcome", title=outcome.title)


def level_name(words: Catalogue, level: FrameworkLevel) -> str:
    """Return a level as people say it: GB/T 4658 by name; the others are words already."""
    return (
        named(words, "word.education-level-", level.level) if level.framework == _SCHOOLING else level.level
    )


def step_line(words: Catalogue, step: StepMade) -> str:
    """Return a step that was made: what it is, the day, and by whom."""
    return words.text(
        "say.step-made" if step.by else "say.step-made-on", step=step.title, day=step.on, by=step.by
    )


def waiting_line(words: Catalogue, cited: RuleCited, step: Step, titles: Iterable[Wording]) -> str:
    """Return what a rule grants that is not registered yet, for which step it waits, and what to do then."""
    return words.text(
        "word.grants-waiting",
        titles=words.listed(words.text("say.outcome", title=one) for one in titles),
        rule=cited.rule,
        step=step.id,
        title=step.title,
    )


def grant_line(words: Catalogue, grant: HeldGrant) -> str:
    """Return one line: what is exempted or waived, on what evidence, and why if it no longer holds."""
    said = _granted_line(words, grant)
    if grant.granted.worths:
        worths = (worth_line(words, one, f"#{one.outcome}") for one in grant.granted.worths)
        said = words.text("say.grant-worth", grant=said, worths=words.sentences(worths))
    if grant.granted.procedure:
        steps = " → ".join(step_line(words, step) for step in grant.granted.procedure)
        said = words.text("say.grant-procedure", grant=said, steps=steps)
    match grant.status:
        case "active":
            return said
        case "suspended":
            reason = named(words, "word.because-", grant.reason or "")
            return words.text("say.grant-suspended", grant=said, outcome=grant.because or "", reason=reason)
        case "reversed":
            return words.text("say.grant-reversed", grant=said, reason=grant.reason or "")
        case "substituted":
            return words.text("say.grant-substituted", grant=said, substitute=grant.substitute or "")
        case _:
            assert_never(grant.status)


def equivalence_line(words: Catalogue, found: Equivalence) -> str:
    """Return one line: what stands for which courses of which programme, under which rule, until when."""
    asked = " + ".join(
        f"{named(words, 'word.kind-', kind)} {'/'.join(codes)}".strip() for kind, codes in found.asked
    )
    given = words.listed(f"{words.wording(one.title)}({words.credits(one.credits)})" for one in found.given)
    said = words.text(
        f"say.equivalence-{found.mode}",
        asked=asked,
        given=given,
        programme=found.programme.title,
        rule=f"{found.pack.id} {found.rule.id} v{found.rule.version}",
    )
    until, basis = found.rule.effective_to, found.pack.date_basis
    if basis == "application":
        held = None if until is None else words.text("say.equivalence-until", day=until)
    elif until is None:
        held = words.text(f"say.equivalence-by-{basis}", since=found.rule.effective_from)
    else:
        held = words.text(f"say.equivalence-between-{basis}", since=found.rule.effective_from, day=until)
    return said if held is None else words.clauses([said, held])


def named(words: Catalogue, prefix: str, code: str) -> str:
    """Return what a code is called: the label `prefix` + `code`, or the code itself where there is none."""
    key = prefix + code
    return words.text(key) if words.has(key) else code


def _granted_line(words: Catalogue, held: HeldGrant) -> str:
    granted = held.granted
    evidence = words.listed(f"#{outcome}" for outcome in held.evidence)
    rule = f"{granted.rule} v{granted.rule_version}"
    match granted.target:
        case ExemptionTarget(title=title, with_credit=True, credits=credits):
            return words.text(
                "say.exempted",
                course=title,
                credits=words.credits(Decimal(credits)),
                rule=rule,
                evidence=evidence,
            )
        case ExemptionTarget(title=title):
            return words.text("say.exempted-without-credit", course=title, rule=rule, evidence=evidence)
        case WaiverTarget(exam=exam, title=title):
            return words.text("say.waived", part=title, exam=exam, rule=rule, evidence=evidence)
        case _:
            assert_never(granted.target)
