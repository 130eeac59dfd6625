"""A ledger as tables of rows that anyone may change: what a database would hand to the audit."""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from operator import itemgetter
from typing import Any, TypeVar

from hypothesis import assume
from hypothesis import strategies as st

from creditbank.ledger.audit import (
    EntryCells,
    Finding,
    LedgerRows,
    Part,
    Places,
    StoredCheckpoint,
    StoredCosignature,
    StoredLogLeaf,
    StoredState,
    Subjects,
)
from creditbank.ledger.audit_report import EngineCheck, EngineChecked
from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.entry import REDACTION, Entry, leaf_hash
from creditbank.ledger.merkle import EMPTY_ROOT
from creditbank.ledger.tiles import edge, grow
from creditbank.terms import SubjectId
from tests.strategies.choosing import either
from tests.strategies.ledger import LOG, Signer, head_of, next_entry, without_payload

Row = dict[str, object]
_KINDS: Mapping[type, int] = {type(None): 0, bool: 1, int: 1, float: 1, str: 2}

SIGNER = Signer(LOG, bytes(32))
_NOTHING: Row = defaultdict(lambda: None)


TABLES = ("entry", "payload", "pending", "log_leaf", "tile", "log_state", "checkpoint")


class StoredLedger:
    """What the tables hold; joined by equality and ordered by type and value, as SQL does."""

    def __init__(self) -> None:
        self.entry: list[Row] = []
        self.payload: list[Row] = []
        self.pending: list[Row] = []
        self.log_leaf: list[Row] = []
        self.tile: list[Row] = []
        self.log_state: list[Row] = []
        self.checkpoint: list[Row] = []

    def __repr__(self) -> str:
        return f"{len(self.entry)} entries" if len(self.entry) > 20 else repr(vars(self))

    def copy(self) -> "StoredLedger":
        other = StoredLedger()
        for name in TABLES:
            other.table(name).extend(dict(row) for row in self.table(name))
        return other

    def table(self, name: str) -> list[Row]:
        rows: list[Row] = getattr(self, name)
        return rows

    def row(self, table: str, **values: object) -> Row:
        """Return the one row that has these values."""
        (found,) = (row for row in self.table(table) if values.items() <= row.items())
        return found

    def size(self) -> int:
        return len(self.entry)

    def subject_after(self, first: str | None, entries: int) -> str | None:
        subjects = [row["subject"] for row in _within(self.entry, "subject", first, None)]
        if len(subjects) <= entries:
            return None
        found = subjects[entries]
        if found == first:
            found = next((subject for subject in subjects if subject != first), None)
        return found if isinstance(found, str) else None

    def entries(self, span: Subjects) -> Iterator[Sequence[EntryCells]]:
        payloads, places, queue = (_by_entry(each) for each in (self.payload, self.log_leaf, self.pending))
        for row in _ordered(_within(self.entry, "subject", *span), "subject", "seq"):
            joined = (_joined(row, others) for others in (payloads, places, queue))
            entry = (row["subject"], row["seq"], row["leaf"], row["leaf_hash"], row["idempotency_key"])
            yield [
                (*entry, payload["salt"], payload["bytes"], place["log_index"], queued["leaf_hash"])
                for payload, place, queued in product(*joined)
            ]

    def counts(self, span: Subjects) -> tuple[int, int]:
        return (
            len(_within(self.payload, "subject", *span)),
            len(_within(self.pending, "subject", *span)),
        )

    def strays(self, span: Subjects) -> Iterator[tuple[str, object, object]]:
        entries = _by_entry(self.entry)
        strays = [
            {**row, "table": name}
            for name in ("payload", "pending")
            for row in _within(self.table(name), "subject", *span)
            if _joined(row, entries) == [_NOTHING]
        ]
        for row in _ordered(strays, "subject", "seq", "table"):
            yield str(row["table"]), row["subject"], row["seq"]

    def place_after(self, first: int, places: int) -> int | None:
        rows = _within(self.log_leaf, "log_index", first, None)
        found = rows[places]["log_index"] if len(rows) > places else None
        return found if type(found) is int else None

    def places(self) -> int:
        last = _ordered(self.log_leaf, "log_index")[-1:]
        index = last[0]["log_index"] if last else -1
        return max(index + 1, 0) if type(index) is int else 0

    def log_leaves(self, span: Places) -> Iterator[StoredLogLeaf]:
        entries = _by_entry(self.entry)
        for row in _within(self.log_leaf, "log_index", *span):
            for entry in _joined(row, entries):
                yield StoredLogLeaf(row["log_index"], row["subject"], row["seq"], entry["leaf_hash"])

    def leaf_hashes(self, span: Places) -> Iterator[Sequence[tuple[object, object]]]:
        for leaf in self.log_leaves(span):
            yield [(leaf.log_index, leaf.leaf_hash)]

    def tiles(self, first: int, end: int) -> Iterator[tuple[object, object]]:
        level = [row for row in self.tile if row["level"] == 0]
        for row in _within(level, "tile_index", first, end):
            yield row["tile_index"], row["hashes"]

    def tile_at(self, level: int, index: int) -> object:
        found = [row["hashes"] for row in self.tile if (row["level"], row["tile_index"]) == (level, index)]
        return found[0] if found else None

    def tile_places(self) -> Iterator[tuple[object, object]]:
        for row in _ordered(self.tile, "level", "tile_index"):
            yield row["level"], row["tile_index"]

    def states(self) -> Iterator[StoredState]:
        for row in self.log_state:
            yield StoredState(row["size"], row["root"])

    def checkpoints(self, after: int | None = None) -> Generator[StoredCheckpoint, None, None]:
        first = None if after is None else after + 1
        for row in _within(self.checkpoint, "size", first, None):
            yield StoredCheckpoint(row["size"], row["note"])

    def cosignatures(self) -> Iterator[StoredCosignature]:
        """Yield none: what may stand in them has laws of its own (`test_audit_cosignatures`)."""
        yield from ()


class Rows:
    """The rows of a stored ledger, under the names of the port."""

    def __init__(self, stored: StoredLedger) -> None:
        self.size = stored.size
        self.subject_after = stored.subject_after
        self.entries = stored.entries
        self.counts = stored.counts
        self.strays = stored.strays
        self.place_after = stored.place_after
        self.places = stored.places
        self.log_leaves = stored.log_leaves
        self.leaf_hashes = stored.leaf_hashes
        self.tile = stored.tile_at
        self.tiles = stored.tiles
        self.tile_places = stored.tile_places
        self.states = stored.states
        self.checkpoints = stored.checkpoints
        self.cosignatures = stored.cosignatures


T = TypeVar("T")


class StoredExamination:
    """A stored ledger opened for an audit: `services.audit.Examination`."""

    database = "memory"

    def __init__(self, stored: StoredLedger) -> None:
        self.rows: LedgerRows = Rows(stored)

    def structure_findings(self) -> Iterator[Finding]:
        return iter(())

    def begin_engine_check(self) -> Callable[[], EngineChecked]:
        return lambda: EngineChecked(check=EngineCheck(means="memory"))

    def checked(self, parts: Iterable[Part[T]]) -> Iterator[T]:
        return (part.check(self.rows) for part in parts)


def stored(
    entries: Iterable[Entry], *, signed: Iterable[int] = (), queued: Iterable[Entry] = ()
) -> StoredLedger:
    """Return a whole ledger: `entries` in the order of the log, signed at some sizes, and a queue."""
    ledger = StoredLedger()
    sizes = set(signed)
    root, tiles = EMPTY_ROOT, dict[tuple[int, int], bytes]()
    _sign(ledger, sizes, 0, root)
    for index, entry in enumerate(entries):
        _keep(ledger, entry)
        ledger.log_leaf.append({"log_index": index, "subject": entry.leaf.subject, "seq": entry.leaf.seq})
        growth = grow(index, {place: tiles[place] for place in edge(index)}, [entry.leaf_hash])
        root = growth.root
        tiles |= growth.tiles
        _sign(ledger, sizes, growth.size, root)
    for entry in queued:
        _keep(ledger, entry)
        place = {"subject": entry.leaf.subject, "seq": entry.leaf.seq}
        ledger.pending.append({**place, "leaf_hash": entry.leaf_hash})
    for (level, index), hashes in tiles.items():
        ledger.tile.append({"level": level, "tile_index": index, "hashes": hashes})
    ledger.log_state.append({"size": len(ledger.log_leaf), "root": root})
    return ledger


@cache
@st.composite
def histories(draw: st.DrawFn, *, min_size: int = 1) -> list[Entry]:
    """Draw entries of a few chains in the order of the log, with keys and, now and then, a redaction."""
    subjects = [SubjectId(f"account:{name}") for name in draw(either("A", "AB", "ABC"))]
    chains: dict[SubjectId, list[Entry]] = {subject: [] for subject in subjects}
    history: list[SubjectId] = draw(st.lists(st.sampled_from(subjects), min_size=min_size, max_size=9))
    for subject in history:
        seq = len(chains[subject])
        kind = draw(either(REDACTION, "outcome.recorded", "outcome.recorded"))
        key = f"key {seq}" if draw(st.booleans()) else None
        chains[subject].append(next_entry(head_of(chains[subject]), subject=subject, kind=kind, key=key))
    for chain in chains.values():
        redactions = [entry.leaf.seq for entry in chain if entry.leaf.kind == REDACTION]
        # All that they said before is gone; what a redaction itself said may stay.
        kept = set(redactions[-1:]) | draw(
            st.sets(st.sampled_from(redactions)) if redactions else st.just(set())
        )
        for seq in set(range(max(redactions, default=0))) - kept:
            chain[seq] = without_payload(chain[seq])
    return _in_log_order(chains, history)


@cache
@st.composite
def ledgers(draw: st.DrawFn) -> StoredLedger:
    """Draw a small whole ledger, some of its last entries perhaps still waiting for a place in the log."""
    history = draw(histories())
    logged = draw(st.integers(0, len(history)))
    signed = draw(st.sets(st.integers(0, logged)))
    return stored(history[:logged], signed=signed, queued=history[logged:])


@cache
def large_ledger() -> StoredLedger:
    """Return a whole ledger over three full tiles and an edge, signed four times; to be copied."""
    chains = {SubjectId(f"account:{name}"): list[Entry]() for name in "ABCDEFG"}
    history = [list(chains)[(place * place) % 7] for place in range(800)]
    for place, subject in enumerate(history):
        key = f"key {place}" if place % 3 else None
        chains[subject].append(next_entry(head_of(chains[subject]), subject=subject, key=key))
    return stored(_in_log_order(chains, history), signed=(0, 1, 256, 777))


def checkpoint_of(ledger: StoredLedger) -> Checkpoint:
    """Return what the log says of itself now."""
    state = ledger.log_state[0]
    size, root = state["size"], state["root"]
    assert isinstance(size, int)
    assert isinstance(root, bytes)
    return Checkpoint(origin=LOG, size=size, root=root)


@st.composite
def changed_cells(draw: st.DrawFn, ledger: StoredLedger) -> tuple[str, str, Row, StoredLedger]:
    """Draw one cell that holds something else: its table, its column, its row as it was, and the ledger."""
    changed = ledger.copy()
    tables = [name for name in TABLES if ledger.table(name)]
    table = draw(st.sampled_from(tables))
    place = draw(st.integers(0, len(ledger.table(table)) - 1))
    row = ledger.table(table)[place]
    column = draw(st.sampled_from(sorted(row)))
    if (table, column) == ("entry", "idempotency_key"):
        # Nothing vouches for the key of a payload that is gone.
        assume(_joined(row, _by_entry(ledger.payload)) != [_NOTHING])
    old = row[column]
    another = draw(st.integers(0, len(ledger.table(table)) - 1))
    new = ledger.table(table)[another][column] if draw(st.booleans()) else draw(other_cells(old))
    assume(new != old)  # 1 and 1.0 are one key
    changed.table(table)[place][column] = new
    return table, column, row, changed


@st.composite
def damaged(draw: st.DrawFn, ledger: StoredLedger) -> StoredLedger:
    """Draw the ledger with up to three cells changed or rows taken out, often of neighbours."""
    changed = ledger.copy()
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            *_, changed = draw(changed_cells(changed))
        else:
            table = changed.table(draw(st.sampled_from([name for name in TABLES if changed.table(name)])))
            del table[draw(st.integers(0, len(table) - 1))]
    return changed


@st.composite
def other_cells(draw: st.DrawFn, old: object) -> object:
    """Draw what a cell may hold instead: something near, or of another type."""
    # By name, because hypothesis prints what it draws from, and a tile is long.
    change = draw(either("flip", "cut", "extend", "turn", "convert", "anything"))
    match change, old:
        case "flip", bytes() if old:
            place = draw(st.integers(0, len(old) - 1))
            return old[:place] + bytes([old[place] ^ 1 << draw(st.integers(0, 7))]) + old[place + 1 :]
        case "cut", bytes() | str():
            return old[:-1]
        case "extend", bytes():
            return old + b"\x00"
        case "extend", str():
            return old + " "
        case "turn", bytes() | str():
            return old[::-1]
        case "convert", bytes():
            return old.hex()
        case "convert", str():
            return old.encode()
        case (("flip" | "cut" | "extend" | "turn"), int()):
            return old + draw(st.sampled_from([-1, 1, 2**40, -2 * old]))
        case "convert", int():
            return draw(st.sampled_from([float(old), str(old)]))
        case _:
            return draw(st.none() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary())


def _keep(ledger: StoredLedger, entry: Entry) -> None:
    place: Row = {"subject": entry.leaf.subject, "seq": entry.leaf.seq}
    ledger.entry.append(
        {
            **place,
            "leaf": entry.leaf_bytes,
            "leaf_hash": leaf_hash(entry.leaf_bytes),
            "idempotency_key": entry.idempotency_key,
        }
    )
    if entry.payload is not None:
        ledger.payload.append({**place, "salt": entry.payload.salt, "bytes": entry.payload.content})


def _sign(ledger: StoredLedger, sizes: set[int], size: int, root: bytes) -> None:
    if size in sizes:
        note = SIGNER.sign(Checkpoint(origin=LOG, size=size, root=root).body())
        ledger.checkpoint.append({"size": size, "note": note})


def _in_log_order(chains: Mapping[SubjectId, list[Entry]], history: list[SubjectId]) -> list[Entry]:
    chains_left = {subject: iter(chain) for subject, chain in chains.items()}
    return [next(chains_left[subject]) for subject in history]


def _by_entry(rows: list[Row]) -> dict[tuple[object, object], list[Row]]:
    found = defaultdict[tuple[object, object], list[Row]](list)
    for row in rows:
        found[row["subject"], row["seq"]].append(row)
    return found


def _joined(row: Row, others: Mapping[tuple[object, object], list[Row]]) -> list[Row]:
    key = (row["subject"], row["seq"])
    return (others.get(key) if None not in key else None) or [_NOTHING]


def _within(rows: list[Row], column: str, first: object, end: object) -> list[Row]:
    """Return the rows between two bounds, None being none, in order."""
    low, high = _rank(first), _rank(end)
    within = [
        (rank, row)
        for row in rows
        for rank in [_rank(row[column])]
        if (first is None or low <= rank) and (end is None or rank < high)
    ]
    return [row for _, row in sorted(within, key=itemgetter(0))]


def _ordered(rows: list[Row], *columns: str) -> list[Row]:
    return sorted(rows, key=lambda row: [_rank(row[column]) for column in columns])


def _rank(cell: object) -> tuple[int, Any]:
    """Order as SQL does: nothing, numbers, texts by code point, which is the order of their bytes, bytes."""
    return _KINDS.get(type(cell), 3), cell
