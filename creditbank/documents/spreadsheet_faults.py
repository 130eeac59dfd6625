"""All that the domain refuses in one row: a value stops at its first fault, a clerk wants them all."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import MISSING, fields
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, cast, get_type_hints

from creditbank.errors import InvalidInput
from creditbank.identity.names import NameInvalid, PersonNames
from creditbank.outcomes import OUTCOME_TYPES, Outcome
from creditbank.outcomes.outcome import FrameworkLevel, OutcomeKind
from creditbank.terms import IssuerId

TOGETHER: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "ends-before-it-starts": frozenset({"started_on", "awarded_on"}),
        "expires-before-it-begins": frozenset({"expires_on", "awarded_on"}),
        "position-beyond-team": frozenset({"position", "team_size"}),
    }
)
"""What is said of two members together, and of which."""
_HARMLESS: Mapping[object, object] = MappingProxyType(
    {
        date: date(2000, 1, 1),
        Decimal: Decimal(1),
        FrameworkLevel: FrameworkLevel(framework="x", level="x"),
    }
)


def outcome_or_faults(
    kind: OutcomeKind, members: Mapping[str, Any], *, issuer: IssuerId, unread: AbstractSet[str]
) -> tuple[Outcome | None, list[InvalidInput]]:
    """Return the outcome that has these members, or None and everything that is wrong with them.

    `unread` are members that are stated, and cannot be read: nothing is said of what goes with them, nor of
    what goes with a member that is refused.

    Raises:
        InvalidInput: something is refused that is none of the members, such as the issuer.
    """
    must = _harmless(kind)
    stated = dict(members)
    doubtful = {*unread, *(must.keys() - stated.keys())}
    faults: list[InvalidInput] = []
    while True:
        try:
            outcome = OUTCOME_TYPES[kind](**{**must, **stated, "issuer": issuer})
        except InvalidInput as error:
            together = TOGETHER.get(error.reason, frozenset())
            blamed = stated.keys() & (together or {error.field})
            if not blamed:  # what stands in for a member is never refused
                raise
            if together.isdisjoint(doubtful):
                faults.append(error)
            doubtful |= blamed
            for name in blamed:
                del stated[name]
        else:
            is_whole = not faults and stated.keys() >= must.keys() - {"issuer"}
            return (outcome if is_whole else None), faults


def names_or_faults(
    name: str | None, tibetan: str | None, romanised: str | None
) -> tuple[PersonNames | None, list[NameInvalid]]:
    """Return the names, or None and everything that is wrong with them.

    A name in another script that stands in the first column is taken for what it is.
    """
    try:
        return _names(name, tibetan, romanised), []
    except NameInvalid as error:
        first = error
    faults: list[NameInvalid] = []
    for one in ((name, None, None), (None, tibetan, None), (None, None, romanised)):
        try:
            if any(one):
                _names(*one)
        except NameInvalid as error:
            faults.append(error)
    return None, faults or [first]


def _names(name: str | None, tibetan: str | None, romanised: str | None) -> PersonNames:
    try:
        return PersonNames(chinese=name, tibetan=tibetan, romanised=romanised)
    except NameInvalid as error:
        if (error.reason, error.field) != ("name-script", "chinese"):
            raise
        with suppress(NameInvalid):
            if tibetan is None:
                return PersonNames(tibetan=name, romanised=romanised)
        with suppress(NameInvalid):
            if romanised is None:
                return PersonNames(tibetan=tibetan, romanised=name)
        raise


@cache
def _harmless(kind: OutcomeKind) -> Mapping[str, Any]:
    """Return a value that the domain takes for every member that an outcome of the kind must state."""
    built = cast("type[Outcome]", OUTCOME_TYPES[kind])
    hints = get_type_hints(built)
    return {one.name: _HARMLESS.get(hints[one.name], "x") for one in fields(built) if one.default is MISSING}
