"""What a command shows: sentences and tables for people, JSON for programs, progress on long work."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bar,
)
from rich.text import Text

from creditbank.errors import CreditBankError, IntegrityBroken
from creditbank.ledger.encoding import JsonValue
from creditbank.locale.catalogue import Catalogue
from creditbank.terms import InputWarning

if TYPE_CHECKING:
    from creditbank.terms import Progress

NEGATIVE = 1
"""Exit code: the question was answered, and the answer is no."""
MISUSE = 2
"""Exit code: the question could not be answered as it was put."""

PROGRESS_FROM = 1_000
"""Steps of work from which a bar is worth its place."""

console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_json(value: JsonValue) -> None:
    """Print one JSON value on standard output, and nothing else."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def print_warnings(words: Catalogue, warnings: Iterable[InputWarning]) -> None:
    """Say what was odd about the question, beside the answer."""
    for warning in warnings:
        console.print(words.warning(warning), style="yellow")


def print_error(error: CreditBankError, words: Catalogue) -> int:
    """Say what is wrong and what to do next, on standard error; return the exit code.

    Where a command helps that those who ask over HTTP do not have, it is named here alone.
    """
    problem = words.problem(error)
    errors.print(f"{problem.title} [{problem.code}/{problem.reason}]", style="bold red")
    command = f"word.command-for-{problem.reason}"
    said = [problem.detail, words.text(command)] if words.has(command) else [problem.detail]
    errors.print(words.sentences(said))
    return NEGATIVE if isinstance(error, IntegrityBroken) else MISUSE


class RateColumn(ProgressColumn):
    """How many steps a second are done."""

    def render(self, task: Task) -> Text:
        """Return the rate of the last half minute, or of all of it at the end; nothing at the beginning."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


def bar_columns() -> tuple[ProgressColumn, ...]:
    """Return what a bar shows: the work, how much of it is done, how fast, since when, and how long still."""
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )


@contextmanager
def progress(title: str, *, total: int | None = None, done: int = 0) -> Iterator["Progress"]:
    """Yield the function that moves a bar on standard error, with the rate and the time that is left.

    The bar shows itself from 1,000 steps on. `done` steps were done before: they count for the bar, and not
    for the rate.
    """
    bar = Bar(*bar_columns(), console=errors, transient=True)
    task = bar.add_task(title, total=total, completed=done)

    def step(steps: int) -> None:
        nonlocal done
        done += steps
        if (total or done) >= PROGRESS_FROM:
            bar.start()
            bar.update(task, completed=done)

    try:
        yield step
    finally:
        if bar.live.is_started:
            bar.stop()
