"""Work on many things shared out among processes: the answers come in the order of what was asked.

Whoever finds an answer finds the same, so that the number of processes is not seen in any of them.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Generic, Self, TypeVar

from creditbank.errors import InvalidInput

A = TypeVar("A")
R = TypeVar("R")
WORTH_SHARING = 64
"""Things to do, below which starting the other processes would cost more than they save."""


class Workers(Generic[A, R]):
    """Processes that work; they start with the first work that is worth sharing, of so many things.

    `here` answers in this process; `there` makes what answers in another: it is sent there once.
    """

    def __init__(
        self,
        here: Callable[[A], R],
        there: Callable[[], Callable[[A], R]],
        *,
        processes: int,
        worth_sharing: int = WORTH_SHARING,
    ) -> None:
        self.here = here
        self.there = there
        self.processes = processes
        self.worth_sharing = worth_sharing
        self.pipes: list[Connection] = []
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def answers(self, asked: Sequence[A]) -> list[R]:
        """Return the answer to each, in their order.

        Raises:
            InvalidInput: as `here` does.
        """
        if self.processes == 1 or (not self.pipes and len(asked) < self.worth_sharing):
            return [self.here(one) for one in asked]
        if not self.pipes:
            there = self.there()
            self.pipes = [self._start(there) for _ in range(self.processes)]
        for at, pipe in enumerate(self.pipes):
            pipe.send(asked[at :: self.processes])
        answers = [pipe.recv() for pipe in self.pipes]
        if None in answers:
            return [self.here(one) for one in asked]
        return [answers[at % self.processes][at // self.processes] for at in range(len(asked))]

    def _start(self, there: Callable[[A], R]) -> Connection:
        """Start a process that ends when this one closes its end of the pipe."""
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, there), daemon=True)
        process.start()
        theirs.close()
        self.stack.callback(process.join)
        self.stack.callback(ours.close)
        return ours


def _work(pipe: Connection, there: Callable[[Any], object]) -> None:
    while True:
        try:
            asked = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send([there(one) for one in asked])
        except InvalidInput:
            pipe.send(None)  # whoever asked meets it again, and says of what it was
