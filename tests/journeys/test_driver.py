"""`python -m tests.driver` keeps what it promises to harnesses that know nothing of us."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.driver.__main__ import main
from tests.driver.database import Database
from tests.engines import postgresql_url
from tests.faults.keeper import cleared
from tests.faults.processes import Forked


@pytest.fixture(params=["sqlite", "postgresql"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """How a harness names a database that is not there yet."""
    if request.param == "sqlite":
        yield str(tmp_path / "bank.db")
    else:
        with postgresql_url(migrated=False) as url, cleared(Database.named(url)):
            yield url


def said(*arguments: str, code: int = 0) -> list[str]:
    """Run the driver in a process of its own; return what it printed, once its exit code is as expected."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        driver = Forked(main, list(arguments), log=log)
        printed = driver.ended()
        assert driver.exit_code == code, (arguments, printed, log.read_text())
        return printed


def test_what_is_acknowledged_is_listed_known_and_whole(name: str) -> None:
    lines = said("write", name, "t1", "--count", "9", "--at-once", "2")
    tried, acknowledged = (
        {line.split()[1] for line in lines if line.startswith(word)} for word in ("TRY", "ACK")
    )
    assert len(lines) == 18
    assert len(tried) == 9
    assert tried == acknowledged == set(said("list", name))
    piece = min(acknowledged)
    (known,) = said("one", name, piece)
    assert known.startswith(f"{piece} account=")
    assert "is not in the database" in said("one", name, f"{piece}0", code=1)[0]
    said("verify", name)


def test_an_id_that_is_asked_for_again_is_recorded_once(name: str) -> None:
    first = said("write", name, "t1", "--count", "2")[0].split()[1]
    again = said("write", name, "t1", "--retry", first, "--count", "1")
    assert again == [f"TRY {first}", f"ACK {first}"]
    assert said("list", name).count(first) == 1


def test_a_copy_from_before_the_checkpoint_is_damage(tmp_path: Path) -> None:
    name, held = str(tmp_path / "bank.db"), tmp_path / "checkpoint"
    said("write", name, "t1", "--count", "3")
    before = Path(name).read_bytes()
    said("write", name, "t1", "--count", "3")
    held.write_text("\n".join(said("checkpoint", name)) + "\n", encoding="utf-8")
    said("verify", name, str(held))
    Path(name).write_bytes(before)
    said("verify", name)
    assert said("verify", name, str(held), code=1)
    Path(name).write_bytes(before[:5_000])
    assert said("verify", name, code=1)
    Path(name).unlink()
    said("verify", name, code=2)


def test_errors_are_told_and_in_the_end_it_gives_up(tmp_path: Path) -> None:
    name = str(tmp_path / "bank.db")
    said("write", name, "t1", "--count", "1")
    # Nobody gives the entries their places: soon no more are taken.
    options = ["--publish-every", "600", "--give-up", "1", "--count", "5000"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.driver", "write", name, "t2", *options],
        env=os.environ | {"CREDITBANK_BACKLOG_LIMIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1].split()[0] == "ERR"
    assert done.stdout.endswith("log-behind/log-behind\n")


def test_it_stops_when_it_is_asked_to_and_its_server_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.driver", "write", str(tmp_path / "bank.db"), "t1", "--server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        assert driver.stderr is not None
        lines = [driver.stdout.readline() for _ in range(6)]
        server = next(line for line in driver.stderr if line.startswith("SERVER")).split()[1]
        driver.send_signal(signal.SIGTERM)
        rest, _ = driver.communicate(timeout=60)
    assert driver.returncode == 0
    assert [line.split()[0] for line in lines] == ["TRY", "ACK"] * 3
    assert rest.splitlines()[-1:] == [] or rest.splitlines()[-1].split()[0] in {"ACK", "ERR"}
    with pytest.raises(ProcessLookupError):
        os.kill(int(server), 0)
