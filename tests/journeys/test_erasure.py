"""Nothing of a redacted learner is left: every file is searched, before and after, on both engines.

The learner is met on every way into the bank: over HTTP and the command line, by a workbook, by certificates
that are verified, with names written where none should be. A server runs all the while.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from creditbank.documents.spreadsheet_template import row_of, write_template
from creditbank.identity.account_number import AccountNumber, parse_account_number
from creditbank.ledger.checkpoint import open_note, parse_verifier_key
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.vocabularies.library import Vocabularies
from tests.canary import (
    CANARY,
    CERTIFICATES,
    FILE_NAME,
    IDEMPOTENCY_KEY,
    NUMBER,
    REASON,
    SCORES,
    TEXTS,
    found,
    sealed_traces,
)
from tests.commands import Commands, Done
from tests.engines import opened, postgresql_data, postgresql_program, postgresql_url
from tests.journeys.conftest import DEVELOPMENT_KEY

EAST, STATION = sample_issuer("school-east"), sample_issuer("station")
ANOTHER = sample_learners()[3]
CERTIFICATE = SkillCertificate(
    number=CERTIFICATES[0],
    standard="CD-X-JTNC",
    title="家庭农场畜禽养殖",
    level=FrameworkLevel(framework="1+X", level="中级"),
    issuer=STATION,
    awarded_on=date(2024, 6, 1),
    score=SCORES[0],
)


@dataclass(frozen=True, kw_only=True)
class Served:
    """The bank's HTTP interface in a process of its own."""

    address: str
    token: str

    def ask(self, path: str, body: object = None, *, code: int = 200, **headers: str) -> bytes:
        request = urllib.request.Request(
            self.address + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "On-Behalf-Of": STATION,
                "Content-Type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        assert status == code, (path, status, content)
        return bytes(content)

    def json(self, path: str, body: object = None, *, code: int = 200, **headers: str) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.ask(path, body, code=code, **headers))


@dataclass(kw_only=True)
class Scene:
    """A bank, where its files are, and everything that it printed and must not have."""

    commands: Commands
    engine: Engine
    folder: Path
    data: tuple[Path, ...]
    tokens: tuple[str | Path, ...] = ()
    said: list[str] = field(default_factory=list)

    def run(self, *arguments: str | Path, code: int = 0, is_over: bool = False) -> Done:
        """Run a command. Its log is kept, and all that it prints once the learner `is_over`."""
        done = self.commands.run(*arguments, code=code)
        self.said.append(done.err + (done.out if is_over else ""))
        return done

    @property
    def logs(self) -> tuple[Path, ...]:
        path = self.folder / "said.txt"
        path.write_text("\n".join(self.said), encoding="utf-8")
        return path, self.folder / "server.err", self.folder / "server.out"


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    home, folder = tmp_path / "home", tmp_path / "aside"
    for directory in (home, folder):
        directory.mkdir()
    with database_for(request.param, home) as (url, data), opened(url) as engine:
        # One for all commands, closed at the end; the server opens its own.
        monkeypatch.setattr("creditbank.assembly.open_engine", lambda _: engine)
        commands = Commands(home, CREDITBANK_DEVELOPMENT_KEY=DEVELOPMENT_KEY, CREDITBANK_DATABASE_URL=url)
        commands.run(
            "init", "--origin", "bank.test", "--operator", sample_issuer("bureau"), "--name", "教育局（测试）"
        )
        for institution in ("school-east", "station"):
            code = sample_issuer(institution)
            commands.run("institution", "register", code, "--name", institution)
        tokens: list[str | Path] = []
        for which, name in (("first", "央金"), ("second", "格桑")):
            token = folder / f"{which}.token"
            token.write_text(commands.run("officer", "add", "--name", name, "--json").json["token"])
            tokens += [f"--{which}-token-file", token]
        yield Scene(commands=commands, engine=engine, folder=folder, data=(*data, home), tokens=tuple(tokens))


@contextmanager
def database_for(kind: str, home: Path) -> Iterator[tuple[str, tuple[Path, ...]]]:
    if kind == "sqlite":
        yield f"sqlite:///{home / 'bank.db'}", ()
    else:
        with postgresql_url(migrated=False) as url:
            yield url, (postgresql_data(),)


@contextmanager
def served(scene: Scene) -> Iterator[Served]:
    """Run `creditbank serve` for the block, its output kept in files."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CREDITBANK_")}
    command = [sys.executable, "-u", "-m", "creditbank", "serve", "--port", "0"]
    out, err = scene.folder / "server.out", scene.folder / "server.err"
    with (
        out.open("wb") as stdout,
        err.open("wb") as stderr,
        subprocess.Popen(
            command, stdout=stdout, stderr=stderr, env=clean | scene.commands.environment
        ) as process,
    ):
        try:
            address, token = told(out, process)
            yield Served(address=address, token=token)
        finally:
            process.terminate()
            process.wait(30)


def told(out: Path, process: subprocess.Popen[bytes]) -> tuple[str, str]:
    for _ in range(600):
        said = out.read_text(encoding="utf-8")
        address = re.search(r"http://\S+:\d+", said)
        if address:
            return address[0], said.splitlines()[1].strip()
        assert process.poll() is None, "the server ended"
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("the server did not start")


def workbook(scene: Scene) -> Path:
    """Write a workbook with one row of the learner's and one of somebody else's."""
    vocabularies = Vocabularies.load().vocabularies
    rows = [
        row_of(CANARY, replace(CERTIFICATE, number=CERTIFICATES[1], score=SCORES[1]), vocabularies),
        row_of(ANOTHER, replace(CERTIFICATE, number="OTHER-1", score=None), vocabularies),
    ]
    stream = BytesIO()
    write_template("skill-certificate", vocabularies, stream, on=date(2025, 11, 23), rows=rows)
    path = scene.folder / FILE_NAME
    path.write_bytes(stream.getvalue())
    return path


def stated(certificate: SkillCertificate) -> dict[str, Any]:
    return {
        "kind": "skill-certificate",
        "number": certificate.number,
        "standard": certificate.standard,
        "title": certificate.title,
        "level": {"framework": "1+X", "level": "中级"},
        "awarded_on": "2024-06-01",
        "score": str(certificate.score),
    }


def live(scene: Scene, server: Served) -> AccountNumber:
    """Let the learner do everything that a learner can do here."""
    names = CANARY.names
    person = {
        "names": {"chinese": names.chinese, "tibetan": names.tibetan, "romanised": names.romanised},
        "citizen_number": NUMBER.text,
        "phone": CANARY.phone,
        "category": CANARY.category,
    }
    account = parse_account_number(server.json("/accounts", person, code=201)["account"])
    path = f"/accounts/{account}"
    outcome = {"outcome": stated(CERTIFICATE)}
    recorded = server.json(f"{path}/outcomes", outcome, code=201, Idempotency_Key=IDEMPOTENCY_KEY)
    scene.run("import", workbook(scene), "--issuer", STATION)
    scene.run(
        "decide", "exemptions", str(account), "--programme", "changdu-animal-husbandry", "--apply",
        "--issuer", EAST, "--as-of", "2025-11-23",
    )  # fmt: skip
    correction = {"outcome": stated(replace(CERTIFICATE, title="家庭农场")), "reason": REASON}
    place = f"{path}/outcomes/{recorded['seq']:06}/correction"
    server.json(place, correction, code=201)
    for number in CERTIFICATES:
        asked = {"number": number, "name": names.romanised}
        assert server.json("/verifications", asked)["found"]
    server.ask(path)
    server.ask(f"/statement/{account}", Accept="text/html")
    scene.run("account", "show", str(account))
    # What goes wrong is told too, and must name nobody.
    server.json("/accounts", person, code=409)
    again = {"outcome": stated(replace(CERTIFICATE, title="别的"))}
    server.json(f"{path}/outcomes", again, code=422, Idempotency_Key=IDEMPOTENCY_KEY)
    server.json(f"{path}/outcomes", {"outcome": {**stated(CERTIFICATE), "score": "1e9"}}, code=422)
    return account


def settle(scene: Scene) -> None:
    """Let the database take samples, and write everything where it belongs."""
    with scene.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    if scene.engine.dialect.name == "postgresql":
        with scene.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("CHECKPOINT"))


def backup(scene: Scene) -> Path:
    """Make a backup as the operator would."""
    folder = scene.folder / "backup"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if scene.engine.dialect.name == "sqlite":
        command = [
            sys.executable, "-c",
            "import sqlite3, sys; live, copy = map(sqlite3.connect, sys.argv[1:]); live.backup(copy)",
            str(scene.engine.url.database), str(folder / "bank.db"),
        ]  # fmt: skip
        subprocess.run(command, check=True)
        return folder
    url = scene.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([postgresql_program("pg_dump"), "-f", folder / "dump.sql", url], check=True)
    base = ["-D", str(folder / "base"), "-X", "stream", "-c", "fast", "-d", url]
    subprocess.run([postgresql_program("pg_basebackup"), *base], check=True, capture_output=True)
    return folder


def account_of_another(scene: Scene) -> str:
    number = ANOTHER.citizen_number
    assert number is not None
    return str(scene.run("account", "find", "--citizen-number", number.text, "--json").json["account"])


def proofs(scene: Scene, server: Served, account: AccountNumber, entries: int) -> Mapping[int, bytes]:
    scene.run("ledger", "checkpoint")
    return {seq: server.ask(f"/entries/{account.subject}/{seq}/receipt") for seq in range(entries)}


def test_no_byte_of_a_redacted_learner_is_left(scene: Scene) -> None:
    with served(scene) as server:
        account = live(scene, server)
        others = account_of_another(scene)
        entries = len(server.json(f"/accounts/{account}")["entries"])
        settle(scene)
        wanted: dict[str, str | bytes] = {**TEXTS, **sealed_traces(scene.engine, account)}
        for places in (scene.data, [backup(scene)]):
            assert found(wanted, places, plainly=True).keys() == wanted.keys(), "what is there is found"
        proven = proofs(scene, server, account, entries)
        another = server.json(f"/accounts/{others}")

        redacted = scene.run(
            "account", "redact", str(account), "--reason", "consent-withdrawn", "--note", "书面申请 2026-17",
            "--yes", "--json", *scene.tokens, is_over=True,
        ).json  # fmt: skip
        assert redacted["destroyed"] == {
            "payloads": entries, "idempotency_keys": 1, "outcome_keys": 3, "answers": 1, "identities": 1,
            "receipts": 1,
        }  # fmt: skip
        assert redacted["left"] == []

        see_what_is_left(scene, server, account)
        assert server.json(f"/accounts/{others}") == another
        still = proofs(scene, server, account, entries + 1)
        assert scene.run("ledger", "verify", "--json", is_over=True).json["findings"] == []
    key = parse_verifier_key((scene.commands.home / "log.vkey").read_text("utf-8").strip())
    for proof in (*proven.values(), *still.values()):
        assert isinstance(check(parse_proof_file(proof), [key]), Included)
    assert open_note(parse_proof_file(still[entries]).note, [key]).size > entries
    assert found(wanted, scene.data) == {}
    assert found(wanted, [backup(scene)]) == {}
    assert found(wanted, scene.logs) == {}


def see_what_is_left(scene: Scene, server: Served, account: AccountNumber) -> None:
    """Look at the redacted account from every side: that it was redacted and when, and nothing else."""
    path, outcome = f"/accounts/{account}", {"outcome": stated(CERTIFICATE)}
    for answer in (
        server.json(path, code=410),
        server.json(f"{path}/outcomes", outcome, code=410),
        server.json(f"{path}/outcomes", outcome, code=410, Idempotency_Key=IDEMPOTENCY_KEY),
        server.json(f"{path}/exemptions", {"programme": "changdu-animal-husbandry"}, code=410),
        server.json(f"{path}/exemption-decisions", {"programme": "changdu-animal-husbandry"}, code=410),
        server.json(f"{path}/outcomes/000001/revocation", {"reason": "-"}, code=410),
    ):
        assert answer["type"] == "urn:creditbank:problem:account-redacted"
        assert str(account) in answer["detail"]
    page = server.ask(f"/statement/{account}", code=410, Accept="text/html").decode()
    assert str(account) in page
    for number in CERTIFICATES:
        missed = server.json("/verifications", {"number": number, "name": CANARY.names.romanised})
        assert missed == server.json("/verifications", {"number": "NOBODY-1", "name": "Nobody"})
    said = scene.run("account", "show", str(account), code=2, is_over=True)
    assert "account-redacted" in said.err
    again = scene.run("import", scene.folder / FILE_NAME, "--issuer", STATION, "--json", is_over=True).json
    assert (again["status"], again["receipt"]["redacted"]) == ("posted-before", 1)
    assert [line["row"] for line in again["receipt"]["entries"]] == [4]
    assert str(account) not in json.dumps(again)
