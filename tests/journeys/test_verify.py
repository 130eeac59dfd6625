"""An auditor runs `creditbank ledger verify`, keeps the report, is interrupted, and goes on."""

import json
import shutil
from base64 import b64encode
from io import StringIO
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console
from rich.progress import Progress

from creditbank.cli import output, verify_report
from creditbank.cli.files import FileUnusable, write_file
from creditbank.cli.verify_report import ReportFile
from creditbank.documents.ledger_report import parse_ledger_report
from creditbank.ledger.audit_report import AuditReport
from creditbank.samples.people import sample_institutions, sample_issuer
from tests.commands import Commands
from tests.contract.attacks import changed
from tests.engines import opened

SCHEMA = Path(__file__).parents[2] / "schemas" / "v1" / "ledger-report.schema.json"
KEY = b64encode(bytes(32)).decode()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank with some institutions, and a checkpoint of it beside."""
    home = tmp_path_factory.mktemp("bank") / "home"
    operator = Commands(home, CREDITBANK_DEVELOPMENT_KEY=KEY)
    operator.run("init", "--origin", "bank.test", "--operator", sample_issuer("bureau"), "--name", "教育局")
    for sample in sample_institutions():
        if sample.issuer != sample_issuer("bureau"):
            operator.run(
                "institution", "register", sample.issuer, "--name", sample.name, "--role", sample.role
            )
    operator.run("ledger", "checkpoint", "--out", home / "held.checkpoint")
    return home


@pytest.fixture
def auditor(made: Path, tmp_path: Path) -> Commands:
    """Somebody with a copy of the bank's directory, and without its keys."""
    shutil.copytree(made, tmp_path / "home")
    return Commands(tmp_path / "home")


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C when the structure, and the chains, have been checked."""
    keep = ReportFile.keep

    def keep_and_interrupt(file: ReportFile, report: AuditReport) -> None:
        keep(file, report)
        if report.has_all_chains and len(report.runs) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(ReportFile, "keep", keep_and_interrupt)


def damaged(auditor: Commands) -> None:
    with opened(f"sqlite:///{auditor.home / 'bank.db'}") as engine:
        changed(engine, "UPDATE payload SET bytes = CAST('{}' AS BLOB) WHERE seq = 0")


def test_a_finished_report_is_kept_and_never_written_over(auditor: Commands, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    held = auditor.home / "held.checkpoint"
    done = auditor.run("ledger", "verify", "--report", report, "--checkpoint", held)
    assert "账本完好" in done.out
    document = json.loads(report.read_bytes())
    Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(document)
    assert document["whole"] is True
    assert document["size"] == document["entries"] == document["held"]["size"]
    assert document["engine_check"]["means"] == "PRAGMA integrity_check"
    assert [(run["chains"], run["log"]["to"]) for run in document["runs"]] == [
        ({"from": None, "to": None}, document["size"])
    ]
    before = report.read_bytes()
    refused = auditor.run("ledger", "verify", "--report", report, "--checkpoint", held, code=2)
    assert "report-finished" in refused.err
    assert report.read_bytes() == before


def test_what_is_printed_as_json_keeps_to_the_schema_too(auditor: Commands) -> None:
    damaged(auditor)
    document = auditor.run("ledger", "verify", "--json", code=1).json
    Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(document)
    assert document["whole"] is False
    assert {finding["code"] for finding in document["findings"]} == {"payload-differs"}
    assert document["counts"] == {"chains": {"payload-differs": len(document["findings"])}}


@pytest.mark.usefixtures("interrupted")
@pytest.mark.parametrize("name", ["report.json", "report.txt", "report"])
def test_the_same_command_goes_on_where_it_was_interrupted(
    auditor: Commands, tmp_path: Path, name: str
) -> None:
    damaged(auditor)
    report = tmp_path / name
    command = ("ledger", "verify", "--report", report)
    stopped = auditor.run(*command, code=2)
    assert "同一命令会接着核对" in stopped.err
    if name == "report.json":
        document = json.loads(report.read_bytes())
        Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(document)
        assert document["whole"] is document["finished_at"] is None
    else:
        assert "核对尚未完成" in report.read_text()
    done = auditor.run(*command, code=1)
    assert "接着上次核对" in done.err
    assert "账本有损" in done.out
    said = report.read_text()
    if name == "report.json":
        runs = json.loads(said)["runs"]
        assert [run["chains"] is not None for run in runs] == [True, False]
        assert [run["structure"] for run in runs] == [True, False]
    else:
        assert said.count("开始核对") == 2
        assert "内容被改动过" in said
        assert "resume" not in said
        assert "file-exists" in auditor.run(*command, code=2).err


def test_without_a_report_an_interruption_says_how_to_keep_one(
    auditor: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("creditbank.cli.verify.verify_ledger", interrupt)
    assert "--report" in auditor.run("ledger", "verify", code=2).err


@pytest.mark.usefixtures("interrupted")
def test_a_report_is_not_gone_on_with_on_anything_else(auditor: Commands, tmp_path: Path) -> None:
    report, held = tmp_path / "report.json", auditor.home / "held.checkpoint"
    auditor.run("ledger", "verify", "--report", report, code=2)
    assert (
        "report-of-another-checkpoint"
        in auditor.run("ledger", "verify", "--report", report, "--checkpoint", held, code=2).err
    )
    shutil.copytree(auditor.home, tmp_path / "other")
    elsewhere = Commands(tmp_path / "other")
    assert "report-of-another-database" in elsewhere.run("ledger", "verify", "--report", report, code=2).err
    cut = parse_ledger_report(report.read_bytes())
    grown = cut.model_copy(update={"runs": (cut.runs[0].model_copy(update={"log_size": 10**6}),)})
    report.write_bytes(grown.encode())
    assert "report-of-another-log" in auditor.run("ledger", "verify", "--report", report, code=2).err


def test_a_file_that_is_no_report_is_left_alone(auditor: Commands, tmp_path: Path) -> None:
    for name, reason in (("notes.txt", "file-exists"), ("notes.json", "ledger-report-malformed")):
        file = tmp_path / name
        file.write_text("{}")
        assert reason in auditor.run("ledger", "verify", "--report", file, code=2).err
        assert file.read_text() == "{}"
    nowhere = tmp_path / "nowhere" / "report.json"
    assert "directory-missing" in auditor.run("ledger", "verify", "--report", nowhere, code=2).err


def test_a_file_that_cannot_be_put_in_its_place_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(FileUnusable, match="file-unwritable"):
        write_file(b"{}", tmp_path / "report.json", replace=True)
    assert list(tmp_path.iterdir()) == [tmp_path / "report.json"]


def test_a_report_is_written_while_the_work_goes_on(
    auditor: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_report, "EVERY_SECONDS", 0)
    seen: list[bool | None] = []
    write = ReportFile.write

    def write_and_look(file: ReportFile) -> None:
        write(file)
        seen.append(json.loads(file.path.read_bytes())["whole"])

    monkeypatch.setattr(ReportFile, "write", write_and_look)
    auditor.run("ledger", "verify", "--report", tmp_path / "report.json")
    assert len(seen) > 3
    assert [whole is None for whole in seen] == [True] * (len(seen) - 1) + [False]


def test_two_processes_say_what_one_says(auditor: Commands) -> None:
    damaged(auditor)
    alone = auditor.run("ledger", "verify", code=1).out
    assert auditor.run("ledger", "verify", "--workers", "2", code=1).out == alone


def test_the_bar_shows_how_many_a_second_and_how_long_it_still_takes() -> None:
    seconds = 0.0
    screen = Console(file=StringIO(), width=120)
    bar = Progress(*output.bar_columns(), console=screen, get_time=lambda: seconds)
    task = bar.add_task("核对", total=10_000, completed=4_000)
    shown = []
    for done in (4_000, 5_000, 6_000):  # the first thousands were done in an earlier run
        bar.update(task, completed=done)
        with screen.capture() as capture:
            screen.print(bar.get_renderable())
        shown.append(capture.get())
        seconds += 10
    assert "4000/10000" in shown[0]
    assert "/s" not in shown[0]
    assert "6000/10000" in shown[2]
    assert "100/s" in shown[2]
    assert "0:00:40" in shown[2]


def test_a_short_work_shows_no_bar_and_a_long_one_counts_from_where_it_was(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with output.progress("核对", total=5, done=2) as step:
        step(1)
    assert capsys.readouterr().err == ""
