"""Turns: the product and its peer take them one after the other, so that what disturbs them disturbs both."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

ROUNDS = 7

Rate = Callable[[], float]
"""Does some work and returns how much of it was done a second."""


def rates_of(work: Mapping[str, Rate], *, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Let everybody take a turn, `rounds` times, after one that does not count; return the rates of each."""
    for rate in work.values():
        rate()
    rates: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, rate in work.items():
            rates[name].append(rate())
    return rates


def ratios_of(product: list[float], peer: list[float]) -> list[float]:
    """Return the ratio of each turn."""
    return [ours / theirs for ours, theirs in zip(product, peer, strict=True)]


def rate_of(count: int, work: Callable[[], object]) -> float:
    """Do `count` pieces of work once, and return how many a second that was."""
    start = perf_counter()
    work()
    return count / (perf_counter() - start)


def middle(rates: list[float]) -> float:
    return median(rates)
