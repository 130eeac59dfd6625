"""Officers and redactions on the command line: asked for, interrupted, finished, restored from a backup."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
import typer

from creditbank.cli.session import Session
from creditbank.errors import Conflict
from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.storage.engine import sqlite
from tests.commands import Commands, Done

EAST = sample_issuer("school-east")
LEARNER = sample_learners()[2]


class Counter:
    """Commands at the counter of a bank with two officers and one learner."""

    def __init__(self, commands: Commands, folder: Path) -> None:
        self.run = commands.run
        self.home = commands.home
        self.officers = [
            commands.run("officer", "add", "--name", name, "--json").json for name in ("央金", "格桑")
        ]
        self.tokens: list[str | Path] = []
        for which, officer in zip(("first", "second"), self.officers, strict=True):
            path = folder / f"{which}.token"
            path.write_text(officer["token"] + "\n")
            self.tokens += [f"--{which}-token-file", path]
        number, name = LEARNER.citizen_number, LEARNER.names.chinese
        assert number is not None
        assert name is not None
        self.opening = ("account", "open", "--name", name, "--citizen-number", number.text, "--issuer", EAST)
        self.account = str(commands.run(*self.opening, "--json").json["account"])

    def redact(self, *more: str | Path, code: int = 0) -> Done:
        asked = ("account", "redact", self.account, "--reason", "unlawful", *self.tokens)
        return self.run(*asked, *more, code=code)

    @property
    def register(self) -> list[str]:
        path = self.home / "redactions.jsonl"
        return path.read_text("utf-8").splitlines() if path.exists() else []


@pytest.fixture
def counter(commands: Commands, tmp_path: Path) -> Counter:
    return Counter(commands, tmp_path)


def test_officers_are_added_listed_and_retired(counter: Counter) -> None:
    first, second = counter.officers
    assert len(first["token"]) == 43
    listed = counter.run("officer", "list", "--json").json
    assert [(one["officer"], one["name"], one["retired_at"]) for one in listed] == [
        (first["officer"], "央金", None),
        (second["officer"], "格桑", None),
    ]
    retired = counter.run("officer", "retire", first["officer"])
    assert "1" in retired.err  # that one serves on is said
    assert counter.run("officer", "list", "--json").json[0]["retired_at"]
    assert second["officer"] in counter.run("officer", "list").out
    assert "officer-unknown" in counter.run("officer", "retire", "officer:nobody", code=2).err
    shown = counter.run("officer", "add", "--name", "次仁").out.splitlines()
    assert len(shown) == 3
    assert "officer-retired" in counter.redact("--yes", code=2).err


def test_no_token_and_no_name_of_staff_comes_into_the_ledger(counter: Counter) -> None:
    counter.redact("--yes")
    with closing(sqlite.connect(str(counter.home / "bank.db"))) as database:
        kept = b"".join(cell for (cell,) in database.execute("SELECT bytes FROM payload"))
        kept += b"".join(cell for (cell,) in database.execute("SELECT leaf FROM entry"))
    for officer, name in zip(counter.officers, ("央金", "格桑"), strict=True):
        assert officer["officer"].encode() in kept
        assert name.encode() not in kept
        assert officer["token"].encode() not in (counter.home / "bank.db").read_bytes()


def test_a_redaction_is_shown_before_it_is_done_and_done_once(counter: Counter) -> None:
    done = counter.redact("--yes", "--json", "--note", "书面申请 17")
    assert done.json == {
        "account": counter.account,
        "seq": 1,
        "destroyed": {
            "payloads": 1,
            "idempotency_keys": 0,
            "outcome_keys": 0,
            "identities": 1,
            "receipts": 0,
            "answers": 0,
        },
        "left": [],
    }
    assert counter.account in done.err
    assert len(counter.register) == 1
    again = counter.redact("--yes", "--json")
    assert again.json == {"account": counter.account, "destroyed": None, "left": []}
    assert len(counter.register) == 1
    assert "account-redacted" in counter.run("account", "show", counter.account, code=2).err
    assert counter.run("ledger", "verify", "--json").json["findings"] == []
    assert counter.run(*counter.opening, "--json").json["account"] != counter.account


REFUSED: dict[str, tuple[Sequence[str], str]] = {
    "without a reason": (("account", "redact", "{account}", "--yes"), "ground-missing"),
    "for no lawful reason": (("account", "redact", "{account}", "--reason", "x", "--yes"), "ground-unknown"),
    "with nobody to confirm": (
        ("account", "redact", "{account}", "--reason", "unlawful"),
        "redaction-unconfirmed",
    ),
    "without tokens": (
        ("account", "redact", "{account}", "--reason", "unlawful", "--yes"),
        "officer-token-missing",
    ),
    "of nothing": (("account", "redact"), "redaction-mode"),
    "of everything": (("account", "redact", "{account}", "--finish"), "redaction-mode"),
    "twice": (("account", "redact", "--reapply", "--finish"), "redaction-mode"),
    "of nobody": (("account", "redact", "0000-0000-0000-000N", "--reason", "unlawful"), "account-unknown"),
}


@pytest.mark.parametrize(("arguments", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_asked_for_as_it_must_be_destroys_nothing(
    counter: Counter, arguments: Sequence[str], reason: str
) -> None:
    asked = [argument.format(account=counter.account) for argument in arguments]
    assert f"/{reason}]" in counter.run(*asked, code=2).err
    assert counter.run("account", "show", counter.account).out


def test_tokens_come_from_files_or_descriptors_and_never_twice(counter: Counter, tmp_path: Path) -> None:
    asked = ("account", "redact", counter.account, "--reason", "unlawful", "--yes")
    first, second = counter.tokens[1], counter.tokens[3]
    missing = tmp_path / "nowhere"
    for tokens, reason in (
        (("--first-token-file", first, "--second-token-file", first), "one-officer-twice"),
        (("--first-token-file", first, "--second-token-file", missing), "officer-token-unreadable"),
        (("--first-token-file", first, "--first-token-fd", "9"), "officer-token-two-sources"),
    ):
        assert f"/{reason}]" in counter.run(*asked, *tokens, code=2).err
    missing.write_bytes(b"\xff\n")
    wrong = ("--first-token-file", missing, "--second-token-file", second)
    assert "officer-token-malformed" in counter.run(*asked, *wrong, code=2).err
    missing.write_text("somebody's\n")
    assert "officer-token-unknown" in counter.run(*asked, *wrong, code=2).err
    opened = [os.open(path, os.O_RDONLY) for path in (first, second)]
    counter.run(*asked, "--first-token-fd", str(opened[0]), "--second-token-fd", str(opened[1]))
    assert counter.register


class Terminal:
    """Somebody at the terminal: what is typed in the open, and what without an echo."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *, shown: Sequence[str], hidden: Sequence[str]
    ) -> None:
        self.asked: list[str] = []
        monkeypatch.setattr(Session, "is_attended", True)
        monkeypatch.setattr(typer, "prompt", self._typing(iter(shown)))
        monkeypatch.setattr("getpass.getpass", self._typing(iter(hidden)))

    def _typing(self, lines: Iterator[str]) -> Callable[..., str]:
        def prompt(text: str, **_: object) -> str:
            self.asked.append(text)
            return next(lines)

        return prompt


def test_whoever_sits_there_types_the_number_and_both_tokens(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("account", "redact", counter.account, "--reason", "unlawful")
    hidden = [officer["token"] for officer in counter.officers]
    terminal = Terminal(monkeypatch, shown=["0000-0000-0000-000N"], hidden=hidden)
    assert "redaction-confirmed-other" in counter.run(*asked, code=2).err
    terminal = Terminal(monkeypatch, shown=[counter.account.lower()], hidden=hidden)
    done = counter.run(*asked)
    assert len(terminal.asked) == 3
    for token in hidden:
        assert token not in done.out + done.err
    assert counter.register


def broken(error: BaseException) -> Callable[[object], Callable[[object], Sequence[str]]]:
    def clean(_: object) -> Sequence[str]:
        raise error

    return lambda _: clean


@pytest.mark.parametrize("error", [Conflict("database-busy"), SystemExit(9)], ids=["busy", "killed"])
def test_a_redaction_that_was_interrupted_stands_is_told_of_and_can_be_finished(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    with monkeypatch.context() as interrupted:
        interrupted.setattr("creditbank.cli.redact.open_cleaner", broken(error))
        stopped = counter.redact("--yes", code=2 if isinstance(error, Conflict) else 9)
    if isinstance(error, Conflict):
        assert "--finish" in stopped.err
    told = counter.run("institution", "list").err + counter.run("officer", "list").err
    assert "creditbank account redact --finish" in told
    assert "account-redacted" in counter.run("account", "show", counter.account, code=2).err
    finished = counter.run("account", "redact", "--finish", "--json")
    assert finished.json == {"left": []}
    assert len(counter.register) == 1
    assert "--finish" not in counter.run("officer", "list").err


def test_what_the_role_may_not_do_is_left_and_told_until_it_was_done_by_hand(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as restricted:
        restricted.setattr("creditbank.cli.redact.open_cleaner", lambda _: lambda _: ("rewrite", "journal"))
        left = counter.redact("--yes", "--json", code=1)
        assert left.json["left"] == ["rewrite", "journal"]
        assert "VACUUM FULL" in left.err
        assert "--finish" in counter.run("officer", "list").err
        counter.run("account", "redact", "--finish", "--by-hand")
    assert "--finish" not in counter.run("officer", "list").err


def test_a_backup_that_is_older_than_a_redaction_is_brought_up_to_it(
    counter: Counter, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    counter.run("ledger", "checkpoint")
    copy(counter.home / "bank.db", backup)
    counter.redact("--yes")
    copy(backup, counter.home / "bank.db")
    assert LEARNER.names.shown in counter.run("account", "show", counter.account).out
    told = counter.run("officer", "list").err
    assert "creditbank account redact --reapply" in told
    assert "officer-token-missing" in counter.run("account", "redact", "--reapply", code=2).err
    done = counter.run("account", "redact", "--reapply", "--json", *counter.tokens)
    assert done.json == {"in_log": 0, "applied": 0, "redacted_again": 1, "left": []}
    assert "account-redacted" in counter.run("account", "show", counter.account, code=2).err
    assert "--reapply" not in counter.run("officer", "list").err
    assert counter.run("ledger", "verify", "--json").json["findings"] == []


def test_tables_that_were_restored_alone_are_brought_up_to_the_log(counter: Counter, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    copy(counter.home / "bank.db", backup)
    counter.redact("--yes")
    with closing(sqlite.connect(str(counter.home / "bank.db"))) as database:
        database.execute("ATTACH ? AS backup", [str(backup)])
        for table in ("account", "payload", "outcome_key"):
            gone = f"SELECT * FROM backup.{table} EXCEPT SELECT * FROM {table}"
            database.execute(f"INSERT INTO {table} {gone}")
        database.commit()
    assert "creditbank account redact --reapply" not in counter.run("officer", "list").err
    counter.run("account", "redact", "--reapply", "--json")
    with closing(sqlite.connect(str(counter.home / "bank.db"))) as database:
        left = "SELECT count(*) FROM payload WHERE subject LIKE 'account:%' AND seq = 0"
        assert database.execute(left).fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM account").fetchone() == (0,)


def copy(source: Path, target: Path) -> None:
    with closing(sqlite.connect(str(source))) as reading, closing(sqlite.connect(str(target))) as writing:
        reading.backup(writing)


def test_a_register_that_cannot_be_read_is_told_of_and_keeps_nobody_from_working(counter: Counter) -> None:
    path = counter.home / "redactions.jsonl"
    path.write_text("nonsense\n")
    assert "redaction" in counter.run("--language", "en", "officer", "list").err
    assert "register-line" in counter.redact("--yes", code=2).err
    path.unlink()
    assert "--finish" in counter.run("officer", "list").err
    counter.run("account", "redact", "--finish")
    assert len(counter.register) == 1


def test_a_register_that_was_lost_is_made_again_from_the_log(counter: Counter) -> None:
    counter.redact("--yes")
    lines = counter.register
    (counter.home / "redactions.jsonl").unlink()
    counter.run("account", "redact", "--reapply")
    assert counter.register == lines


def test_it_is_all_said_in_english_too(counter: Counter) -> None:
    asked = ("account", "redact", counter.account, "--reason", "unlawful", "--note", "17", "--yes")
    said = counter.run("--language", "en", *asked, *counter.tokens).err
    assert said.replace("…", "").isascii()
    assert counter.account in said
