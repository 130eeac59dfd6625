"""Files named on the command line: a directory in their place is said to be one, a path stays as typed."""

from datetime import date
from pathlib import Path

import pytest

from creditbank.samples.people import sample_citizen_number, sample_issuer
from tests.commands import Commands

HUSBANDRY = "changdu-animal-husbandry"
NUMBER = sample_citizen_number(date(2001, 3, 12), order=15)


@pytest.mark.parametrize(
    "asked",
    [
        ("import", "DIRECTORY", "--issuer", "EAST"),
        ("import", "FILE", "--issuer", "EAST", "--receipt", "DIRECTORY"),
        ("template", "--kind", "award", "--out", "DIRECTORY"),
        ("institution", "verify-receipt", "DIRECTORY", "--verifier-key", "FILE"),
        ("institution", "verify-receipt", "FILE", "--verifier-key", "DIRECTORY"),
        ("ledger", "verify", "--checkpoint", "DIRECTORY"),
        ("ledger", "verify", "--verifier-key", "DIRECTORY"),
        ("ledger", "verify", "--report", "DIRECTORY"),
        ("ledger", "verify-receipt", "DIRECTORY", "--verifier-key", "FILE"),
        ("ledger", "verify-receipt", "PROOF", "--verifier-key", "FILE", "--witness-keys", "DIRECTORY"),
        ("ledger", "checkpoint", "--out", "DIRECTORY"),
        ("ledger", "cosign", "DIRECTORY"),
        ("ledger", "consistency", "DIRECTORY"),
        ("rules", "explain", "DIRECTORY"),
        ("rules", "show", "DIRECTORY.toml"),
        ("rules", "diff", "changdu-2020", "changdu-2020", "--cohort", "DIRECTORY"),
        ("decide", "next-steps", "DIRECTORY", "--programme", HUSBANDRY),
        ("decide", "what-if", "DIRECTORY", "--programme", HUSBANDRY, "--add", "code=X"),
    ],
)
def test_a_directory_in_the_place_of_a_file_is_said_to_be_one(
    commands: Commands, tmp_path: Path, asked: tuple[str, ...]
) -> None:
    directory, file, proof = tmp_path / "directory", tmp_path / "file", tmp_path / "entry.tlog-proof"
    directory.mkdir()
    file.write_bytes((commands.home / "log.vkey").read_bytes())
    if "PROOF" in asked:
        opened = commands.run(
            "account", "open", "--name", "扎西", "--citizen-number", NUMBER.text, "--json"
        ).json
        commands.run("ledger", "checkpoint", "--out", tmp_path / "checkpoint")
        commands.run("ledger", "prove", opened["account"], "0", "--out", proof)
    if "DIRECTORY.toml" in asked:
        directory = tmp_path / "directory.toml"
        directory.mkdir()
    named = {
        "DIRECTORY": str(directory),
        "DIRECTORY.toml": str(directory),
        "FILE": str(file),
        "EAST": sample_issuer("school-east"),
        "PROOF": str(proof),
    }
    arguments = [named.get(one, one) for one in asked]
    for language, says in (
        ("zh-CN", f"{directory} 是目录，这里要的是文件"),
        ("en", f"{directory} is a directory, a file"),
    ):
        refused = commands.run("--language", language, *arguments, code=2)
        assert "/file-is-directory]" in refused.err
        assert says in refused.err.replace("\n", "")


def test_a_directory_in_the_place_of_keys_is_said_to_be_one(
    sealed_commands: Commands, tmp_path: Path
) -> None:
    refused = sealed_commands.run("--passphrase-file", tmp_path, "keys", "list", code=2)
    assert "passphrase-unusable/file-is-directory" in refused.err
    (sealed_commands.home / "keys.sealed").unlink()
    (sealed_commands.home / "keys.sealed").mkdir()
    refused = sealed_commands.run("keys", "list", code=2)
    assert "keys-unavailable/file-is-directory" in refused.err


@pytest.mark.parametrize("name", ["courses.csv", "courses.xls", "courses"])
def test_a_template_is_an_excel_workbook_and_says_so(commands: Commands, tmp_path: Path, name: str) -> None:
    refused = commands.run("template", "--kind", "course-credit", "--out", tmp_path / name, code=2)
    assert "template-not-xlsx" in refused.err
    assert ".xlsx" in refused.err
    assert list(tmp_path.glob("courses*")) == []
    commands.run("template", "--kind", "course-credit", "--out", tmp_path / "courses.XLSX")


def test_a_pack_that_is_checked_is_named_as_it_was_typed(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drafts").mkdir()
    (tmp_path / "drafts" / "mine.toml").write_text("id = 5\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    for typed in ("drafts/mine.toml", "./drafts/mine.toml", str(tmp_path / "drafts" / "mine.toml")):
        found = commands.run("rules", "check", typed, "--json", code=1).json
        assert {one["file"] for one in found} == {str(Path(typed))}
    monkeypatch.chdir(tmp_path / "drafts")
    said = commands.run("rules", "check", "mine.toml", code=1).out
    assert all(line.startswith("错误：mine.toml:") for line in said.splitlines()[:-1])


@pytest.mark.parametrize(
    ("stated", "at"),
    [
        ("completed_percent = 101", "[[example]]"),
        ("years_of_work = -1", "applicant"),
        ("cohort = 'x'", "applicant"),
    ],
)
def test_whatever_is_wrong_with_a_pack_is_said_with_its_line(
    commands: Commands, tmp_path: Path, stated: str, at: str
) -> None:
    commands.run("rules", "new", "mine", "--directory", tmp_path)
    (pack,) = tmp_path.glob("mine/*.toml")
    text = pack.read_text("utf-8")
    assert "\n[[example]]\n" in text
    begun = text.index("\n[[example]]\n") + 1
    example, rest = text[begun:].split("\noutcomes", 1)
    kept = "\n".join(line for line in example.splitlines() if not line.startswith("applicant"))
    pack.write_text(f"{text[:begun]}{kept}\napplicant = {{ {stated} }}\noutcomes{rest}", "utf-8")
    begins = text[:begun].count("\n")
    lines = pack.read_text("utf-8").splitlines()
    line = 1 + next(place for place in range(begins, len(lines)) if lines[place].startswith(at))
    said = commands.run("rules", "check", pack, code=1).out
    assert said.startswith((f"错误：{pack}:{line}: ", f"错误：{pack}:{line}："))
