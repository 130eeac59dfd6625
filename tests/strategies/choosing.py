"""What the larger strategies draw from, made once and kept.

Hypothesis makes and checks a strategy anew each time it is written down: in a strategy that draws a hundred
values that took most of the time.
"""

from functools import lru_cache
from typing import Any, TypeVar

from hypothesis import strategies as st

_Drawn = TypeVar("_Drawn")

_kept = lru_cache(maxsize=4_096, typed=True)


@_kept
def either(*values: object) -> st.SearchStrategy[Any]:
    """One of the values; one that is given several times is drawn as often."""
    return st.sampled_from(values)


@_kept
def maybe(strategy: st.SearchStrategy[_Drawn]) -> st.SearchStrategy[_Drawn | None]:
    """What the strategy draws, or nothing. It has to be one that is kept itself."""
    return st.none() | strategy


def seldom(usual: object, *others: object) -> st.SearchStrategy[Any]:
    """The usual value nine times in ten."""
    return either(*(usual,) * (9 * len(others)), *others)


@_kept
def up_to(most: int, *values: object, least: int = 0) -> st.SearchStrategy[frozenset[Any]]:
    """A set of so many of the values."""
    return st.frozensets(st.sampled_from(values), min_size=least, max_size=most)


@_kept
def several_of(most: int, *values: object) -> st.SearchStrategy[list[Any]]:
    """A list of at most so many of the values, in which one may stand several times."""
    return st.lists(st.sampled_from(values), max_size=most)


@_kept
def in_any_order(count: int) -> st.SearchStrategy[list[int]]:
    """The numbers from 0 to below `count`."""
    return st.permutations(range(count))
