"""`python -m tests.driver` keeps what it promises to harnesses that know nothing of us."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver.__main__ import main
from tests.driver.database import Database
from tests.engines import postgresql_url
from tests.faults.keeper import cleared


@pytest.fixture(params=["sqlite", "postgresql"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """How a harness names a database that is not there yet."""
    if request.param == "sqlite":
        yield str(tmp_path / "bank.db")
    else:
        with postgresql_url(migrated=False) as url, cleared(Database.named(url)):
            yield url


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    assert main(list(arguments)) == code
    return capsys.readouterr().out.splitlines()


def test_what_is_acknowledged_is_listed_known_and_whole(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said(capsys, "write", name, "t1", "--count", "9", "--at-once", "2")
    tried, acknowledged = (
        {line.split()[1] for line in lines if line.startswith(word)} for word in ("TRY", "ACK")
    )
    assert len(lines) == 18
    assert len(tried) == 9
    assert tried == acknowledged == set(said(capsys, "list", name))
    piece = min(acknowledged)
    (known,) = said(capsys, "one", name, piece)
    assert known.startswith(f"{piece} account=")
    assert "is not in the database" in said(capsys, "one", name, f"{piece}0", code=1)[0]
    said(capsys, "verify", name)


def test_an_id_that_is_asked_for_again_is_recorded_once(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = said(capsys, "write", name, "t1", "--count", "2")[0].split()[1]
    again = said(capsys, "write", name, "t1", "--retry", first, "--count", "1")
    assert again == [f"TRY {first}", f"ACK {first}"]
    assert said(capsys, "list", name).count(first) == 1


def test_a_copy_from_before_the_checkpoint_is_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, held = str(tmp_path / "bank.db"), tmp_path / "checkpoint"
    said(capsys, "write", name, "t1", "--count", "3")
    before = Path(name).read_bytes()
    said(capsys, "write", name, "t1", "--count", "3")
    held.write_text("\n".join(said(capsys, "checkpoint", name)) + "\n", encoding="utf-8")
    said(capsys, "verify", name, str(held))
    Path(name).write_bytes(before)
    said(capsys, "verify", name)
    assert said(capsys, "verify", name, str(held), code=1)
    Path(name).write_bytes(before[:5_000])
    assert said(capsys, "verify", name, code=1)
    Path(name).unlink()
    said(capsys, "verify", name, code=2)


def test_errors_are_told_and_in_the_end_it_gives_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(tmp_path / "bank.db")
    said(capsys, "write", name, "t1", "--count", "1")
    monkeypatch.setenv("CREDITBANK_BACKLOG_LIMIT", "1")
    # Nobody gives the entries their places: soon no more are taken.
    options = ["--publish-every", "600", "--give-up", "1", "--count", "40"]
    lines = said(capsys, "write", name, "t2", *options, code=1)
    assert lines[-1].split()[0] == "ERR"
    assert lines[-1].endswith("log-behind/log-behind")


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
