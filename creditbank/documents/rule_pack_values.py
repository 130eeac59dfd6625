"""From the members of a rule pack document to the values that decisions are made from.

Expects a document whose references have been checked (`rule_pack_checks`). What the values themselves
refuse becomes a finding at the table that it was written in.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TypeVar

from creditbank.conversion.declared import DeclaredFact, stated_text
from creditbank.conversion.holding import Applicant, Holding
from creditbank.conversion.pack import Aim, Example, ExpectedMiss, Pack, PackFinding, PackInvalid
from creditbank.conversion.premise import AttributeTest, FactTest, Pattern, Premise
from creditbank.conversion.procedure import Step
from creditbank.conversion.programme import ProgrammeInvalid
from creditbank.conversion.recognition import Deduction, Downgrade, RecognitionTable, WorthRow
from creditbank.conversion.rule import (
    Citation,
    Rule,
    Scale,
    Scope,
)
from creditbank.conversion.span import Span, parse_span
from creditbank.conversion.void import VoidIf
from creditbank.documents.atoms import LevelText
from creditbank.documents.grant_values import grant_of, mark_table_of
from creditbank.documents.programme_models import ExamText, ProgrammeText
from creditbank.documents.programme_values import (
    attribute_titles,
    exam,
    optional_wording,
    programme,
    wording,
)
from creditbank.documents.rule_pack_blame import blamed, each, within
from creditbank.documents.rule_pack_models import (
    ApplicantText,
    AttributeText,
    CitationText,
    DeductionText,
    DowngradeText,
    ExampleText,
    FactText,
    OutcomeText,
    PatternText,
    PremiseText,
    RecognitionText,
    RulePackText,
    RuleText,
    ScopeText,
    VoidText,
    WorthRowText,
)
from creditbank.documents.toml_lines import Path
from creditbank.errors import InvalidInput
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import (
    CourseId,
    ExamId,
    IssuerId,
    Microseconds,
    OutcomeId,
    PackId,
    PartId,
    ProgrammeId,
    RuleId,
    microseconds,
)

Text = TypeVar("Text")
Built = TypeVar("Built")


def pack_of(text: RulePackText, *, digest: str) -> Pack | list[PackFinding]:
    """Return the pack, or everything that keeps the document from being one."""
    return _Building(text).pack(digest)


@dataclass
class _Building:
    text: RulePackText
    findings: list[PackFinding] = field(default_factory=list)

    def pack(self, digest: str) -> Pack | list[PackFinding]:
        text = self.text
        scales = self._each(
            "scale", text.scale, lambda scale: Scale(framework=scale.framework, levels=scale.levels)
        )
        facts = self._each(
            "fact",
            text.fact,
            lambda one: DeclaredFact(name=one.name, kind=one.kind),
        )
        tables = self._each("recognition", text.recognition, self._table)
        mark_tables = self._each("mark_table", text.mark_table, mark_table_of)
        programmes = self._each(
            "programme", text.programme, lambda one: self._dated(one, programme(one, step=text.step))
        )
        exams = self._each("exam", text.exam, lambda one: self._dated(one, exam(one)))
        rules = self._each("rule", text.rule, self._rule)
        examples = self._each("example", text.example, self._example)
        try:
            pack = Pack(
                id=PackId(text.id),
                digest=digest,
                authority=text.authority,
                title=wording(text.title),
                about=wording(text.about),
                is_official=text.official,
                published_at=microseconds(text.published_at),
                effective_from=text.effective_from,
                effective_to=text.effective_to,
                date_basis=text.date_basis,
                step=text.step,
                citations={cited.id: _citation(cited) for cited in text.citation},
                scales={scale.framework: scale for scale in scales},
                attributes=attribute_titles((*text.attribute, *text.fact)),
                facts={fact.name: fact for fact in facts},
                tables={table.id: table for table in tables},
                mark_tables={table.id: table for table in mark_tables},
                programmes=programmes,
                exams=exams,
                rules=rules,
                examples=examples,
            )
        except PackInvalid as error:
            self._refused(_OF_PACK.get(error.reason, ()), error)
            stated = {
                index for index, rule in enumerate(text.rule) if rule.effective_from or rule.effective_to
            }
            self.findings = [one for one in self.findings if not _is_only_the_packs(one, stated)]
        return self.findings or pack

    def _each(self, key: str, texts: Iterable[Text], build: Callable[[Text], Built]) -> tuple[Built, ...]:
        built = []
        for index, text in enumerate(texts):
            try:
                built.append(build(text))
            except InvalidInput as error:
                self._refused((key, index, *blamed(text, error)), error)
        return tuple(built)

    def _dated(self, text: ProgrammeText | ExamText, built: Aim) -> Aim:
        """Return a programme or exam, unless it ends before its pack begins and begins with it."""
        if text.effective_to is not None and text.effective_to <= (
            text.effective_from or self.text.effective_from
        ):
            raise ProgrammeInvalid("programme-dates", field=text.id)
        return built

    def _refused(self, path: Path, error: InvalidInput) -> None:
        values = error.values if error.field is None else {"at": error.field, **error.values}
        self.findings.append(PackFinding(code=error.reason, severity="error", path=path, values=values))

    @property
    def _tables(self) -> Mapping[str, RecognitionText]:
        return {table.id: table for table in self.text.recognition}

    def _level(self, text: LevelText) -> FrameworkLevel:
        framework = text.framework
        if framework is None:
            framework = next(
                scale.framework
                for scale in self.text.scale
                if any(text.level in equal for equal in scale.levels)
            )
        return FrameworkLevel(framework=framework, level=text.level)

    def _pattern(self, text: PatternText) -> Pattern:
        return Pattern(
            kind=text.kind,
            codes=frozenset(text.codes),
            min_levels=tuple(map(self._level, text.min_level or ())),
            min_score=text.min_score,
            min_grade=None if text.min_grade is None else self._level(text.min_grade),
            min_hours=text.min_hours,
            min_credits=text.min_credits,
            max_age=_span("max_age", text.max_age),
            min_age=_span("min_age", text.min_age),
            issuers=frozenset(map(IssuerId, text.issuers)),
            attributes=each("attributes", text.attributes, self._test),
        )

    def _test(self, text: AttributeText) -> AttributeTest:
        return AttributeTest(
            attribute=text.name,
            one_of=text.one_of,
            at_least=None if text.at_least is None else self._level(text.at_least),
            at_most=text.at_most,
            more_than=text.more_than,
            no_less_than=text.no_less_than,
        )

    def _table(self, text: RecognitionText) -> RecognitionTable:
        return RecognitionTable(
            id=text.id,
            title=wording(text.title),
            rows=each("rows", text.rows, self._row),
            deductions=each("deductions", text.deductions, self._deduction),
            downgrades=each("downgrades", text.downgrades, self._downgrade),
            maximum=text.maximum,
            within=None if text.within is None else self._table(self._tables[text.within]),
            families=tuple(map(frozenset, text.families)),
            is_once_per_code=text.once_per_code,
            cite=text.cite,
        )

    def _row(self, text: WorthRowText) -> WorthRow:
        return WorthRow(
            pattern=self._pattern(text),
            credits=text.credits,
            hours_per_credit=text.hours_per_credit,
            of_stated=text.of_stated,
            is_by_issuers_hours=text.hours_by_issuer,
            of_attribute=text.of_attribute,
            per_credit=text.per_credit,
        )

    def _deduction(self, text: DeductionText) -> Deduction:
        return Deduction(
            pattern=self._pattern(text), why=wording(text.why), credits=text.credits, part=text.part
        )

    def _downgrade(self, text: DowngradeText) -> Downgrade:
        return Downgrade(
            pattern=self._pattern(text),
            attribute=text.attribute,
            scale=text.scale,
            steps=text.steps,
            why=wording(text.why),
        )

    def _premise(self, text: PremiseText) -> Premise:
        return Premise(
            pattern=self._pattern(text),
            use=text.use,
            worth=text.worth,
            awarded_since=text.awarded_since,
            awarded_before=text.awarded_before,
            for_good=text.for_good,
        )

    def _void(self, text: VoidText) -> VoidIf:
        members = text.model_dump(exclude={"say", "attributes"})
        pattern = self._pattern(PatternText(**members, attributes=text.attributes))
        return VoidIf(pattern=pattern, say=wording(text.say))

    def _rule(self, text: RuleText) -> Rule:
        pack = self.text
        return Rule(
            id=RuleId(text.id),
            version=text.version,
            published_at=microseconds(text.published_at or pack.published_at),
            effective_from=text.effective_from or pack.effective_from,
            effective_to=text.effective_to or pack.effective_to,
            premises=each("premise", text.premise, self._premise),
            grant=grant_of(text),
            scope=within("scope", lambda: _scope(text.scope)),
            priority=text.priority,
            exclusive=text.exclusive,
            different_codes=text.different_codes,
            route=text.route,
            supersedes=text.supersedes,
            cite=text.cite,
            say=wording(text.say),
            proof=optional_wording(text.proof),
            void_if=each("void_if", text.void_if, self._void),
            procedure=tuple(
                Step(id=one.id, title=wording(one.title), is_outside=one.outside) for one in text.procedure
            ),
        )

    def _example(self, text: ExampleText) -> Example:
        target_programme, target_exam = target_of(text, self.text)
        return Example(
            name=text.name,
            as_of=text.as_of,
            known_at=self._known_at(text),
            holdings=tuple(map(self._holding, text.outcomes)),
            programme=None if target_programme is None else ProgrammeId(target_programme),
            exam=None if target_exam is None else ExamId(target_exam),
            applicant=_applicant(text.applicant),
            credits=text.credits,
            courses=None if text.courses is None else frozenset(map(CourseId, text.courses)),
            parts=None if text.parts is None else frozenset(map(PartId, text.parts)),
            rules=None if text.rules is None else frozenset(map(RuleId, text.rules)),
            marks=tuple(sorted((CourseId(course), mark) for course, mark in text.marks.items())),
            near=tuple(
                ExpectedMiss(rule=RuleId(miss.rule), attribute=miss.attribute, have=miss.have, need=miss.need)
                for miss in text.near
            ),
        )

    def _known_at(self, text: ExampleText) -> Microseconds:
        if text.known_at is not None:
            return microseconds(text.known_at)
        return max(_midnight(text.as_of + timedelta(days=1)), microseconds(self.text.published_at))

    def _holding(self, text: OutcomeText) -> Holding:
        recorded = None if text.recorded_at is None else microseconds(text.recorded_at)
        return Holding(
            id=OutcomeId(text.id),
            kind=text.kind,
            code=text.code,
            issuer=IssuerId(text.issuer),
            awarded_on=text.awarded_on,
            recorded_at=_midnight(text.awarded_on) if recorded is None else recorded,
            level=None if text.level is None else self._level(text.level),
            score=text.score,
            grade=text.grade,
            hours=text.hours,
            hours_per_credit=text.hours_per_credit,
            credits=text.credits,
            expires_on=text.expires_on,
            revoked_at=None if text.revoked_at is None else microseconds(text.revoked_at),
            revoked_from=text.revoked_from,
            attributes=tuple(sorted((given.name, given.value) for given in text.attributes)),
        )


_OF_PACK: Mapping[str, Path] = {"pack-dates": ("effective_to",), "pack-step": ("step",)}
"""Where what is wrong with a pack as a whole is written."""


def _is_only_the_packs(finding: PackFinding, stated: Container[int | str]) -> bool:
    """Whether a rule is said to end before it begins for no other reason than that its pack does."""
    return finding.code == "rule-dates" and finding.path[1] not in stated


def target_of(example: ExampleText, pack: RulePackText) -> tuple[str | None, str | None]:
    """Return the programme and the exam that an example is about: named, or the only one there is."""
    if example.programme is not None or example.exam is not None:
        return example.programme, example.exam
    programmes = {found.id for found in pack.programme}
    exams = {found.id for found in pack.exam}
    if len(programmes) == 1 and example.parts is None:
        return programmes.pop(), None
    if len(exams) == 1 and (not programmes or example.parts is not None):
        return None, exams.pop()
    return None, None


def _scope(text: ScopeText) -> Scope:
    return Scope(
        programmes=frozenset(map(ProgrammeId, text.programmes)),
        exams=frozenset(map(ExamId, text.exams)),
        majors=frozenset(text.majors),
        levels=frozenset(text.levels),
        facts=each("facts", text.facts, _fact_test),
    )


def _fact_test(text: FactText) -> FactTest:
    return FactTest(
        fact=text.fact,
        one_of=text.one_of,
        at_least=text.at_least,
        at_most=text.at_most,
        within=_span("within", text.within),
        after=_span("after", text.after),
    )


def _applicant(text: ApplicantText) -> Applicant:
    declared = tuple(sorted((name, stated_text(value)) for name, value in text.facts.items()))
    return Applicant(**text.model_dump(exclude={"facts"}), declared=declared)


def _citation(text: CitationText) -> Citation:
    return Citation(
        id=text.id,
        title=wording(text.title),
        document=text.document or "",
        article=text.article or "",
        url=text.url or "",
        read_on=text.read_on,
        is_mirror=text.mirror,
    )


def _span(key: str, text: str | None) -> Span | None:
    return None if text is None else within(key, partial(parse_span, text))


def _midnight(day: date) -> Microseconds:
    return microseconds(datetime.combine(day, time.min, tzinfo=UTC))
