"""What if, for everybody: many learners decided again under some packs, each sort once, on every core.

What a sort of learner comes to, and what makes two learners one sort, is for `conversion.reevaluation`; who
the learners are is for the caller. The answers come in the order of the learners, whoever found them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from creditbank.conversion.reevaluation import Key, Learner, Reevaluation
from creditbank.conversion.solving import Units
from creditbank.services.workers import Workers
from creditbank.terms import ProgrammeId, Progress

Aim = ProgrammeId
"""What names a programme or exam under some packs, among those that are asked about."""
Asked = tuple[Aim, Learner]
AT_ONCE = 20_000
"""Learners that are looked at before what is new about them is shared out."""


def reevaluate(
    asked: Iterable[Asked],
    places: Mapping[Aim, Reevaluation],
    *,
    processes: int = 1,
    on_progress: Progress,
) -> Iterator[Units]:
    """Yield what each learner comes to; what is proved stays known in `places` for the next time.

    Raises:
        HoldingInvalid: a learner has two outcomes of one id.
        ProgrammeInvalid: a programme's credits do not fit the step of the packs.
    """
    deciding = _Deciding(places)
    with Workers(deciding, deciding.forgetful, processes=processes) as workers:
        learners = iter(asked)
        while some := list(islice(learners, AT_ONCE)):
            yield from _decided(some, places, workers)
            on_progress(len(some))


def _decided(
    some: Sequence[Asked], places: Mapping[Aim, Reevaluation], workers: Workers[Asked, Units]
) -> Iterator[Units]:
    keys = [places[aim].key_of(learner) for aim, learner in some]
    new: dict[tuple[Aim, Key], Asked] = {}
    for key, one in zip(keys, some, strict=True):
        if key not in places[one[0]].known:
            new.setdefault((one[0], key), one)
    found = dict(zip(new, workers.answers(list(new.values())), strict=True))
    for (aim, key), units in found.items():
        places[aim].learn(key, units)
    for key, (aim, learner) in zip(keys, some, strict=True):
        known = places[aim].known.get(key)
        if known is None:
            is_first = new[aim, key][1] is learner
            known = found[aim, key] if is_first else places[aim].decide(learner)
        yield known


@dataclass(frozen=True, slots=True)
class _Deciding:
    """Decides a learner in a programme or exam without looking at what is known."""

    places: Mapping[Aim, Reevaluation]

    def __call__(self, asked: Asked) -> Units:
        aim, learner = asked
        return self.places[aim].decide(learner)

    def forgetful(self) -> "_Deciding":
        return _Deciding({aim: one.forgetful() for aim, one in self.places.items()})
