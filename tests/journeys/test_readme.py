"""What the README tells people to type works, as typed."""

import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import typer

from creditbank.cli import app
from creditbank.signing.key_file import create_key_file, read_key_file

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that looks like a checkout in which `make demo` has run."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / ".venv").symlink_to(sys.prefix)
    run("make", "demo", "SERVE=no", f"DEMO={folder / 'data' / 'demo'}", cwd=ROOT)
    seal_cheaply(folder / "data" / "demo")
    return folder


def seal_cheaply(home: Path) -> None:
    """Seal the keys again so that each of many commands opens them quickly; all else stays as it is."""
    passphrase = (home / "passphrase").read_text("utf-8").strip()
    keyring = read_key_file(home / "keys.sealed", passphrase=passphrase).keyring
    (home / "keys.sealed").unlink()
    create_key_file(home / "keys.sealed", keyring, passphrase=passphrase, cost=2)


def run(*command: str, cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CREDITBANK_")}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_every_block_of_commands_runs(place: Path) -> None:
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert len(blocks) == 2
    for block in blocks:
        run("bash", "-euo", "pipefail", "-c", block, cwd=place)


def test_the_demonstration_tells_its_story_and_can_be_told_again(place: Path) -> None:
    told = run("make", "demo", "SERVE=no", f"DEMO={place / 'data' / 'demo'}", cwd=ROOT)
    for chapter in ("一、", "二、", "三、", "四、", "五、", "六、", "七、", "八、", "九、", "十、"):
        assert f"■ {chapter}" in told
    assert told.count("✗ account:") == 1
    assert "账本完好" in told
    assert "账本有损" in told


def test_a_demonstration_never_clears_what_it_did_not_make(place: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    command = [str(place / ".venv" / "bin" / "creditbank"), "--home", str(tmp_path), "demo", "--no-serve"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "demo-home-in-use" in done.stderr
    assert (tmp_path / "thesis.txt").exists()


def test_other_rules_are_compared_over_the_learners_of_the_demonstration(place: Path, tmp_path: Path) -> None:
    command = ["env", "-S", " ".join((place / "data" / "demo" / "env").read_text("utf-8").split())]
    command += [str(place / ".venv" / "bin" / "creditbank"), "rules", "diff", "changdu-2020"]
    new = stricter_changdu(tmp_path)
    found = json.loads(run(*command, str(new), "--cohort", "all", "--json", cwd=place))
    assert found["learners"] == 120
    assert {change["place"] for change in found["changes"] if change["kind"] == "changed"} == {
        "programme[changdu-animal-husbandry].caps[cd-total].share",
        "programme[changdu-tourism].caps[cd-total].share",
    }
    total = found["totals"]["credits"]
    changes = [Decimal(one["change"]) for one in found["differences"]]
    assert sum(changes) == Decimal(total["after"]) - Decimal(total["before"]) < 0
    for one in found["differences"]:
        assert sum(Decimal(shift["change"]) for shift in one["shifts"]) == Decimal(one["change"])
    told = run(*command, str(new), "--cohort", "changdu-tourism", "--limit", "1", cwd=place)
    assert "因哪条规则" in told
    cohort = tmp_path / "class.txt"
    cohort.write_text(f"\ufeff# 一个班\n{found['differences'][0]['account']}  # 甲\n", "utf-8")
    few = json.loads(run(*command, "changdu-2020", "--cohort", str(cohort), "--json", cwd=place))
    assert (few["learners"], few["changes"], few["differences"]) == (1, [], [])


def stricter_changdu(folder: Path) -> Path:
    """The shipped pack without its examples, and with a tenth of its cap."""
    shipped = ROOT / "creditbank" / "rulepacks" / "changdu"
    for file in (shipped / "2020-05-21.toml", *(shipped / "2020-05-21").glob("*.toml")):
        parts = file.read_text("utf-8").split("\n[[")
        kept = "\n[[".join(part for part in parts if not part.startswith("example]]"))
        target = folder / file.relative_to(shipped)
        target.parent.mkdir(exist_ok=True)
        target.write_text(kept.replace("share = 0.30", "share = 0.03"), "utf-8")
    return folder / "2020-05-21.toml"


def test_nothing_is_left_to_be_filled_in() -> None:
    for document in (README, *(ROOT / "docs").rglob("*.md")):
        assert not re.search(r"^[A-Z]{4,}$", document.read_text(encoding="utf-8"), re.MULTILINE), document


def test_every_command_is_documented() -> None:
    documents = [README, *(ROOT / "docs").glob("*.md")]
    written = "\n".join(document.read_text(encoding="utf-8") for document in documents)
    commands = list(names(typer.main.get_command(app)))
    assert len(commands) > 15
    assert [command for command in commands if f"creditbank {command}" not in written] == []


def names(command: object, path: str = "") -> list[str]:
    below = getattr(command, "commands", None)
    if below is None:
        return [path]
    return [name for word, inner in below.items() for name in names(inner, f"{path} {word}".strip())]
