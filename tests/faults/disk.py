"""A disk that is full: files that may not grow (RLIMIT_FSIZE), and, where root may mount, a small volume.

While it is full everything can be read and verified; once there is room the same process goes on.
"""

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from tests.driver.database import Database
from tests.engines import postgresql_url_on
from tests.faults.figures import Extent, Figures
from tests.faults.keeper import WORKS_WITHIN_SECONDS, Keeper, cleared, file_of, new_database
from tests.faults.processes import Driver

_ROOM_BYTES = 200_000
_VOLUME_BYTES = 64 * 2**20
_UNLIMITED_BYTES = 2**60
_MOUNT_SECONDS = 30
_MEASURES = 100
_PAGE_BYTES = 4096


def limit_files(extent: Extent) -> Figures:
    """Let the files of an SQLite bank grow no further while a writer is at work, so many times."""
    with new_database("sqlite") as database:

        def limit(writer: Driver, bytes_: int) -> None:
            is_less = bytes_ < _UNLIMITED_BYTES
            writer.process.limit_files(_largest_file(database) + bytes_ if is_less else bytes_)

        return _fill("file size limit", "sqlite", database, extent, limit)


def fill_volumes(engine: str, extent: Extent) -> Figures:
    """Leave a volume of the bank's own no room while a writer is at work, so many times.

    Where nothing may be mounted there is nothing to do, and the figures say so.
    """
    if not can_mount():
        figures = Figures(campaign="volume full", engine=engine, wanted=0, seed=extent.seed)
        figures.notes["nothing may be mounted here: the file size limit alone stands for a full disk"] += 1
        return figures.end()
    with _volume() as volume, _database_on(volume, engine) as database:

        def limit(_: Driver, bytes_: int) -> None:
            if bytes_ < _UNLIMITED_BYTES:
                _leave(volume, bytes_)
            else:
                _mount(volume, size=_VOLUME_BYTES, is_again=True)

        return _fill("volume full", engine, database, extent, limit)


@cache
def can_mount() -> bool:
    """Whether this process may mount a volume: root may, unless its container forbids it."""
    if os.geteuid() != 0:
        return False
    try:
        with _volume():
            return True
    except subprocess.CalledProcessError:
        return False


def _fill(
    campaign: str, engine: str, database: Database, extent: Extent, limit: Callable[[Driver, int], None]
) -> Figures:
    """Fill the disk up to a few bytes more or less, look, make room, and see the same writer go on."""
    figures = Figures(campaign=campaign, engine=engine, wanted=extent.faults, seed=extent.seed)
    room = random.Random(extent.seed)
    deadline = extent.deadline()
    keeper = Keeper(database, figures)
    writer = keeper.driver("w", "--at-once", "2", "--give-up", "1000000")
    _expect(writer.acknowledges, figures)
    while figures.done < extent.faults and time.monotonic() < deadline:
        limit(writer, room.randrange(_ROOM_BYTES))
        _expect(writer.fails, figures)
        keeper.look(writer, may_write=False)
        limit(writer, _UNLIMITED_BYTES)
        _expect(writer.acknowledges, figures)
        figures.done += 1
    keeper.stop(writer)
    keeper.end()
    return figures.end()


def _expect(event: Callable[..., bool], figures: Figures) -> None:
    if not event(within=WORKS_WITHIN_SECONDS):
        figures.stuck += 1
        figures.notes[f"never {event.__name__}"] += 1


def _largest_file(database: Database) -> int:
    file = file_of(database)
    return max(path.stat().st_size for path in file.parent.glob(f"{file.name}*") if path.is_file())


@contextmanager
def _database_on(volume: Path, engine: str) -> Iterator[Database]:
    if engine == "sqlite":
        # The bank's own directory lies beside its file, on the same volume.
        yield Database.named(str(volume / "bank.db"))
    else:
        with postgresql_url_on(volume) as url, cleared(Database.named(url)) as database:
            yield database


@contextmanager
def _volume() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        Path(folder).chmod(0o711)
        volume = Path(folder) / "volume"
        volume.mkdir()
        _mount(volume, size=_VOLUME_BYTES)
        try:
            yield volume
        finally:
            # Lazily: where a campaign broke off, its writer may not have ended yet.
            _run("umount", "--lazy", str(volume))


def _leave(volume: Path, bytes_: int) -> None:
    """Leave the volume so much room; where a writer takes it in the meantime, measure again."""
    for _ in range(_MEASURES):
        with suppress(subprocess.CalledProcessError):
            _mount(volume, size=_used_bytes(volume) + bytes_, is_again=True)
            return
        bytes_ += _PAGE_BYTES
    raise AssertionError(f"{volume} cannot be made small")


def _mount(volume: Path, *, size: int, is_again: bool = False) -> None:
    _run("mount", "-t", "tmpfs", "-o", f"{'remount,' if is_again else ''}size={size}", "tmpfs", str(volume))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=_MOUNT_SECONDS)


def _used_bytes(volume: Path) -> int:
    status = os.statvfs(volume)
    return (status.f_blocks - status.f_bfree) * status.f_frsize
