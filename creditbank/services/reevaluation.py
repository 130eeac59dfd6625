"""What if, for everybody: many learners decided again under some packs, each sort once, on every core.

What a sort of learner comes to, and what makes two learners one sort, is for `conversion.reevaluation`; who
the learners are is for the caller. The answers come in the order of the learners, whoever found them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Self

from creditbank.conversion.reevaluation import Key, Learner, Reevaluation
from creditbank.conversion.solving import Units
from creditbank.errors import InvalidInput
from creditbank.services.ports import Progress
from creditbank.terms import ProgrammeId

Asked = tuple[ProgrammeId, Learner]
AT_ONCE = 20_000
"""Learners that are looked at before what is new about them is shared out."""
WORTH_SHARING = 64
"""New sorts of learners, below which the other processes would cost more than they save."""


def reevaluate(
    asked: Iterable[Asked],
    programmes: Mapping[ProgrammeId, Reevaluation],
    *,
    processes: int = 1,
    on_progress: Progress,
) -> Iterator[Units]:
    """Yield what each learner comes to; what is proved stays known in `programmes` for the next time.

    Raises:
        HoldingInvalid: a learner has two outcomes of one id.
        ProgrammeInvalid: a programme's credits do not fit the step of the packs.
    """
    with Workers(programmes, processes) as workers:
        learners = iter(asked)
        while some := list(islice(learners, AT_ONCE)):
            yield from _decided(some, programmes, workers)
            on_progress(len(some))


def _decided(
    some: Sequence[Asked], programmes: Mapping[ProgrammeId, Reevaluation], workers: "Workers"
) -> Iterator[Units]:
    keys = [programmes[programme].key_of(learner) for programme, learner in some]
    new: dict[tuple[ProgrammeId, Key], Asked] = {}
    for key, one in zip(keys, some, strict=True):
        if key not in programmes[one[0]].known:
            new.setdefault((one[0], key), one)
    found = dict(zip(new, workers.decide(list(new.values())), strict=True))
    for (programme, key), units in found.items():
        programmes[programme].learn(key, units)
    for key, (programme, learner) in zip(keys, some, strict=True):
        known = programmes[programme].known.get(key)
        if known is None:
            is_first = new[programme, key][1] is learner
            known = found[programme, key] if is_first else programmes[programme].decide(learner)
        yield known


class Workers:
    """Processes that decide learners; they start with the first work that is worth sharing."""

    def __init__(self, programmes: Mapping[ProgrammeId, Reevaluation], processes: int) -> None:
        self.programmes = programmes
        self.processes = processes
        self.pipes: list[Connection] = []
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def decide(self, asked: Sequence[Asked]) -> list[Units]:
        """Return what each learner comes to, in their order.

        Raises:
            HoldingInvalid: a learner has two outcomes of one id.
            ProgrammeInvalid: a programme's credits do not fit the step of the packs.
        """
        if self.processes == 1 or len(asked) < WORTH_SHARING:
            return [self.programmes[programme].decide(learner) for programme, learner in asked]
        if not self.pipes:
            self.pipes = [self._start() for _ in range(self.processes)]
        for at, pipe in enumerate(self.pipes):
            pipe.send(asked[at :: self.processes])
        answers = [pipe.recv() for pipe in self.pipes]
        if None in answers:
            return [self.programmes[programme].decide(learner) for programme, learner in asked]
        return [answers[at % self.processes][at // self.processes] for at in range(len(asked))]

    def _start(self) -> Connection:
        """Start a process that ends when this one closes its end of the pipe."""
        context = get_context("spawn")
        copies = {programme: one.forgetful() for programme, one in self.programmes.items()}
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, copies), daemon=True)
        process.start()
        theirs.close()
        self.stack.callback(process.join)
        self.stack.callback(ours.close)
        return ours


def _work(pipe: Connection, programmes: Mapping[ProgrammeId, Reevaluation]) -> None:
    while True:
        try:
            asked = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send([programmes[programme].decide(learner) for programme, learner in asked])
        except InvalidInput:
            pipe.send(None)  # whoever asked meets it again, and says which learner it was
