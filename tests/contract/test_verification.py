"""Verification as it is run: by several processes, killed and gone on with, beside writers, memory flat."""

import gc
import json
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from creditbank.cli.verify_report import ReportFile
from creditbank.errors import Misconfigured
from creditbank.ledger.audit import Subjects
from creditbank.ledger.audit_chains import ChainsPart
from creditbank.ledger.audit_report import AuditReport
from creditbank.locale.catalogue import catalogue
from creditbank.services.audit import Cut
from creditbank.storage.sql_examination import examined
from creditbank.storage.sql_store import SqlStore
from tests.contract.attacks import DIALECTS, bank, changed, empty_bank, keep_checkpoint, verified
from tests.strategies.books import LOG, chain, subject

SMALL = Cut(entries=20, places=256)
either = pytest.mark.parametrize("dialect", DIALECTS)

DAMAGES = {
    "nothing": "SELECT 1",
    "a leaf": "UPDATE entry SET leaf_hash = zeroblob(32) WHERE subject = 'account:c' AND seq = 9",
    "an entry": "DELETE FROM entry WHERE subject = 'account:c' AND seq IN (3, 200)",
    "a place": "DELETE FROM log_leaf WHERE log_index IN (7, 250)",
    "a tile": "DELETE FROM tile WHERE level = 0 AND tile_index = 0",
    "payloads": "DELETE FROM payload WHERE seq > 2",
    "keys": "UPDATE entry SET idempotency_key = 'k' WHERE seq = 1",
}
IN_POSTGRESQL = {"a leaf": "UPDATE entry SET leaf_hash = sha256(leaf) WHERE seq = 9"}


def same(report: AuditReport) -> AuditReport:
    """Return what does not depend on when and in how many runs it was found."""
    task = replace(report.task, database="")
    return replace(report, task=task, runs=(), finished_at=None)


def damage(engine: Engine, name: str) -> None:
    in_postgresql = IN_POSTGRESQL if engine.dialect.name == "postgresql" else {}
    changed(engine, in_postgresql.get(name, DAMAGES[name]))


@either
@pytest.mark.parametrize("name", DAMAGES)
def test_small_parts_find_what_a_large_one_finds(dialect: str, name: str) -> None:
    with bank(dialect) as engine:
        held = keep_checkpoint(SqlStore(engine))
        damage(engine, name)
        whole = verified(engine, held=held)
        assert bool(whole.findings) == (name != "nothing")
        assert same(verified(engine, held=held, cut=SMALL)) == same(whole)


@either
@pytest.mark.parametrize("names", [[], sorted(DAMAGES)], ids=["nothing", "everything"])
def test_several_processes_find_what_one_finds(dialect: str, names: list[str]) -> None:
    with bank(dialect) as engine:
        held = keep_checkpoint(SqlStore(engine))
        for name in names:
            damage(engine, name)
        alone = verified(engine, held=held)
        assert len(alone.findings) > 10 if names else alone.is_whole
        for workers in (2, 3):
            assert same(verified(engine, held=held, workers=workers, cut=SMALL)) == same(alone)


@either
def test_workers_check_while_others_write(dialect: str) -> None:
    with bank(dialect) as engine:
        store = SqlStore(engine)
        with examined(engine, workers=2) as examination:
            assert examination.workers is not None
            with store.writing() as books:
                books.ledger.append(chain(subject("new"), length=300))
                books.ledger.sequence()
            parts = [ChainsPart(log=LOG, subjects=Subjects())] * 3
            checked = list(examination.checked(parts))
            assert {each.findings for each in checked} == {()}
            if dialect == "postgresql":  # all see the one state that the first saw
                assert {each.entries for each in checked} == {276}
        assert verified(engine, workers=2, cut=SMALL).size == 576


def test_a_worker_that_dies_is_said_to_have_died() -> None:
    with bank("sqlite") as engine, examined(engine, workers=2) as examination:
        assert examination.workers is not None
        for process in examination.workers.processes:
            process.kill()
        with pytest.raises(Misconfigured, match="worker-lost"):
            list(examination.checked([ChainsPart(log=LOG, subjects=Subjects())]))


def test_a_worker_that_cannot_open_the_database_says_why(tmp_path: Path) -> None:
    with bank("sqlite") as engine, examined(engine, workers=1) as examination:
        path = Path(engine.url.database or "")
        path.rename(tmp_path / "away.db")
        with pytest.raises(Misconfigured, match="database-unreadable"), examined(engine, workers=2) as others:
            list(others.checked([ChainsPart(log=LOG, subjects=Subjects())]))
        assert examination.workers is None


def verifying(engine: Engine, report: Path, *, pause_seconds: float) -> "subprocess.Popen[str]":
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.contract.verifier", url, str(report), str(pause_seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize(("dialect", "suffix"), [("sqlite", ".json"), ("postgresql", ".txt")])
def test_a_killed_verification_leaves_no_worker_and_is_gone_on_with(
    dialect: str, suffix: str, tmp_path: Path
) -> None:
    report = tmp_path / f"report{suffix}"
    with bank(dialect) as engine:
        changed(engine, "DELETE FROM payload WHERE seq = 9")
        whole = verified(engine, cut=SMALL)
        with verifying(engine, report, pause_seconds=0.05) as process:
            assert process.stdout is not None
            workers = [int(word) for word in process.stdout.readline().split()[1:]]
            for _ in range(5):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        until = time.monotonic() + 20
        while any(map(is_running, workers)) and time.monotonic() < until:
            time.sleep(0.05)
        assert not any(map(is_running, workers))
        file = ReportFile(path=report, is_json=suffix == ".json", words=catalogue("en"))
        early = file.earlier()
        assert early is not None
        assert not early.is_finished
        with verifying(engine, report, pause_seconds=0) as process:
            assert process.wait(timeout=60) == 0
            process.communicate()
        content = report.read_text()
        assert content.count("account:a #9") == 1 if suffix == ".txt" else content.count('"payload-missing"')
        if suffix == ".json":
            document = json.loads(content)
            assert [finding["code"] for finding in document["findings"]] == [
                finding.code for finding in whole.findings
            ]
            assert (document["entries"], document["size"]) == (whole.entries, whole.size)
            assert document["root"] == whole.root.hex()
            assert len(document["runs"]) == 2
            assert document["whole"] is False
            assert "resume" not in document or document["resume"] is None


@pytest.fixture(params=DIALECTS)
def growing(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with empty_bank(request.param) as engine:
        yield engine


def test_memory_does_not_grow_with_the_log(growing: Engine) -> None:
    peaks = []
    for turn in range(3):
        with SqlStore(growing).writing() as books:
            accounts = (subject(f"{turn}-{number:05}") for number in range(750))
            books.ledger.append([entry for one in accounts for entry in chain(one, length=4)])
            while (done := books.ledger.sequence()) is not None and done.size > done.first:
                pass
        keep_checkpoint(SqlStore(growing))
        peaks.append(peak_bytes(growing, entries=3_000 * (turn + 1)))
    # Two hundred thousand bytes are noise; 6,000 entries more that were kept would be a million.
    assert peaks[2] < 1.1 * peaks[0] + 200_000, peaks


def peak_bytes(engine: Engine, *, entries: int) -> int:
    """Return what a verification needs at most, in parts of a tenth of the smallest log."""
    with examined(engine) as examination:  # what is made once, such as imports, does not count
        assert examination.rows.size() == entries
    verified(engine, cut=Cut(entries=10**6, places=256)) if entries == 3_000 else None
    gc.collect()
    tracemalloc.start()
    try:
        assert verified(engine, cut=Cut(entries=300, places=256)).is_whole
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_what_the_database_is_called_holds_no_secret() -> None:
    with bank("postgresql") as engine:
        url = engine.url.set(username="someone", password="secret")
        other = Engine(engine.pool, engine.dialect, url)
        with examined(engine) as examination:
            assert examination.database.startswith("postgresql:")
            name = type(examination)(other, examination.rows, None).database
            assert "secret" not in name
            assert "someone" not in name


def test_on_postgresql_the_plan_does_not_hang_on_statistics() -> None:
    with bank("postgresql") as engine:
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM pg_statistic"))
        assert verified(engine, cut=SMALL).is_whole
