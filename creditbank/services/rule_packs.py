"""Publish rule packs in the ledger and retire them, by two persons: each authority has a chain of its own.

From its authority's first publication on, decisions go by what that chain says alone (see
`conversion.published`). What a pack holds is not in the ledger: its digest is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

from creditbank.conversion.pack import Pack
from creditbank.conversion.published import PackChanged, PackPublished, Published
from creditbank.errors import Conflict, IntegrityBroken, NotFound
from creditbank.ledger.encoding import JsonValue, canonical_bytes, parse_canonical
from creditbank.ledger.entry import Entry
from creditbank.outcomes.outcome import REASON_MAX, require_text
from creditbank.services.bank import Bank, EntryReceipt, Posting, Principal, receipt_of
from creditbank.services.books import Books, Store
from creditbank.services.officers import TwoPersons
from creditbank.terms import Microseconds, OfficerId, PackId, SubjectId

PUBLISHED = "rule-pack.published"
RETIRED = "rule-pack.retired"

_PREFIX = "authority:"


class PackPublishedAlready(Conflict):
    """Exactly this pack is published already, or was and is retired: an id is used once."""

    code = "pack-published-already"


class PackNotPublished(NotFound):
    """No pack of this id is published and in use."""

    code = "pack-not-published"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackLine:
    """One `rule-pack.published` or `.retired`: what an authority's chain says, and which officers said it."""

    pack: PackId
    digest: str
    officers: tuple[OfficerId, OfficerId]
    at: Microseconds
    is_retirement: bool = False
    effective_from: date | None = None
    reason: str | None = None


def subject_of_authority(authority: str) -> SubjectId:
    """Return the subject whose chain tells what an authority has published."""
    return SubjectId(_PREFIX + authority)


def publish_packs(
    bank: Bank, principal: Principal, persons: TwoPersons, packs: Sequence[Pack]
) -> Sequence[EntryReceipt]:
    """Put the digests of some packs in the ledger, all or none; from then on no other may bear their ids.

    Raises:
        NotAuthorised: the principal is not the operator.
        TwoPersonsNeeded: one of the two has been retired meanwhile.
        PackPublishedAlready: one is published already, or has been retired.
        PackChanged: another one was published under the same id.
    """
    principal.must_be_operator()
    subjects = sorted({subject_of_authority(pack.authority) for pack in packs})

    def publish(books: Books) -> Sequence[EntryReceipt]:
        heads = books.ledger.heads_of(subjects)
        persons.must_serve(books)
        known = published_in(books, [pack.authority for pack in packs])
        posting = Posting(bank, books, heads=heads, at=bank.now())
        for pack in packs:
            _require_new(known, pack)
            posting.add(
                subject_of_authority(pack.authority),
                kind=PUBLISHED,
                issuer=bank.record.operator,
                content=canonical_bytes(
                    {
                        "pack": pack.id,
                        "digest": pack.digest,
                        "effective_from": pack.effective_from.isoformat(),
                        "officers": list(persons.ids),
                    }
                ),
            )
        posting.post()
        return [receipt_of(entry) for entry in posting.entries]

    return bank.written(publish, about=subjects[0] if len(subjects) == 1 else None)


def retire_pack(
    bank: Bank, principal: Principal, persons: TwoPersons, pack: Pack, *, reason: str
) -> EntryReceipt:
    """Take a published pack out of use: decisions from now on go without it, registered grants stay.

    An earlier pack of the authority that is still published applies again where this one had taken its place.

    Raises:
        NotAuthorised: the principal is not the operator.
        TwoPersonsNeeded: one of the two has been retired meanwhile.
        PackNotPublished: it is not published, or is retired already.
        OutcomeInvalid: the reason is not one line.
    """
    principal.must_be_operator()
    require_text("reason", reason, max_length=REASON_MAX)
    subject = subject_of_authority(pack.authority)

    def retire(books: Books) -> EntryReceipt:
        heads = books.ledger.heads_of([subject])
        persons.must_serve(books)
        found = published_in(books, [pack.authority]).find(pack.id)
        if found is None or found.retired_at is not None:
            raise PackNotPublished("pack-not-published", pack=pack.id)
        posting = Posting(bank, books, heads=heads, at=bank.now())
        members: dict[str, JsonValue] = {
            "pack": pack.id,
            "digest": found.digest,
            "reason": reason,
            "officers": list(persons.ids),
        }
        entry = posting.add(
            subject, kind=RETIRED, issuer=bank.record.operator, content=canonical_bytes(members)
        )
        posting.post()
        return receipt_of(entry)

    return bank.written(retire, about=subject)


def published_in(books: Books, authorities: Iterable[str]) -> Published:
    """Return what the chains of these authorities say now.

    Raises:
        IntegrityBroken: an entry does not say what its kind must say.
    """
    return published_by(
        entry
        for authority in sorted(set(authorities))
        for entry in books.ledger.entries_of(subject_of_authority(authority))
    )


def pack_lines(store: Store) -> Sequence[PackLine]:
    """Return every publication and retirement of the ledger, authority by authority."""
    with store.reading() as books:
        return [
            line_of(entry)
            for subject in books.ledger.subjects(_PREFIX)
            for entry in books.ledger.entries_of(subject)
        ]


def published_by(entries: Iterable[Entry]) -> Published:
    """Fold the entries of some authorities' chains.

    Raises:
        IntegrityBroken: an entry does not say what its kind must say.
    """
    packs: dict[PackId, PackPublished] = {}
    for entry in entries:
        line = line_of(entry)
        if line.is_retirement:
            packs[line.pack] = replace(packs[line.pack], retired_at=line.at)
        else:
            packs[line.pack] = PackPublished(
                authority=entry.leaf.subject.removeprefix(_PREFIX),
                pack=line.pack,
                digest=line.digest,
                published_at=line.at,
            )
    return Published(packs=tuple(packs.values()))


def line_of(entry: Entry) -> PackLine:
    """Read one entry of an authority's chain.

    Raises:
        IntegrityBroken: it does not say what its kind must say.
    """
    kind = entry.leaf.kind
    if entry.payload is None or kind not in {PUBLISHED, RETIRED}:
        raise IntegrityBroken("pack-line-unreadable", subject=entry.leaf.subject, seq=entry.leaf.seq)
    members = cast("dict[str, Any]", parse_canonical(entry.payload.content))
    first, second = members["officers"]
    effective_from = members.get("effective_from")
    return PackLine(
        pack=PackId(members["pack"]),
        digest=members["digest"],
        officers=(OfficerId(first), OfficerId(second)),
        at=entry.leaf.at,
        is_retirement=kind == RETIRED,
        effective_from=None if effective_from is None else date.fromisoformat(effective_from),
        reason=members.get("reason"),
    )


def _require_new(known: Published, pack: Pack) -> None:
    found = known.find(pack.id)
    if found is None:
        return
    if found.digest != pack.digest:
        raise PackChanged("pack-changed", pack=pack.id, published=found.digest, found=pack.digest)
    raise PackPublishedAlready("pack-published-already", pack=pack.id)
