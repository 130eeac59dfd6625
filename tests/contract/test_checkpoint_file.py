"""Whatever keeps the checkpoint outside the database keeps it whole, and for one publisher at a time."""

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from creditbank.errors import Conflict, Misconfigured
from creditbank.ledger.checkpoint import NOTE_MAX_BYTES
from creditbank.services.ports import OutsideCheckpoint
from creditbank.storage.checkpoint_file import CheckpointFile, MemoryCheckpoint

WRITER = """
import sys
from pathlib import Path
from creditbank.storage.checkpoint_file import CheckpointFile

outside = CheckpointFile(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    with outside.alone():
        outside.write(b"%d " % number * 2_000)
    if number == 1:
        print("writing", flush=True)
"""
HOLDER = """
import sys
from pathlib import Path
from creditbank.storage.checkpoint_file import CheckpointFile

with CheckpointFile(Path(sys.argv[1])).alone():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["memory", "file"])
def outside(request: pytest.FixtureRequest, tmp_path: Path) -> OutsideCheckpoint:
    return MemoryCheckpoint() if request.param == "memory" else CheckpointFile(tmp_path / "checkpoint")


def test_the_last_note_written_is_the_one_that_is_kept(outside: OutsideCheckpoint) -> None:
    assert outside.read() is None
    for note in (b"a longer note", b"a note"):
        with outside.alone():
            outside.write(note)
        assert outside.read() == note
    assert outside.place


def test_publishers_do_not_interleave(outside: OutsideCheckpoint) -> None:
    outside.write(b"0")

    def count_one(_: int) -> None:
        with outside.alone():
            outside.write(b"%d" % (int(outside.read() or b"") + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_one, range(80)))
    assert outside.read() == b"80"


def test_an_error_lets_go_of_the_place(outside: OutsideCheckpoint) -> None:
    def fail() -> None:
        with outside.alone():
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with outside.alone():
        outside.write(b"a note")


def test_another_process_is_waited_for_and_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    outside = CheckpointFile(path, wait_seconds=0.1)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Conflict, match="publisher-busy"), outside.alone():
        pass
    holder.communicate(timeout=30)
    with outside.alone():
        outside.write(b"a note")


def test_a_writer_killed_at_any_moment_leaves_a_whole_note(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    chance = random.Random(7)
    for _ in range(12):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(chance.uniform(0.01, 0.08))
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate(timeout=30)
        note = CheckpointFile(path).read()
        assert note is not None
        assert set(note.split()) == {note.split()[0]}
        assert note.count(b" ") == 2_000
    with CheckpointFile(path, wait_seconds=1).alone():  # the lock of a dead process is nobody's
        pass


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    nowhere = CheckpointFile(tmp_path / "not mounted" / "checkpoint")
    assert nowhere.read() is None
    with pytest.raises(Misconfigured, match=r"checkpoint-file-unwritable.*not mounted"), nowhere.alone():
        pass
    with pytest.raises(Misconfigured, match="checkpoint-file-unwritable"):
        nowhere.write(b"a note")
    (tmp_path / "directory").mkdir()
    directory = CheckpointFile(tmp_path / "directory")
    with pytest.raises(Misconfigured, match="file-is-directory"):
        directory.read()
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match="checkpoint-file-unreadable"):
        CheckpointFile(tmp_path / "file" / "checkpoint").read()
    with pytest.raises(Misconfigured, match="checkpoint-file-unwritable"):
        directory.write(b"a note")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory", "file"]


def test_a_full_disk_leaves_the_note_before(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    CheckpointFile(path).write(b"the note before")
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from creditbank.storage.checkpoint_file import CheckpointFile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "CheckpointFile(Path(sys.argv[1])).write(bytes(100))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=False)
    assert "checkpoint-file-unwritable" in done.stderr
    assert path.read_bytes() == b"the note before"
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint"]


def test_a_file_of_any_length_is_read_no_further_than_a_note_goes(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(bytes(NOTE_MAX_BYTES * 2))
    assert len(CheckpointFile(tmp_path / "checkpoint").read() or b"") == NOTE_MAX_BYTES + 1
