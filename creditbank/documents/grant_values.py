"""What a rule of a rule pack document gives, and the marks, as values that decisions are made from."""

from functools import partial

from creditbank.conversion.marking import GradeMark, MarkBand, MarkTable
from creditbank.conversion.rule import ExemptionGrant, GradePolicy, Pairing, WaiverGrant
from creditbank.documents.mark_models import GradeText, MarkTableText
from creditbank.documents.programme_values import course_filter, wording
from creditbank.documents.rule_pack_blame import within
from creditbank.documents.rule_pack_models import GrantText, PairingText, RuleText
from creditbank.terms import CourseId, PartId


def grant_of(text: RuleText) -> ExemptionGrant | WaiverGrant:
    """Return what a rule gives.

    Raises:
        RuleInvalid: it contradicts itself.
    """
    if text.waive is not None:
        parts = tuple(map(PartId, text.waive.parts))
        return within("waive", lambda: WaiverGrant(parts=parts))
    assert text.grant is not None, "the checks saw to it that a rule grants or waives"
    return within("grant", partial(_exemption_grant, text.grant))


def _exemption_grant(text: GrantText) -> ExemptionGrant:
    names_courses = text.courses or text.modules or text.classes or text.natures
    return ExemptionGrant(
        mode=text.mode,
        courses=course_filter(text) if names_courses else None,
        buckets=tuple(map(CourseId, text.buckets)),
        max_credits=text.max_credits,
        max_courses=text.max_courses,
        worth=text.worth,
        pairing=None if text.pairing is None else within("pairing", partial(_pairing, text.pairing)),
        is_leftover_only=text.leftover_only,
        with_credit=text.with_credit,
        grade=GradePolicy() if text.grade is None else within("grade", partial(_grade, text.grade)),
    )


def _pairing(text: PairingText) -> Pairing:
    return Pairing(
        max_above=text.max_above,
        max_below=text.max_below,
        is_same_code=text.same_code,
        hours_share=text.hours_share,
        names_course=text.names_course,
        names_outcome=text.names_outcome,
    )


def _grade(text: GradeText) -> GradePolicy:
    return GradePolicy(kind=text.kind, value=text.value, ceiling=text.ceiling, table=text.table)


def mark_table_of(text: MarkTableText) -> MarkTable:
    """Return a table of marks.

    Raises:
        RuleInvalid: it contradicts itself.
    """
    return MarkTable(
        id=text.id,
        title=wording(text.title),
        bands=tuple(MarkBand(least=band.from_, mark=band.mark) for band in text.bands),
        grades=tuple(GradeMark(grade=row.grade, mark=row.mark) for row in text.grades),
        cite=text.cite,
    )
