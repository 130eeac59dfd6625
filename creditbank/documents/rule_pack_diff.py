"""What differs between two rule packs as written: tables added and removed, and changed member by member.

Read off their canonical JSON, so nothing that the digest covers is passed over: two packs without a
difference are the same bytes. What a change does to learners is for `conversion.policy_diff`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from types import MappingProxyType
from typing import Literal

from creditbank.ledger.encoding import JsonValue, canonical_bytes

ChangeKind = Literal["added", "removed", "changed", "moved"]
_Table = dict[str, JsonValue]
_NAMED_BY: Mapping[str, str] = MappingProxyType(
    {
        "citation": "id",
        "scale": "framework",
        "attribute": "name",
        "fact": "name",
        "recognition": "id",
        "mark_table": "id",
        "programme": "id",
        "exam": "id",
        "rule": "id",
        "example": "name",
        "courses": "id",
        "buckets": "id",
        "caps": "id",
        "parts": "id",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference; `place` reads as people write it: rule[voc-2].premise[1].min_level.

    `moved` says that tables whose order may matter stand in another order; before and after are their names.
    """

    kind: ChangeKind
    place: str
    before: JsonValue = None
    after: JsonValue = None


def changes_between(before: _Table, after: _Table) -> tuple[Change, ...]:
    """Return every difference between the canonical JSON of two packs, in the order of the first."""
    return tuple(_of_tables(before, after, ""))


def _of_tables(before: _Table, after: _Table, place: str) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        member = f"{place}.{key}" if place else key
        if key in before and key in after:
            yield from _of_values(before[key], after[key], member, key)
            continue
        value = before[key] if key in before else after[key]
        tables = _tables_in(value, key)
        if tables:
            (names,) = _names(key, tables)
            pairs = zip(names, tables, strict=True)
            yield from (_alone(f"{member}[{name}]", table, is_new=key in after) for name, table in pairs)
        else:
            yield _alone(member, value, is_new=key in after)


def _alone(place: str, value: JsonValue, *, is_new: bool) -> Change:
    if is_new:
        return Change(kind="added", place=place, after=value)
    return Change(kind="removed", place=place, before=value)


def _of_values(before: JsonValue, after: JsonValue, place: str, key: str) -> Iterator[Change]:
    if canonical_bytes(before) == canonical_bytes(after):
        return
    match before, after:
        case dict(), dict():
            yield from _of_tables(before, after, place)
        case list(), list():
            olds, news = _tables_in(before, key), _tables_in(after, key)
            if olds is None or news is None:
                yield from _of_lists(before, after, place)
            else:
                yield from _of_named(key, olds, news, place)
        case _:
            yield Change(kind="changed", place=place, before=before, after=after)


def _tables_in(value: JsonValue, key: str) -> list[_Table] | None:
    """Return the tables of a list in which each has its name; None for anything else."""
    if key not in _NAMED_BY or not isinstance(value, list):
        return None
    tables = [table for table in value if isinstance(table, dict) and _NAMED_BY[key] in table]
    return tables if len(tables) == len(value) else None


def _names(key: str, *sides: Sequence[_Table]) -> list[list[str]]:
    """Return the name of each table, with its version where either side has several of one id."""
    ids = [[str(table[_NAMED_BY[key]]) for table in side] for side in sides]
    several = {name for side in ids for name, count in Counter(side).items() if count > 1}
    named: list[list[str]] = []
    for side, of_side in zip(sides, ids, strict=True):
        seen: Counter[str] = Counter()
        named.append([])
        for table, name in zip(side, of_side, strict=True):
            shown = f"{name} v{table.get('version', 1)}" if name in several else name
            seen[shown] += 1
            named[-1].append(shown if seen[shown] == 1 else f"{shown} ({seen[shown]})")
    return named


def _of_named(key: str, before: list[_Table], after: list[_Table], place: str) -> Iterator[Change]:
    old_names, new_names = _names(key, before, after)
    olds = dict(zip(old_names, before, strict=True))
    news = dict(zip(new_names, after, strict=True))
    for name, table in olds.items():
        if name in news:
            yield from _of_tables(table, news[name], f"{place}[{name}]")
        else:
            yield _alone(f"{place}[{name}]", table, is_new=False)
    for name, table in news.items():
        if name not in olds:
            yield _alone(f"{place}[{name}]", table, is_new=True)
    stood: list[JsonValue] = [name for name in old_names if name in news]
    stands: list[JsonValue] = [name for name in new_names if name in olds]
    if stood != stands:
        yield Change(kind="moved", place=place, before=stood, after=stands)


def _of_lists(before: list[JsonValue], after: list[JsonValue], place: str) -> Iterator[Change]:
    """Compare lists of anything else: what stands in both, in order, is left out."""
    if not any(isinstance(item, dict | list) for item in (*before, *after)):
        yield Change(kind="changed", place=place, before=before, after=after)
        return
    olds, news = ([canonical_bytes(item) for item in side] for side in (before, after))
    for tag, old, old_end, new, new_end in SequenceMatcher(a=olds, b=news, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        both = min(old_end - old, new_end - new)
        for number in range(both):
            at = f"{place}[{new + number + 1}]"
            yield from _of_values(before[old + number], after[new + number], at, "")
        for number in range(old + both, old_end):
            yield _alone(f"{place}[{number + 1}]", before[number], is_new=False)
        for number in range(new + both, new_end):
            yield _alone(f"{place}[{number + 1}]", after[number], is_new=True)
