"""Finds rule packs: those shipped beside this module and those of a deployment's own directories.

A directory holds `<authority>/<date>.toml`, and beside a pack what it includes in a directory of the same
name. A later pack of an authority takes the place of the earlier one from the day on which it takes
effect; the earlier one stays, so that past decisions can be made again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

from creditbank.conversion.pack import Aim, Pack, PackFinding, earliest, newest
from creditbank.conversion.pack_examples import run_examples
from creditbank.conversion.pack_lint import lint
from creditbank.conversion.pack_terms import Vocabularies, unlisted_terms
from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.published import Published
from creditbank.conversion.void import VoidIf
from creditbank.documents.rule_pack import RulePackDocument, RulePackInvalid, parse_rule_pack
from creditbank.errors import Conflict, Misconfigured, NotFound
from creditbank.terms import ExamId, Microseconds, PackId, ProgrammeId, Progress

_EXAMPLES_LACKING = frozenset({"rule-without-granting-example", "rule-without-missing-example"})
SHIPPED = Path(__file__).parent
NO_LISTS: Vocabularies = MappingProxyType({})


def _unseen(_: int) -> None:
    """Show nobody how far it is."""


class PackUnknown(NotFound):
    """No pack of this id is known here."""

    code = "pack-unknown"


class ProgrammeUnknown(NotFound):
    """No pack defines this programme for that day."""

    code = "programme-unknown"


class ExamUnknown(NotFound):
    """No pack defines this exam for that day."""

    code = "exam-unknown"


class RulePacksCollide(Conflict):
    """Two packs claim the same name for different things."""

    code = "rule-packs-collide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Every rule pack, programme and exam that this deployment knows."""

    documents: tuple[RulePackDocument, ...]

    @classmethod
    def load(cls, *directories: Path, shipped: bool = True, check: bool = True) -> "Library":
        """Read the shipped packs and those of `directories`, and see that every example comes out right.

        Without `check` the examples are not run: for whoever has run them and reads the same files again.

        Raises:
            Misconfigured: a directory is not there.
            RulePackUnreadable, RulePackInvalid: a pack is not one, or one of its examples fails.
            RulePacksCollide: two packs claim one id, one day of one authority, or one programme or exam.
        """
        everywhere = (SHIPPED, *directories) if shipped else directories
        files = [file for directory in everywhere for file in pack_files(directory)]
        library = cls(documents=tuple(map(read_document, files)))
        _require_distinct(library.packs)
        if check and (failed := tuple(library.examples())):
            raise RulePackInvalid(failed)
        return library

    @property
    def packs(self) -> tuple[Pack, ...]:
        """All packs, by authority and then by the day from which they apply."""
        return tuple(
            sorted(
                (document.pack for document in self.documents),
                key=lambda pack: (pack.authority, pack.effective_from, pack.id),
            )
        )

    @property
    def programmes(self) -> tuple[Programme, ...]:
        """Every version of every programme, by id and version."""
        return _distinct(programme for pack in self.packs for programme in pack.programmes)

    @property
    def exams(self) -> tuple[Exam, ...]:
        """Every version of every exam, by id and version."""
        return _distinct(exam for pack in self.packs for exam in pack.exams)

    def pack(self, pack: PackId) -> Pack:
        """Return a pack by its id.

        Raises:
            PackUnknown: there is none.
        """
        found = next((known for known in self.packs if known.id == pack), None)
        if found is None:
            raise PackUnknown("pack-unknown", id=pack, known=[known.id for known in self.packs])
        return found

    def pack_at_hand(self, pack: PackId, digest: str) -> Pack | None:
        """Return exactly this pack, published or not, retired or not; None where it is not here."""
        return next((known for known in self.packs if (known.id, known.digest) == (pack, digest)), None)

    def voiding(self) -> tuple[VoidIf, ...]:
        """Return every outcome that makes something void by a rule of any pack."""
        return tuple(
            one for document in self.documents for rule in document.pack.rules for one in rule.void_if
        )

    def packs_in_force(self, as_of: date, *, known_at: Microseconds) -> tuple[Pack, ...]:
        """Return, for each authority, the pack that is in force on a day, going by what was published."""
        in_force: dict[str, Pack] = {}
        for pack in self.packs:  # the later day of one authority comes later and takes its place
            if pack.effective_from <= as_of and pack.is_published(known_at=known_at):
                in_force[pack.authority] = pack
        return tuple(pack for pack in in_force.values() if pack.is_effective(as_of))

    def packs_applying(self, as_of: date, *, known_at: Microseconds) -> tuple[Pack, ...]:
        """Return the packs by which something may be granted on a day, going by what was published.

        These are the packs in force, and of those that go by the day of the award or of enrolment also
        the earlier ones: their rules end where a later pack takes effect.
        """
        in_force = self.packs_in_force(as_of, known_at=known_at)
        earlier = (
            _until_superseded(pack, self.packs, known_at)
            for pack in self.packs
            if pack.date_basis != "application"
            and pack.effective_from <= as_of
            and pack.is_published(known_at=known_at)
        )
        return (*(pack for pack in in_force if pack.date_basis == "application"), *earlier)

    def packs_for_programme(
        self, programme: ProgrammeId, *, known_at: Microseconds | None = None
    ) -> tuple[Pack, ...]:
        """Return the packs whose rules may apply in a programme: those of the authorities that define it.

        Where a later pack of an authority was published up to `known_at` (None: ever), the rules of the
        earlier one end on the day on which the later one takes effect.
        """
        authorities = {
            pack.authority for pack in self.packs if any(own.id == programme for own in pack.programmes)
        }
        return self._of(authorities, known_at)

    def packs_for_exam(self, exam: ExamId, *, known_at: Microseconds | None = None) -> tuple[Pack, ...]:
        """Return the packs whose rules may apply to an exam: those of the authorities that define it.

        What a later pack does to an earlier one is as in `packs_for_programme`.
        """
        authorities = {pack.authority for pack in self.packs if any(own.id == exam for own in pack.exams)}
        return self._of(authorities, known_at)

    def authorities_for(self, aim: ProgrammeId | ExamId) -> tuple[str, ...]:
        """Return the authorities that define a programme or an exam, in order."""
        return tuple(sorted({pack.authority for pack in self.packs if defines(pack, aim)}))

    def as_known(self, published: Published) -> "Library":
        """Return the library that decisions go by: without what its authorities have not published, or have
        retired; authorities that have published none keep all they have.

        Raises:
            PackChanged, PackMissing: a published pack is not as it was, or not here.
        """
        published.require_at_hand(self.packs)
        return Library(
            documents=tuple(document for document in self.documents if published.counts(document.pack))
        )

    def programme(
        self, programme: ProgrammeId, *, as_of: date, known_at: Microseconds | None = None
    ) -> Programme:
        """Return the newest version of a programme that holds on a day, of those published up to `known_at`.

        A programme that nobody had published by then is taken as it was published first, and on a day before
        it began as it began: the answer is that no rule is in force yet.

        Raises:
            ProgrammeUnknown: there is none.
        """
        found = _version(self._versions(programme, known_at), as_of)
        if found is None:
            known = sorted({known.id for known in self.programmes})
            raise ProgrammeUnknown("programme-unknown", id=programme, as_of=as_of, known=known)
        return found

    def exam(self, exam: ExamId, *, as_of: date, known_at: Microseconds | None = None) -> Exam:
        """Return the newest version of an exam that holds on a day, of those published up to `known_at`.

        An exam that nobody had published by then is taken as it was published first, and on a day before it
        began as it began.

        Raises:
            ExamUnknown: there is none.
        """
        found = _version(self._exam_versions(exam, known_at), as_of)
        if found is None:
            known = sorted({known.id for known in self.exams})
            raise ExamUnknown("exam-unknown", id=exam, as_of=as_of, known=known)
        return found

    def programmes_on(self, as_of: date, *, known_at: Microseconds | None = None) -> tuple[Programme, ...]:
        """Return, by id, the newest version of each programme that holds on a day."""
        ids = sorted({one.id for one in self.programmes})
        return _found(newest(self._versions(id_, known_at), as_of=as_of) for id_ in ids)

    def exams_on(self, as_of: date, *, known_at: Microseconds | None = None) -> tuple[Exam, ...]:
        """Return, by id, the newest version of each exam that holds on a day."""
        ids = sorted({one.id for one in self.exams})
        return _found(newest(self._exam_versions(id_, known_at), as_of=as_of) for id_ in ids)

    def examples(self) -> Iterator[PackFinding]:
        """Run every example and yield what fails."""
        for document in self.documents:
            runs = run_examples(document.pack)
            yield from document.located(finding for run in runs for finding in run.findings)

    def check(
        self, vocabularies: Vocabularies = NO_LISTS, *, on_progress: Progress = _unseen
    ) -> tuple[PackFinding, ...]:
        """Run every example and lint every pack: all errors and warnings, each with file and line."""
        return tuple(
            finding
            for document in self.documents
            for finding in findings_of(document, vocabularies, on_progress=on_progress)
        )

    def _versions(
        self, programme: ProgrammeId, known_at: Microseconds | None
    ) -> list[tuple[Pack, Programme]]:
        known = self._known(programme, known_at)
        return [(pack, one) for pack in known for one in pack.programmes if one.id == programme]

    def _exam_versions(self, exam: ExamId, known_at: Microseconds | None) -> list[tuple[Pack, Exam]]:
        known = self._known(exam, known_at)
        return [(pack, one) for pack in known for one in pack.exams if one.id == exam]

    def _known(self, aim: ProgrammeId | ExamId, known_at: Microseconds | None) -> list[Pack]:
        """Return the packs that define a programme or exam and were published by then, or else the first."""
        defining = [pack for pack in self.packs if defines(pack, aim)]
        if known_at is None or not defining:
            return defining
        known = [pack for pack in defining if pack.is_published(known_at=known_at)]
        return known or [min(defining, key=lambda pack: (pack.published_at, pack.id))]

    def _of(self, authorities: set[str], known_at: Microseconds | None) -> tuple[Pack, ...]:
        packs = [pack for pack in self.packs if pack.authority in authorities]
        return tuple(_until_superseded(pack, packs, known_at) for pack in packs)


def read_document(file: Path, *, shown_as: str | None = None) -> RulePackDocument:
    """Read one pack with the files that it includes; its examples are not run.

    Findings name the file as it is `shown_as`, else by its directory's name and its own.

    Raises:
        RulePackUnreadable, RulePackInvalid: it is not one.
    """
    beside = {
        f"{file.stem}/{included.name}": included.read_bytes()
        for kind in ("*.toml", "*.csv")
        for included in sorted(file.with_suffix("").glob(kind))
    }
    name = f"{file.parent.name}/{file.name}" if shown_as is None else shown_as
    return parse_rule_pack(file.read_bytes(), name=name, beside=beside)


def findings_of(
    document: RulePackDocument, vocabularies: Vocabularies = NO_LISTS, *, on_progress: Progress = _unseen
) -> tuple[PackFinding, ...]:
    """Run the examples of one pack and lint it: errors first.

    With `vocabularies`, those that records are held to, it is also said what no record can state.
    `on_progress` is told how many rules and examples were looked at since it was told last.
    """
    on_progress(len(document.pack.rules))
    runs = run_examples(document.pack, on_progress=on_progress)
    failed = document.located(finding for run in runs for finding in run.findings)
    warned = document.located(lint(document.pack, runs))
    unlisted = unlisted_terms(document.pack, vocabularies) if vocabularies else ()
    return (*failed, *_once_a_list(document, warned), *document.located(unlisted))


def _once_a_list(document: RulePackDocument, warned: Iterable[PackFinding]) -> Iterator[PackFinding]:
    """Leave out that a rule lacks an example where another rule of the same list in CSV has it."""
    lists = {path: place.file for path, place in document.source.lines.items() if path[0] == "rule"}
    sizes = Counter(lists.values())
    found = list(warned)
    lacking = Counter((one.code, lists.get(one.path[:2])) for one in found)
    said: set[tuple[str, str]] = set()
    for one in found:
        file = lists.get(one.path[:2])
        if file is None or one.code not in _EXAMPLES_LACKING:
            yield one
        elif lacking[one.code, file] == sizes[file] and (one.code, file) not in said:
            said.add((one.code, file))
            yield one


def defines(pack: Pack, aim: ProgrammeId | ExamId) -> bool:
    """Whether a pack says what a programme or an exam consists of."""
    return any(own.id == aim for own in pack.programmes) or any(own.id == aim for own in pack.exams)


def pack_files(directory: Path) -> list[Path]:
    """Return the packs in a directory, without what they include. `Misconfigured` where it is not there."""
    if not directory.is_dir():
        raise Misconfigured("rule-pack-directory", field="rule_pack_directories", path=str(directory))
    return sorted(directory.glob("*/*.toml"))


def _until_superseded(pack: Pack, packs: Iterable[Pack], known_at: Microseconds | None) -> Pack:
    later = [
        other.effective_from
        for other in packs
        if other.authority == pack.authority
        and other.effective_from > pack.effective_from
        and (known_at is None or other.is_published(known_at=known_at))
    ]
    if not later:
        return pack
    end = min(later)
    rules = [rule for rule in pack.rules if rule.effective_from < end]
    return replace(
        pack,
        rules=tuple(
            rule
            if rule.effective_to is not None and rule.effective_to <= end
            else replace(rule, effective_to=end)
            for rule in rules
        ),
    )


def _require_distinct(packs: Iterable[Pack]) -> None:
    ids: dict[str, Pack] = {}
    days: dict[tuple[str, date], Pack] = {}
    programmes: dict[tuple[str, int], tuple[Pack, Programme]] = {}
    exams: dict[tuple[str, int], tuple[Pack, Exam]] = {}
    for pack in packs:
        if ids.setdefault(pack.id, pack) is not pack:
            raise RulePacksCollide("pack-id-taken", id=pack.id)
        other = days.setdefault((pack.authority, pack.effective_from), pack)
        if other is not pack:
            raise RulePacksCollide("pack-day-taken", id=pack.id, other=other.id, day=pack.effective_from)
        for programme in pack.programmes:
            first = programmes.setdefault((programme.id, programme.version), (pack, programme))
            if not _is_same(first, (pack, programme)):
                raise _taken("programme-taken", programme, pack, first[0])
        for exam in pack.exams:
            known = exams.setdefault((exam.id, exam.version), (pack, exam))
            if not _is_same(known, (pack, exam)):
                raise _taken("exam-taken", exam, pack, known[0])


def _taken(reason: str, aim: Programme | Exam, pack: Pack, other: Pack) -> RulePacksCollide:
    version, following = aim.version, aim.version + 1
    return RulePacksCollide(reason, id=aim.id, version=version, next=following, pack=pack.id, other=other.id)


def _is_same(first: tuple[Pack, Programme | Exam], second: tuple[Pack, Programme | Exam]) -> bool:
    """Whether two packs of one authority define the same thing: a later pack repeats what still holds."""
    return first[0].authority == second[0].authority and first[1] == second[1]


def _version(versions: list[tuple[Pack, Aim]], as_of: date) -> Aim | None:
    """Return the newest version that holds on a day, and before any of them begins the first."""
    has_begun = any((one.effective_from or pack.effective_from) <= as_of for pack, one in versions)
    return newest(versions, as_of=as_of) if has_begun else earliest(versions)


def _found(aims: Iterable[Aim | None]) -> tuple[Aim, ...]:
    return tuple(aim for aim in aims if aim is not None)


def _distinct(aims: Iterable[Aim]) -> tuple[Aim, ...]:
    by_version = {(aim.id, aim.version): aim for aim in aims}
    return tuple(by_version[key] for key in sorted(by_version))
