"""Laws of a subject's chain: it is whole as it was made, and no change of it goes unnoticed."""

import itertools
from dataclasses import fields, replace
from hashlib import sha256

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from creditbank.ledger.audit import StoredEntry
from creditbank.ledger.chain import EMPTY, extend, head_after
from creditbank.ledger.chain_check import ChainCheck, findings
from creditbank.ledger.encoding import canonical_bytes
from creditbank.ledger.entry import NO_PREVIOUS, REDACTION, Entry, Leaf, Payload, leaf_hash
from creditbank.terms import IssuerId, Microseconds, SubjectId
from tests.strategies.ledger import LOG, chains, hashes, head_of, leaves, next_entry, texts, without_payload
from tests.strategies.stored_ledger import other_cells


@given(chains())
def test_a_chain_as_it_was_made_is_whole(entries: list[Entry]) -> None:
    assert list(findings(entries, expected=head_of(entries))) == []


@given(chains(min_size=2))
def test_every_leaf_holds_the_hash_of_the_one_before(entries: list[Entry]) -> None:
    assert entries[0].leaf.prev == NO_PREVIOUS
    for before, after in itertools.pairwise(entries):
        assert after.leaf.prev == before.leaf_hash == leaf_hash(before.leaf_bytes)
        assert after.leaf.seq == before.leaf.seq + 1
        assert after.leaf.at >= before.leaf.at


@given(st.integers(0, 9), st.integers(0, 9))
def test_time_never_goes_back_in_a_chain(first: int, second: int) -> None:
    head = head_after(next_entry(EMPTY, subject=SubjectId("account:1"), at=first))
    assert next_entry(head, subject=SubjectId("account:1"), at=second).leaf.at == max(first, second)


@given(leaves, hashes, st.binary(), st.none() | texts)
def test_an_entry_says_what_it_was_given(leaf: Leaf, salt: bytes, content: bytes, key: str | None) -> None:
    payload = Payload(salt=salt, content=content)
    entry = extend(
        EMPTY,
        log=leaf.log,
        subject=leaf.subject,
        at=leaf.at,
        kind=leaf.kind,
        issuer=leaf.issuer,
        payload=payload,
        credential=leaf.credential,
        idempotency_key=key,
    )
    assert entry.leaf == replace(leaf, seq=0, prev=NO_PREVIOUS, content=payload.commitment)
    assert entry.leaf_bytes == entry.leaf.encode()
    assert (entry.payload, entry.idempotency_key) == (payload, key)


@given(chains(min_size=1), st.data())
def test_no_change_goes_unnoticed(entries: list[Entry], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    forged = data.draw(altered(entries[index]))
    tampered = [*entries[:index], forged, *entries[index + 1 :]]
    assert list(findings(tampered, expected=head_of(entries)))


@given(chains(min_size=1), st.data())
def test_no_entry_is_taken_out_put_in_or_moved_unnoticed(entries: list[Entry], data: st.DataObject) -> None:
    tampered = list(entries)
    taken = tampered.pop(data.draw(st.integers(0, len(entries) - 1)))
    if data.draw(st.booleans()):
        tampered.insert(data.draw(st.integers(0, len(tampered))), taken)
    assume(tampered != entries)
    assert list(findings(tampered, expected=head_of(entries)))
    copied = data.draw(st.sampled_from(entries))
    place = data.draw(st.integers(0, len(entries)))
    assert list(findings([*entries[:place], copied, *entries[place:]], expected=head_of(entries)))


@given(chains(min_size=2), st.text(), st.data())
def test_an_entry_rewritten_with_its_hash_breaks_the_link_after_it(
    entries: list[Entry], kind: str, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(entries) - 2))
    leaf = replace(entries[index].leaf, kind=kind)
    assume(entries[index].leaf.kind not in {kind, REDACTION} and kind != REDACTION)
    encoded = leaf.encode()
    forged = replace(entries[index], leaf=leaf, leaf_bytes=encoded, leaf_hash=leaf_hash(encoded))
    (found,) = findings([*entries[:index], forged, *entries[index + 1 :]], expected=head_of(entries))
    assert (found.code, found.seq) == ("chain-broken", index + 1)


@given(chains(), chains(min_size=1))
def test_a_rewritten_chain_ends_elsewhere(entries: list[Entry], others: list[Entry]) -> None:
    assume(head_of(entries) != head_of(others))
    assert "chain-ends-elsewhere" in {f.code for f in findings(others, expected=head_of(entries))}


@given(chains(min_size=2, redacted=False), st.data())
def test_a_damaged_entry_is_named_and_its_neighbours_are_not(
    entries: list[Entry], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    damaged = data.draw(
        st.sampled_from(
            [
                replace(entries[index], leaf_hash=bytes(32)),
                replace(entries[index], leaf_bytes=entries[index].leaf_bytes.replace(b'"v":1', b'"v":2')),
                replace(entries[index], payload=Payload(salt=bytes(32), content=b"{}")),
                replace(entries[index], idempotency_key="another"),
                without_payload(entries[index]),
            ]
        )
    )
    tampered = [*entries[:index], damaged, *entries[index + 1 :]]
    found = list(findings(tampered, expected=head_of(tampered[:-1] + entries[-1:])))
    assert {(f.subject, f.seq) for f in found if f.code != "chain-ends-elsewhere"} == {
        (entries[0].leaf.subject, index)
    }


@given(st.integers(0, 3), st.sets(st.integers(0, 3)))
def test_payloads_are_gone_before_a_redaction_and_nowhere_else(redaction: int, gone: set[int]) -> None:
    entries: list[Entry] = []
    for seq in range(4):
        kind = REDACTION if seq == redaction else "outcome.recorded"
        entries.append(next_entry(head_of(entries), subject=SubjectId("account:1"), kind=kind))
    kept = [without_payload(entry) if entry.leaf.seq in gone else entry for entry in entries]
    found = [(each.code, each.seq, dict(each.values)) for each in findings(kept, expected=head_of(entries))]
    left = len(set(range(redaction)) - gone)
    assert found == [
        *([("redaction-not-applied", redaction, {"payloads": left})] if left else []),
        *(("payload-missing", seq, {}) for seq in sorted(gone) if seq >= redaction),
    ]


@given(st.sets(st.integers(0, 5), min_size=1), st.sets(st.integers(0, 5)))
def test_what_redactions_themselves_say_may_stay_and_may_go(redactions: set[int], gone: set[int]) -> None:
    entries: list[Entry] = []
    for seq in range(6):
        kind = REDACTION if seq in redactions else "outcome.recorded"
        entries.append(next_entry(head_of(entries), subject=SubjectId("account:1"), kind=kind))
    last = max(redactions)
    gone = {seq for seq in gone & redactions if seq < last} | (set(range(last)) - redactions)
    kept = [without_payload(entry) if entry.leaf.seq in gone else entry for entry in entries]
    assert list(findings(kept, expected=head_of(entries))) == []


@pytest.mark.parametrize(
    ("content", "key", "code"),
    [
        (b'{"idempotency_key":"a"}', "a", None),
        (b"{}", None, None),
        (b'{"idempotency_key":"a"}', "b", "idempotency-key-differs"),
        (b'{"idempotency_key":"a"}', None, "idempotency-key-differs"),
        (b"{}", "a", "idempotency-key-differs"),
        (b'{"in":{"idempotency_key":"a"}}', "a", "idempotency-key-differs"),
        (b'{"idempotency_key":"ab"}', "a", "idempotency-key-differs"),
        (b'{"idempotency_key":"a","x":"b"}', 'a","x":"b', "idempotency-key-differs"),
        (b'{"batch":"1","idempotency_key":"a\\n"}', "a\n", None),
        (b'{"idempotency_key":"a\\n","x":1}', "a\n", None),
        (b'{"idempotency_key":1}', None, "idempotency-key-differs"),
        (b'{"idempotency\\u005fkey":"a"}', "a", "payload-unreadable"),
        (b'["idempotency_key"]', None, "payload-unreadable"),
        (b"[]", "a", "payload-unreadable"),
        (b"{ }", "a", "payload-unreadable"),
        (b"", "a", "payload-unreadable"),
        (b"\xff", None, None),  # nothing depends on it, and the leaf vouches for it
    ],
)
def test_the_key_column_says_what_the_payload_says(content: bytes, key: str | None, code: str | None) -> None:
    entry = extend(
        EMPTY,
        log="log",
        subject=SubjectId("account:1"),
        at=Microseconds(0),
        kind="kind",
        issuer=IssuerId("issuer"),
        payload=Payload(salt=bytes(32), content=content),
        idempotency_key=key,
    )
    found = [finding.code for finding in findings([entry], expected=head_after(entry))]
    assert found == ([] if code is None else [code])


cells = st.none() | st.integers() | st.floats() | st.text() | st.binary() | st.booleans()
rows = st.builds(StoredEntry, cells, cells, cells, cells, cells, cells, cells, cells, cells)


@given(st.lists(rows, max_size=4), cells)
def test_rows_of_anything_are_findings_and_never_errors(stored: list[StoredEntry], subject: object) -> None:
    chain = ChainCheck(log="log")
    chain.begin(subject)
    assert not any(chain.takes(row) for row in stored)
    found = [finding for row in stored for finding in (*chain.look_at(row), *chain.look_at_place(row))]
    assert found or not stored
    list(chain.end())


def cells_of(entries: list[Entry]) -> list[StoredEntry]:
    """Return the rows of a chain whose entries stand in the log one after the other."""
    return [
        StoredEntry(
            subject=entry.leaf.subject,
            seq=entry.leaf.seq,
            leaf=entry.leaf_bytes,
            leaf_hash=entry.leaf_hash,
            idempotency_key=entry.idempotency_key,
            salt=None if entry.payload is None else entry.payload.salt,
            content=None if entry.payload is None else entry.payload.content,
            log_index=index,
        )
        for index, entry in enumerate(entries)
    ]


@given(chains(min_size=2, redacted=False))
def test_rows_of_a_whole_chain_are_taken_once_their_speaker_is_known(entries: list[Entry]) -> None:
    rows = cells_of(entries)
    chain = ChainCheck(log=entries[0].leaf.log)
    chain.begin(rows[0].subject)
    assert [*chain.look_at(rows[0]), *chain.look_at_place(rows[0])] == []
    plain = [entry.leaf.credential is None for entry in entries[1:]]
    for row, is_plain in zip(rows[1:], plain, strict=True):
        assert chain.takes(row) == is_plain
        if not is_plain:
            assert [*chain.look_at(row), *chain.look_at_place(row)] == []
    assert chain.head == head_of(entries)
    assert (list(chain.end()), chain.payloads) == ([], len(rows))


# What a hand might do to a leaf that it then hashes anew, none of which is canonical or in its place.
REWRITINGS = (
    (b'"at":', b'"at": '), (b'"at":', b'"at":0'), (b'"at":', b'"at":-'), (b'"at":', b'"at":+'),
    (b'"at":', b'"at":1_'), (b'"at":', '"at":１'.encode()), (b'"at":', b'"at":9007199254740992'),
    (b'"seq":', b'"seq":0'), (b',"v":1}', b'.0,"v":1}'), (b'"v":1', b'"v":2'), (b'"v":1', b'"v":true'),
    (b'"issuer":"1', b'"issuer":"\\u0031'), (b'"kind":"outcome.recorded"', b'"kind":"account.redacted"'),
    (b'"kind":', b'"kind":"x","kind":'), (b'"log":"', b'"log":"x'), (b'"prev":"0', b'"prev":"1'),
    (b'"prev":"', b'"prev":"0'), (b'"subject":"account', b'"subject":"xccount'),
    (b"{", b" {"), (b"}", b"}\n"), (b'"content":"', b'"content":"0'), (b'"content":"', b'"Content":"'),
)  # fmt: skip


@st.composite
def ordinary_chains(draw: st.DrawFn) -> list[Entry]:
    """Draw a chain of which hardly an entry is out of the ordinary."""
    entries: list[Entry] = []
    at = draw(st.sampled_from([0, 1_788_220_800_000_000]))
    for seq in range(draw(st.integers(3, 5))):
        at += draw(st.integers(0, 9))
        oddity = draw(st.sampled_from(["", "", "", "", "key", "key", "redaction", "credential"]))
        entries.append(
            next_entry(
                head_of(entries),
                subject=SubjectId("account:1"),
                at=at,
                kind=REDACTION if oddity == "redaction" else "outcome.recorded",
                key=f"key {seq}" if oddity == "key" else None,
                credential=bytes(32) if oddity == "credential" else None,
            )
        )
    return entries


@st.composite
def any_rows(draw: st.DrawFn) -> list[StoredEntry]:
    """Draw the rows of a chain, one of them changed, in agreement with its other cells or not."""
    rows = cells_of(draw(ordinary_chains()))
    place = draw(st.integers(0, len(rows) - 1))
    rows[place] = draw(changed_rows(rows[place]))
    return rows


@st.composite
def changed_rows(draw: st.DrawFn, row: StoredEntry) -> StoredEntry:
    assert isinstance(row.leaf, bytes)
    assert isinstance(row.salt, bytes)
    assert isinstance(row.content, bytes)
    match draw(st.sampled_from(["cell", "cell", "bytes", "rewriting", "rewriting", "queue", "salt"])):
        case "cell":
            name = draw(st.sampled_from(StoredEntry._fields))
            return row._replace(**{name: draw(other_cells(getattr(row, name)))})
        case "queue":
            index = draw(st.sampled_from([None, row.log_index]))
            return row._replace(
                pending_hash=draw(st.sampled_from([row.leaf_hash, bytes(32)])), log_index=index
            )
        case "salt":
            salt = draw(st.sampled_from([row.salt[:-1], row.salt + b"\0", b""]))
            old, new = (sha256(each + row.content).hexdigest().encode() for each in (row.salt, salt))
            leaf = row.leaf.replace(old, new)
            return row._replace(salt=salt, leaf=leaf, leaf_hash=leaf_hash(leaf))
        case "rewriting":
            old, new = draw(st.sampled_from(REWRITINGS))
            leaf = row.leaf.replace(old, new, 1)
            return row._replace(leaf=leaf, leaf_hash=leaf_hash(leaf))
        case _:
            leaf = draw(changed_bytes(row.leaf))
            return row._replace(leaf=leaf, leaf_hash=leaf_hash(leaf))


@settings(max_examples=500)
@given(any_rows())
def test_a_row_is_taken_only_where_a_look_at_it_finds_nothing(rows: list[StoredEntry]) -> None:
    quick, careful = ChainCheck(log=LOG), ChainCheck(log=LOG)
    for chain in (quick, careful):
        chain.begin(rows[0].subject)
    for row in rows:
        found = [*careful.look_at(row), *careful.look_at_place(row)]
        if quick.takes(row):
            assert found == []
        else:
            assert [*quick.look_at(row), *quick.look_at_place(row)] == found
        assert quick.head == careful.head
        assert (quick.payloads, quick.waiting) == (careful.payloads, careful.waiting)
    assert list(quick.end()) == list(careful.end())


@st.composite
def altered(draw: st.DrawFn, entry: Entry) -> Entry:
    """Draw an entry with one thing in it changed, consistently with the rest of it or not."""
    leaf = entry.leaf
    match draw(st.sampled_from(["bytes", "hash", "leaf", "leaf and bytes", "all", "payload", "key"])):
        case "bytes":
            forged = replace(entry, leaf_bytes=draw(changed_bytes(entry.leaf_bytes)))
        case "hash":
            forged = replace(entry, leaf_hash=draw(hashes))
        case "leaf":
            forged = replace(entry, leaf=draw(changed_leaves(leaf)))
        case "leaf and bytes":
            other = draw(changed_leaves(leaf))
            forged = replace(entry, leaf=other, leaf_bytes=other.encode())
        case "all":
            other = draw(changed_leaves(leaf))
            forged = Entry(
                leaf=other,
                leaf_bytes=other.encode(),
                leaf_hash=leaf_hash(other.encode()),
                payload=entry.payload,
                idempotency_key=entry.idempotency_key,
            )
        case "payload":
            says = st.text().map(lambda text: canonical_bytes({"says": text}))
            forged = replace(entry, payload=draw(st.builds(Payload, salt=hashes, content=says)))
        case _:
            assume(entry.payload is not None)  # nothing vouches for the key of a payload that is gone
            forged = replace(entry, idempotency_key=draw(st.none() | st.text()))
    assume(forged != entry)
    return forged


@st.composite
def changed_leaves(draw: st.DrawFn, leaf: Leaf) -> Leaf:
    other = draw(leaves)
    names = draw(
        st.lists(st.sampled_from([each.name for each in fields(Leaf)]), min_size=1, max_size=2, unique=True)
    )
    changed = replace(leaf, **{name: getattr(other, name) for name in names})
    assume(changed != leaf)
    return changed


@st.composite
def changed_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    changed = bytearray(data)
    changed[draw(st.integers(0, len(data) - 1))] ^= draw(st.integers(1, 255))
    return bytes(changed)
