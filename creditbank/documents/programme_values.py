"""From the members of a document to programmes and exams, and to what things are called."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal

from creditbank.conversion.premise import AttributeTest
from creditbank.conversion.programme import (
    Bucket,
    Cap,
    Course,
    CourseFilter,
    Exam,
    Part,
    PartCap,
    Programme,
    ProgrammeInvalid,
    Requirement,
)
from creditbank.documents.atoms import WordingText
from creditbank.documents.programme_models import (
    BucketText,
    CapText,
    CourseFilterText,
    CourseText,
    ExamText,
    PartCapText,
    PartText,
    ProgrammeText,
    RequirementText,
)
from creditbank.documents.rule_pack_blame import each
from creditbank.documents.rule_pack_models import AttributeTitleText
from creditbank.terms import CourseId, ExamId, IssuerId, PartId, ProgrammeId, Wording


def wording(text: WordingText) -> Wording:
    return Wording(zh=text.zh, en=text.en)


def optional_wording(text: WordingText | None) -> Wording | None:
    return None if text is None else wording(text)


def course_filter(text: CourseFilterText) -> CourseFilter:
    return CourseFilter(
        courses=frozenset(map(CourseId, text.courses)),
        modules=frozenset(text.modules),
        classes=frozenset(text.classes),
        natures=frozenset(text.natures),
    )


def programme(text: ProgrammeText, *, step: Decimal) -> Programme:
    """Return the programme; `step` is that of the pack, to which shares of its credits are rounded.

    Raises:
        ProgrammeInvalid: it contradicts itself.
    """
    return Programme(
        id=ProgrammeId(text.id),
        title=wording(text.title),
        credits=text.credits,
        courses=tuple(map(_course, text.courses)),
        version=text.version,
        effective_from=text.effective_from,
        effective_to=text.effective_to,
        major=text.major,
        level=text.level,
        study_form=text.study_form,
        buckets=tuple(map(_bucket, text.buckets)),
        requirements=each(
            "requirements", text.requirements, lambda one: _requirement(one, _required(one, text, step))
        ),
        caps=tuple(map(_cap, text.caps)),
        cite=text.cite,
    )


def exam(text: ExamText) -> Exam:
    """Return the exam.

    Raises:
        ProgrammeInvalid: it contradicts itself.
    """
    return Exam(
        id=ExamId(text.id),
        title=wording(text.title),
        parts=tuple(map(_part, text.parts)),
        version=text.version,
        effective_from=text.effective_from,
        effective_to=text.effective_to,
        major=text.major,
        level=text.level,
        caps=tuple(map(_part_cap, text.caps)),
        cite=text.cite,
    )


def _course(text: CourseText) -> Course:
    return Course(
        id=CourseId(text.id),
        title=wording(text.title),
        credits=text.credits,
        module=text.module,
        course_class=text.class_,
        nature=text.nature,
        exemptible=text.exemptible,
        why_not=optional_wording(text.why_not),
        exempt_for=frozenset(text.exempt_for),
        is_said_exemptible=text.exemptible and "exemptible" in text.model_fields_set,
        hours=text.hours,
        practice_hours=text.practice_hours,
    )


def _bucket(text: BucketText) -> Bucket:
    return Bucket(
        id=CourseId(text.id),
        title=wording(text.title),
        capacity=text.capacity,
        module=text.module,
        accepts=frozenset(text.accepts),
        hours=text.hours,
        practice_hours=text.practice_hours,
    )


def _requirement(text: RequirementText, minimum: Decimal | None) -> Requirement:
    return Requirement(
        measure=text.measure,
        minimum=minimum,
        maximum=text.maximum,
        share=text.share,
        module=text.module,
        kinds=frozenset(text.kinds),
        issuers=frozenset(map(IssuerId, text.issuers)),
        attributes=tuple(AttributeTest(attribute=test.name, one_of=test.one_of) for test in text.attributes),
        title=optional_wording(text.title),
        cite=text.cite,
    )


def _required(text: RequirementText, of: ProgrammeText, step: Decimal) -> Decimal | None:
    """Return the minimum: written as such, as `credits`, short for one of credits, or as a share of them."""
    stated = [one for one in (text.minimum, text.credits, text.share) if one is not None]
    if len(stated) > 1 or (text.minimum is None and stated and text.measure != "credits"):
        raise ProgrammeInvalid("requirement-minimum", measure=text.measure)
    if text.share is not None:
        return least_of_share(text.share, of.credits, step)
    return next(iter(stated), None)


def least_of_share(share: Decimal, whole: Decimal, step: Decimal) -> Decimal:
    """Return the least multiple of `step` that is no less than the share of the whole."""
    return (share * whole / step).to_integral_value(ROUND_CEILING) * step


def _cap(text: CapText) -> Cap:
    return Cap(
        id=text.id,
        title=wording(text.title),
        measure=text.measure,
        maximum=text.maximum,
        share=text.share,
        share_of_module=text.share_of_module,
        courses=None if text.courses is None else course_filter(text.courses),
        buckets=None if text.buckets is None else frozenset(map(CourseId, text.buckets)),
        routes=frozenset(text.routes),
        kinds=frozenset(text.kinds),
        issuers=frozenset(map(IssuerId, text.issuers)),
        periods=tuple((period.month, period.day) for period in text.periods),
        period_by=text.period_by,
        per=text.per,
        cite=text.cite,
    )


def _part(text: PartText) -> Part:
    return Part(
        id=PartId(text.id),
        title=wording(text.title),
        waivable=text.waivable,
        why_not=optional_wording(text.why_not),
    )


def _part_cap(text: PartCapText) -> PartCap:
    return PartCap(
        id=text.id,
        title=wording(text.title),
        maximum=text.maximum,
        parts=frozenset(map(PartId, text.parts)),
        routes=frozenset(text.routes),
        cite=text.cite,
    )


def attribute_titles(texts: Iterable[AttributeTitleText]) -> Mapping[str, Wording]:
    """Return what attributes are called, by name, and what their values are, by `name=value`."""
    titles = {text.name: wording(text.title) for text in texts}
    values = {f"{text.name}={one.value}": wording(one.title) for text in texts for one in text.values}
    return titles | values
