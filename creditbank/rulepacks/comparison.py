"""Two sets of rule packs side by side: from a file, a directory, an id or a digest to what is compared."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import cast

from creditbank.conversion.pack import Pack
from creditbank.conversion.policy_diff import Compared, Measure, Side
from creditbank.conversion.programme import Exam, Programme
from creditbank.documents.rule_pack import RulePackDocument, RulePackInvalid
from creditbank.documents.rule_pack_diff import Change, changes_between
from creditbank.ledger.encoding import JsonValue, parse_canonical
from creditbank.rulepacks.library import ExamUnknown, Library, ProgrammeUnknown, read_document
from creditbank.terms import ExamId, PackId, ProgrammeId

_Defined = tuple[Programme | Exam | None, tuple[Pack, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The packs that are in force before and after, and those that decide afterwards.

    Where one pack takes the place of an earlier one of its authority, the earlier one still decides after
    for whoever it holds for (by the day of enrolment or award); two drafts of one day replace each other.
    """

    old: Library
    new: Library

    @property
    def deciding(self) -> Library:
        """The packs that decide after."""
        if len(self.old.documents) == len(self.new.documents) == 1:
            (before,), (after,) = self.old.packs, self.new.packs
            if before.authority == after.authority and before.effective_from < after.effective_from:
                return Library(documents=(*self.old.documents, *self.new.documents))
        return self.new

    @property
    def changed(self) -> tuple[Pack, ...]:
        """The packs that are on one side only."""
        olds, news = ({pack.digest: pack for pack in side.packs} for side in (self.old, self.new))
        return tuple({**olds, **news}[digest] for digest in olds.keys() ^ news.keys())

    def changes(self) -> tuple[Change, ...]:
        """Return every difference between the packs as written, pack by pack.

        One pack is compared with one; of several, those of one id, and then those that are alone in being
        of their authority. A pack without a partner is added or removed whole.
        """
        olds, news = list(self.old.documents), list(self.new.documents)
        if len(olds) == len(news) == 1:
            return changes_between(_tree(olds[0]), _tree(news[0]))
        found: list[Change] = []
        for old, new in _partners(olds, news):
            if old is not None and new is not None:
                changes = changes_between(_tree(old), _tree(new))
                found += [replace(change, place=f"pack[{new.pack.id}].{change.place}") for change in changes]
            elif old is not None:
                found.append(Change(kind="removed", place=f"pack[{old.pack.id}]", before=old.pack.title.zh))
            elif new is not None:
                found.append(Change(kind="added", place=f"pack[{new.pack.id}]", after=new.pack.title.zh))
        return tuple(found)

    def compared(self, *, as_of: date) -> tuple[Compared, ...]:
        """Return every programme and exam of either side with the packs that decide in it on a day."""
        everything = Library(documents=(*self.old.documents, *self.new.documents))
        found: list[Compared | None] = []
        for programme in dict.fromkeys(one.id for one in everything.programmes):
            old, new = (_programme(programme, side, as_of) for side in (self.old, self.new))
            olds, news = (side.packs_for_programme(programme) for side in (self.old, self.deciding))
            found.append(_compared(programme, "credits", (old, olds), (new, news)))
        for exam in dict.fromkeys(one.id for one in everything.exams):
            was, becomes = (_exam(exam, side, as_of) for side in (self.old, self.new))
            olds, news = (side.packs_for_exam(exam) for side in (self.old, self.deciding))
            found.append(_compared(exam, "parts", (was, olds), (becomes, news)))
        return tuple(one for one in found if one is not None)


def read_packs(named: str, library: Library) -> Library:
    """Return the packs of a file, of a directory, or the one of `library` with this id or digest.

    A directory holds packs, or directories of packs as `Library.load` reads them. The examples are run.

    Raises:
        RulePackUnreadable, RulePackInvalid: a pack is not one, or an example of it fails.
        RulePacksCollide: two packs of a directory claim the same name.
        PackUnknown: there is no such file or directory, and no pack of this id or digest.
    """
    path = Path(named)
    if path.is_dir():
        files = sorted(path.glob("*.toml"))
        return _sound(tuple(map(read_document, files))) if files else Library.load(path, shipped=False)
    if path.is_file():
        return _sound((read_document(path),))
    by_digest = {document.pack.digest: document.pack.id for document in library.documents}
    found = library.pack(PackId(by_digest.get(named, named)))
    return Library(documents=tuple(one for one in library.documents if one.pack.id == found.id))


def _sound(documents: tuple[RulePackDocument, ...]) -> Library:
    library = Library(documents=documents)
    if failed := tuple(library.examples()):
        raise RulePackInvalid(failed)
    return library


def _tree(document: RulePackDocument) -> dict[str, JsonValue]:
    return cast("dict[str, JsonValue]", parse_canonical(document.canonical))


def _partners(
    olds: Sequence[RulePackDocument], news: Sequence[RulePackDocument]
) -> Iterator[tuple[RulePackDocument | None, RulePackDocument | None]]:
    by_id = {one.pack.id: one for one in news}
    left = {one.pack.id for one in olds} - by_id.keys()
    old_alone = _alone_in_authority([one for one in olds if one.pack.id in left])
    new_alone = _alone_in_authority([one for one in news if one.pack.id not in {old.pack.id for old in olds}])
    taken: set[PackId] = set()
    for old in olds:
        partner = by_id.get(old.pack.id)
        if partner is None and old_alone.get(old.pack.authority) is old:
            partner = new_alone.get(old.pack.authority)
        if partner is not None:
            taken.add(partner.pack.id)
        yield old, partner
    for new in news:
        if new.pack.id not in taken:
            yield None, new


def _alone_in_authority(documents: Sequence[RulePackDocument]) -> Mapping[str, RulePackDocument]:
    counts = Counter(one.pack.authority for one in documents)
    return {one.pack.authority: one for one in documents if counts[one.pack.authority] == 1}


def _programme(programme: ProgrammeId, library: Library, as_of: date) -> Programme | None:
    try:
        return library.programme(programme, as_of=as_of)
    except ProgrammeUnknown:
        return None


def _exam(exam: ExamId, library: Library, as_of: date) -> Exam | None:
    try:
        return library.exam(exam, as_of=as_of)
    except ExamUnknown:
        return None


def _compared(aim: ProgrammeId | ExamId, measure: Measure, old: _Defined, new: _Defined) -> Compared | None:
    """Return what is compared; None where neither side defines it on that day."""
    (before, olds), (after, news) = old, new
    place = after or before
    if place is None:
        return None
    return Compared(
        id=aim,
        measure=measure,
        before=_side(before, place, olds),
        after=_side(after, place, news),
    )


def _side(defined: Programme | Exam | None, otherwise: Programme | Exam, packs: tuple[Pack, ...]) -> Side:
    if defined is None:
        return Side(place=otherwise, packs=(), is_defined=False)
    return Side(place=defined, packs=packs)
