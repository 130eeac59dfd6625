"""Single bits flipped in a closed SQLite file: each is found, or means nothing at all."""

import random
import time

from tests.driver.database import Database
from tests.faults.figures import Extent, Figures
from tests.faults.keeper import copied, file_of
from tests.faults.stored import Dump, dump, is_missed_with_keys, is_seen, written_bank
from tests.faults.tampering import BESIDE_THE_LEDGER


def flip_bits(extent: Extent) -> Figures:
    """Flip so many single bits, each in a fresh copy."""
    figures = Figures(campaign="bit flips", engine="sqlite", wanted=extent.faults, seed=extent.seed)
    places = random.Random(extent.seed)
    deadline = extent.deadline()
    pristine, held = written_bank("sqlite")
    whole = dump(pristine)
    bits = file_of(pristine).stat().st_size * 8
    while figures.done < extent.faults and time.monotonic() < deadline:
        place = places.randrange(bits)
        with copied(pristine) as copy:
            _flip(copy, place)
            figures.notes[_verdict(copy, held, whole, figures, place)] += 1
        figures.done += 1
    return figures.end()


def _flip(database: Database, place: int) -> None:
    content = bytearray(file_of(database).read_bytes())
    content[place // 8] ^= 1 << place % 8
    file_of(database).write_bytes(content)


def _verdict(copy: Database, held: bytes, whole: Dump, figures: Figures, place: int) -> str:
    if is_seen(copy, held):
        return "seen by verification"
    found = dump(copy)
    differing = {table for table in whole.keys() | found.keys() if found.get(table) != whole.get(table)}
    if not differing:
        return "without any meaning"
    if differing <= BESIDE_THE_LEDGER:
        return "seen with the keys" if is_missed_with_keys(copy) else "beside the ledger, not seen"
    figures.unseen += 1
    return f"silent: bit {place} in {sorted(differing)}"
