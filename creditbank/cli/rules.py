"""`creditbank rules`: which rule packs there are, what is wrong with one, what one says."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from creditbank.cli import pack_publishing, rules_diff, rules_explain, rules_new
from creditbank.cli.asking import AsOf
from creditbank.cli.files import FileUnusable, require_no_directory
from creditbank.cli.output import MISUSE, NEGATIVE, console, print_json, progress
from creditbank.cli.session import JsonOption, Session, session_of
from creditbank.conversion.decision import decimal_text
from creditbank.conversion.equivalence import Equivalence, equivalences
from creditbank.conversion.pack import Pack, PackFinding
from creditbank.conversion.programme import Exam, Programme
from creditbank.documents.rule_pack import RulePackInvalid
from creditbank.documents.rule_pack_csv import RulePackUnreadable
from creditbank.ledger.encoding import JsonValue
from creditbank.locale.mark_wording import mark_table_line
from creditbank.locale.pack_wording import finding_line, marked_line, result_line
from creditbank.locale.wording import equivalence_line
from creditbank.rulepacks.library import SHIPPED, findings_of, pack_files, read_document
from creditbank.services.bank import CHINA
from creditbank.terms import PackId, Progress, microseconds
from creditbank.vocabularies.library import Vocabularies

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_packs(context: typer.Context, as_json: JsonOption = False) -> None:
    """列出规则包、专业培养方案与考试 · list the packs, and the programmes and exams they define."""
    session = session_of(context)
    packs = session.library().packs
    if as_json:
        print_json([_pack_members(pack) for pack in packs])
        return
    words = session.words
    for pack in packs:
        console.print(f"{pack.id}  {words.wording(pack.title)}", style="bold")
        since = words.text("word.in-force-from")
        console.print(f"  {since} {words.date(pack.effective_from)}  {words.text(_standing(pack))}")
        defined: tuple[Programme | Exam, ...] = (*pack.programmes, *pack.exams)
        for one in defined:
            console.print(f"  · {one.id}  {words.wording(one.title)}")


@app.command("check")
def check(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="文件_FILE", help="规则包 .toml；默认全部 · packs [all]")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """运行例题并检查规则包，逐条指出文件与行 · run the examples, name what is wrong by file and line."""
    session = session_of(context)
    with progress(session.words.text("word.checking-packs")) as step:
        if files:
            told = [_findings_in(file, step, shown_as=str(file)) for file in files]
        else:
            told = _findings_everywhere(session, step)
    found = [finding for findings in told for finding in findings]
    errors_found = sum(finding.severity == "error" for finding in found)
    failed = errors_found > 0
    if as_json:
        print_json([_finding_members(session, finding) for finding in found])
    else:
        for finding in found:
            style = "red" if finding.severity == "error" else "yellow"
            console.print(marked_line(session.words, finding), style=style)
        said = result_line(session.words, errors=errors_found, warnings=len(found) - errors_found)
        console.print(said, style="red" if failed else "green")
    unusable = any(finding.code in _OF_NO_FILE for finding in found)
    raise typer.Exit(MISUSE if unusable else NEGATIVE if failed else 0)


@app.command("show")
def show(
    context: typer.Context,
    pack: Annotated[
        str, typer.Argument(metavar="规则包_PACK", help="规则包编号，或文件 · the pack's id, or its file")
    ],
    as_json: JsonOption = False,
) -> None:
    """显示一个规则包：来源、规则、条件与授予 · show a pack: its sources and what each rule says."""
    session = session_of(context)
    found = _pack_in(Path(pack)) if _names_file(pack) else session.library().pack(PackId(pack))
    if as_json:
        members = {"scales": _scale_members(found), "mark_tables": _mark_members(found)}
        print_json({**_pack_members(found), **members})
        return
    words = session.words
    console.print(f"{found.title.zh}  {found.title.en}", style="bold")
    console.print(words.text(_standing(found)), style="yellow")
    console.print(words.wording(found.about))
    console.print(f"SHA-256 {found.digest}", style="dim")
    for citation in found.citations.values():
        place = " ".join(filter(None, (citation.document, citation.article, citation.url)))
        console.print(f"  [{citation.id}] {words.wording(citation.title)} {place}", style="dim")
    for scale in found.scales.values():
        levels = " < ".join(" = ".join(equal) for equal in scale.levels)
        console.print(f"  {words.text('word.scale')} {scale.framework}: {levels}")
    for table in found.mark_tables.values():
        console.print(f"  {mark_table_line(words, table)}")
    for rule in found.rules:
        console.print(f"  · {rule.id} v{rule.version}  {words.wording(rule.say)}")


@app.command("equivalents")
def equivalents(
    context: typer.Context,
    code: Annotated[
        str, typer.Argument(metavar="代码_CODE", help="课程或证书的代码 · of a course or certificate")
    ],
    as_of: AsOf = None,
    as_json: JsonOption = False,
) -> None:
    """学分互认：这门课程（证书）在各校可换什么，或由什么换得 · what stands for what, school by school."""
    session = session_of(context)
    words, now = session.words, datetime.now(UTC)
    day = now.astimezone(CHINA).date() if as_of is None else as_of.date()
    library = session.library()
    packs = library.packs_applying(day, known_at=microseconds(now))
    found = equivalences(packs, library.programmes_on(day), code=code, as_of=day)
    if as_json:
        print_json([_equivalence_members(one) for one in found])
    for one in () if as_json else found:
        console.print(equivalence_line(words, one))
    if not found and not as_json:
        console.print(words.text("word.no-equivalents", code=code, day=day), style="yellow")
    raise typer.Exit(0 if found else NEGATIVE)


def _equivalence_members(one: Equivalence) -> JsonValue:
    return {
        "pack": one.pack.id,
        "digest": one.pack.digest,
        "rule": one.rule.id,
        "rule_version": one.rule.version,
        "programme": one.programme.id,
        "asked": [{"kind": kind, "codes": list(codes)} for kind, codes in one.asked],
        "mode": one.mode,
        "given": [course.id for course in one.given],
        "date_basis": one.pack.date_basis,
        "effective_from": one.rule.effective_from.isoformat(),
        "effective_to": one.rule.effective_to.isoformat() if one.rule.effective_to else None,
    }


_OF_NO_FILE = frozenset({"file-is-directory", "file-unreadable"})


def _findings_everywhere(session: Session, on_progress: Progress) -> list[tuple[PackFinding, ...]]:
    """Return what is wrong with the packs that the bank knows: with each, where one cannot be read."""
    try:
        library = session.library(check=False)
    except (RulePackInvalid, RulePackUnreadable):
        everywhere = (SHIPPED, *session.settings.rule_pack_directories)
        files = [file for directory in everywhere for file in pack_files(directory)]
        return [_findings_in(file, on_progress, shown_as=None) for file in files]
    return [library.check(Vocabularies.load().vocabularies, on_progress=on_progress)]


def _findings_in(file: Path, on_progress: Progress, *, shown_as: str | None) -> tuple[PackFinding, ...]:
    """Return what is wrong with one file; one that cannot be read keeps nobody from the others."""
    try:
        require_no_directory(file)
        document = read_document(file, shown_as=shown_as)
        return findings_of(document, Vocabularies.load().vocabularies, on_progress=on_progress)
    except RulePackInvalid as error:
        return error.findings
    except RulePackUnreadable as error:
        return (error.finding,)
    except FileUnusable as error:
        return (_unusable(file, error.reason, error.values),)
    except OSError as error:
        values = {"path": str(file), "cause": error.strerror}
        return (_unusable(file, "file-unreadable", values),)


def _unusable(file: Path, code: str, values: Mapping[str, object]) -> PackFinding:
    return PackFinding(code=code, severity="error", path=(), values=values, file=str(file))


def _names_file(pack: str) -> bool:
    """Whether what is named is a file, and no pack's id, which may have a / in it, but no such ending."""
    try:
        return pack.endswith(".toml") or Path(pack).is_file()
    except OSError:  # too long a name for a file
        return False


def _pack_in(file: Path) -> Pack:
    require_no_directory(file)
    try:
        return read_document(file, shown_as=str(file)).pack
    except OSError as error:
        raise FileUnusable("file-unreadable", path=str(file), cause=error.strerror) from error


def _standing(pack: Pack) -> str:
    return "word.pack-official" if pack.is_official else "word.pack-example"


def _scale_members(pack: Pack) -> JsonValue:
    return [
        {"framework": scale.framework, "levels": [list(equal) for equal in scale.levels]}
        for scale in pack.scales.values()
    ]


def _mark_members(pack: Pack) -> JsonValue:
    return [
        {
            "id": table.id,
            "title": {"zh": table.title.zh, "en": table.title.en},
            "bands": [{"from": decimal_text(band.least), "mark": band.mark} for band in table.bands],
            "grades": [{"grade": row.grade, "mark": row.mark} for row in table.grades],
        }
        for table in pack.mark_tables.values()
    ]


def _pack_members(pack: Pack) -> dict[str, JsonValue]:
    return {
        "id": pack.id,
        "digest": pack.digest,
        "authority": pack.authority,
        "title": {"zh": pack.title.zh, "en": pack.title.en},
        "official": pack.is_official,
        "effective_from": pack.effective_from.isoformat(),
        "effective_to": pack.effective_to.isoformat() if pack.effective_to else None,
        "programmes": [one.id for one in pack.programmes],
        "exams": [one.id for one in pack.exams],
        "rules": [{"id": rule.id, "version": rule.version, "say": rule.say.zh} for rule in pack.rules],
    }


def _finding_members(session: Session, finding: PackFinding) -> JsonValue:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "place": finding.place,
        "detail": finding_line(session.words, finding),
    }


app.command("new")(rules_new.new)
app.command("explain")(rules_explain.explain)
app.command("diff")(rules_diff.diff)
app.command("publish")(pack_publishing.publish)
app.command("retire")(pack_publishing.retire)
app.command("published")(pack_publishing.published)
