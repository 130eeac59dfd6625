"""A large ledger on SQLite from end to end, every step in a process of its own, and the memory it takes.

Imported through the service in files of 50,000 rows, published, verified whole by `creditbank ledger verify`;
an entry is proved by `creditbank ledger prove`, and the proof checked by the script in `tests/reference` that
has nothing of ours.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.benchmarks.table import Measure, print_measures
from tests.driver.database import Database

pytestmark = pytest.mark.benchmark

GROUP = "A large ledger on SQLite, from end to end"
ROWS = 50_000
ENTRIES_A_ROW = 2
FLAT = 1.3
PEAK = "tests/benchmarks/peak.py"
CREDITBANK = Path(sys.executable).with_name("creditbank")


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a process printed, how long it took, and the most memory that it or its own children had."""

    said: str
    seconds: float
    peak_mb: float


def step(command: Sequence[object], environment: Mapping[str, str]) -> Step:
    started = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-S", PEAK, *map(str, command)],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return Step(
        said=ran.stdout,
        seconds=time.perf_counter() - started,
        peak_mb=int(ran.stderr.splitlines()[-1]) / 1024,
    )


def walk(folder: Path, files: int) -> dict[str, Step]:
    """Return, by step, what it took."""
    folder.mkdir()
    database = Database.named(str(folder / "bank.db"))
    environment = database.environment
    bank = [CREDITBANK, "--home", database.home, "ledger"]
    proof, key = folder / "entry.tlog-proof", database.home / "log.vkey"
    imported = step(
        [sys.executable, "-m", "tests.benchmarks.importing", folder / "bank.db", ROWS, files], environment
    )
    about = json.loads(imported.said.splitlines()[-1])
    entries = about["entries"]
    assert entries >= files * ROWS * ENTRIES_A_ROW
    held = folder / "checkpoint.txt"
    step([*bank, "checkpoint", "--out", held], environment)
    verified = step([*bank, "verify", "--checkpoint", held, "--workers", 1, "--json"], environment)
    report = json.loads(verified.said)
    assert (report["entries"], report["findings"]) == (entries, []), verified.said
    proved = step([*bank, "prove", about["account"], 1, "--out", proof], environment)
    step([sys.executable, "tests/reference/verify_receipt.py", "receipt", proof, "--key", key], environment)
    return {"import in files of 50,000 rows": imported, "verification": verified, "proof": proved}


def test_memory_is_flat_in_the_size_of_the_ledger(tmp_path: Path, grown_to: int) -> None:
    files = max(2, grown_to // (ROWS * ENTRIES_A_ROW))
    small, large = walk(tmp_path / "small", 1), walk(tmp_path / "large", files)
    for what, took in large.items():
        print_measures(
            Measure(
                group=GROUP,
                what=f"{what}, {files * ROWS * ENTRIES_A_ROW:,} entries, {took.seconds:.0f} s",
                engine="SQLite",
                product=took.peak_mb,
                beside=f"{ROWS * ENTRIES_A_ROW:,} entries",
                peer=small[what].peak_mb,
                unit="MB at most",
                goal=FLAT,
                at_most=True,
            )
        )
