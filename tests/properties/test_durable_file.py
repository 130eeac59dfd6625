"""A crash while a file is written leaves the old one or the new one, whole, and never none."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from creditbank.durable_file import create_file, directory_lock, replace_file

OLD, NEW = b"old " * 1000, b"new " * 2000

# Makes one call, and dies when it comes to the N-th line of the module under test.
DYING = """
import os, signal, sys
from pathlib import Path
from creditbank import durable_file

call, path, fatal = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
seen = 0

def look(frame, event, argument):
    global seen
    if frame.f_code.co_filename == durable_file.__file__ and event == "line":
        seen += 1
        if seen == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
    return look

sys.settrace(look)
getattr(durable_file, call)(path, b"new " * 2000)
"""


def dying_runs(call: str, path: Path) -> Iterator[int]:
    """Yield the exit codes of runs that die a line later each, until one comes through."""
    for fatal in count(1):
        command = [sys.executable, "-c", DYING, call, str(path), str(fatal)]
        code = subprocess.run(command, check=False).returncode
        assert code in {0, -signal.SIGKILL}
        yield code
        if code == 0:
            return


def test_a_replacement_that_dies_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    left_by_the_dead = set()
    for code in dying_runs("replace_file", path):
        left = path.read_bytes()
        assert left in {OLD, NEW}
        if code:
            left_by_the_dead.add(left)
            path.write_bytes(OLD)
    assert left_by_the_dead == {OLD, NEW}
    assert path.read_bytes() == NEW
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_creation_that_dies_leaves_no_file_or_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    left_by_the_dead = set()
    for code in dying_runs("create_file", path):
        left = path.read_bytes() if path.exists() else None
        assert left in {None, NEW}
        if code:
            left_by_the_dead.add(left)
            path.unlink(missing_ok=True)
    assert left_by_the_dead == {None, NEW}
    assert path.read_bytes() == NEW
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_creation_leaves_alone_what_is_not_a_remainder_of_its_own(tmp_path: Path) -> None:
    others = [".file.new", ".file.notes", ".files.0123456789abcdef", ".file.0123456789abcdef0"]
    for name in (*others, ".file.0123456789abcdef"):
        (tmp_path / name).touch()
    create_file(tmp_path / "file", NEW)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([*others, "file"])


def test_the_content_is_on_disk_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        here = path.read_bytes() if path.exists() else None
        synced.append(f"{'directory' if is_directory else 'file'} {here == NEW}")

    monkeypatch.setattr(os, "fsync", fsync)
    create_file(path, NEW)
    path.write_bytes(OLD)
    replace_file(path, NEW)
    assert synced == ["file False", "directory True"] * 2


def test_a_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    create_file(path, OLD)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    link.symlink_to(path)
    replace_file(link, NEW)
    assert link.is_symlink()
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_is_private_unless_it_is_public(tmp_path: Path) -> None:
    for is_public, mode in ((False, 0o600), (True, 0o644)):
        path = tmp_path / f"{is_public}"
        replace_file(path, NEW, is_public=is_public)
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, NEW)
    assert path.read_bytes() == OLD
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_two_writers_take_turns(tmp_path: Path) -> None:
    with directory_lock(tmp_path), pytest.raises(BlockingIOError), directory_lock(tmp_path):
        pass
    with directory_lock(tmp_path):
        pass
