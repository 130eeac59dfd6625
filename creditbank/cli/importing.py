"""`creditbank import`: post a school's workbook, whole or not at all."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Annotated, assert_never

import typer

from creditbank.cli.files import require_new, write_file
from creditbank.cli.output import NEGATIVE, console, errors, print_json, progress
from creditbank.cli.session import IssuerOption, JsonOption, Session, session_of
from creditbank.documents.receipt import (
    ImportReceipt,
    ReceiptEntry,
    ReceiptFile,
    parse_receipt,
    receipt_bytes,
)
from creditbank.documents.receipt_signature import receipt_statement
from creditbank.documents.spreadsheet import BadCell, Limits, Place, Reading, read_workbook, workbook_bytes
from creditbank.ledger.encoding import JsonValue
from creditbank.locale.catalogue import Catalogue
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.services.bank import Bank, Principal
from creditbank.services.import_outcomes import (
    FileRefused,
    Posted,
    PostedBatch,
    PostedBefore,
    WouldPost,
    import_outcomes,
    preview_import,
    refused_rows,
)
from creditbank.services.import_plan import ImportRow, RowRefused
from creditbank.terms import instant
from creditbank.vocabularies.library import Vocabularies

_LISTED = Limits().findings
"""How many bad cells, and how many refused rows, are listed; their count goes on."""

Answer = Posted | WouldPost | FileRefused | PostedBefore


def import_workbook(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="文件_FILE", help="填报表 .xlsx · the workbook")],
    issuer: IssuerOption,
    kind: Annotated[
        OutcomeKind | None, typer.Option(help="成果种类，默认按表头识别 · kind [by its headers]")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查，不入账 · check, and post nothing")
    ] = False,
    receipt: Annotated[
        Path | None,
        typer.Option(help="回执另存为，签名在旁 · write the receipt here, and beside it its signature"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """导入学习成果表：全部入账，或一条不入 · post a workbook of outcomes, whole or not at all."""
    session = session_of(context)
    if receipt is not None:
        require_new(receipt)
        require_new(signature_file(receipt))
    bank = session.bank()
    principal = session.principal(bank, issuer)
    content = workbook_bytes(file, limits=Limits())
    reading = read(session, principal, content, kind=kind)
    if reading.error_count:
        rows = _rows_of(reading)
        with progress(session.words.text("word.checking-rows"), total=len(rows)) as step:
            refused = refused_rows(bank, principal, rows, on_progress=step)
        show_reading(session.words, reading, refused, as_json=as_json)
        raise typer.Exit(NEGATIVE)
    answer = post(session, bank, principal, reading, content, name=file.name, dry_run=dry_run)
    if receipt is not None and isinstance(answer, Posted | PostedBefore):
        write_receipt(session, bank, answer, receipt)
    if as_json:
        print_json(answer_members(session.words, answer))
    else:
        show_reading(session.words, reading)
        show_answer(session.words, answer)
    raise typer.Exit(NEGATIVE if isinstance(answer, FileRefused) else 0)


def signature_file(receipt: Path) -> Path:
    """Return where the signature of a receipt is kept: beside it."""
    return receipt.with_name(receipt.name + ".sig")


def write_receipt(session: Session, bank: Bank, answer: Posted | PostedBefore, path: Path) -> None:
    """Write the receipt of a posted file, and beside it its signature by the operator's institution key."""
    content = answer.receipt if isinstance(answer, Posted) else answer.batch.receipt
    write_file(content, path)
    signer = bank.institution_signers.get(bank.record.operator)
    if signer is None:
        errors.print(
            session.words.text("word.receipt-unsigned", operator=bank.record.operator), style="yellow"
        )
        return
    statement = receipt_statement(content, origin=bank.record.origin, number=answer.batch.number)
    write_file(signer.sign(statement), signature_file(path))


def read(
    session: Session, principal: Principal, content: bytes, *, kind: OutcomeKind | None = None
) -> Reading:
    """Read a workbook in the name of an institution, with a bar from 1,000 rows on."""
    with progress(session.words.text("word.reading-rows")) as step:
        return read_workbook(
            content,
            Vocabularies.load(),
            issuer=principal.issuer,
            kind=kind,
            allow_test_numbers=session.settings.allow_test_numbers,
            on_progress=step,
        )


def post(
    session: Session,
    bank: Bank,
    principal: Principal,
    reading: Reading,
    content: bytes,
    *,
    name: str,
    dry_run: bool = False,
) -> Answer:
    """Post what was read, or say what posting it would do."""
    rows = _rows_of(reading)
    digest = sha256(content).digest()
    if dry_run:
        with progress(session.words.text("word.checking-rows"), total=len(rows)) as step:
            return preview_import(bank, principal, rows, file_digest=digest, on_progress=step)

    def write_receipt(batch: PostedBatch) -> bytes:
        return receipt_bytes(_receipt(batch, reading, name=name))

    with progress(session.words.text("word.posting-rows"), total=len(rows)) as step:
        return import_outcomes(
            bank,
            principal,
            rows,
            file_digest=digest,
            write_receipt=write_receipt,
            on_progress=step,
            rules=session.library(check=False),
        )


def _rows_of(reading: Reading) -> list[ImportRow]:
    return [
        ImportRow(row=row.row, person=row.person, outcome=row.outcome, account=row.account)
        for row in reading.rows
    ]


def show_reading(
    words: Catalogue, reading: Reading, refused: Sequence[RowRefused] = (), *, as_json: bool = False
) -> None:
    """Print what was forgiven, what looks odd, and every bad cell: where, what is there, what is wanted.

    Where there are any, `refused` are the rows that read well and that the bank would refuse.
    """
    if as_json:
        print_json(_reading_members(words, reading, refused))
        return
    for correction in reading.corrections:
        console.print(
            f"  ~ {_place(words, correction.place)} {words.warning(correction.note)}",
            style="dim",
        )
    for doubt in reading.doubts:
        place = "" if doubt.place is None else f"{_place(words, doubt.place)} "
        console.print(f"  ? {place}{words.warning(doubt.warning)}", style="yellow")
    wrong = [(bad.place.row, _bad_cell(words, bad)) for bad in reading.errors]
    wrong += [(row.row, _refusal(words, row)) for row in refused[:_LISTED]]
    count = reading.error_count + len(refused)
    _show_wrong(words, (line for _, line in sorted(wrong, key=itemgetter(0))), count=count)
    if count:
        console.print(words.text("word.file-has-errors", errors=count), style="bold red")


def show_answer(words: Catalogue, answer: Answer) -> None:
    """Print what became of the file."""
    match answer:
        case Posted(batch=batch) if not batch.accounts_opened + batch.outcomes_recorded:
            nothing = words.text("word.file-posted-nothing-new", number=batch.number, rows=len(batch.lines))
            console.print(nothing, style="green")
        case Posted(batch=batch):
            said = words.text(
                "word.file-posted",
                number=batch.number,
                rows=len(batch.lines),
                outcomes=batch.outcomes_recorded,
                accounts=batch.accounts_opened,
            )
            console.print(said, style="green")
        case WouldPost():
            said = words.text(
                "word.file-would-post",
                rows=answer.rows,
                outcomes=answer.outcomes_recorded,
                accounts=answer.accounts_opened,
            )
            console.print(said, style="green")
        case PostedBefore(batch=batch):
            at = words.instant(instant(batch.posted_at))
            console.print(words.text("word.file-posted-before", number=batch.number, at=at))
        case FileRefused():
            _show_wrong(words, (_refusal(words, row) for row in answer.rows), count=len(answer.rows))
            refused = words.text("word.file-refused", errors=len(answer.rows))
            console.print(refused, style="bold red")
        case _:
            assert_never(answer)


def answer_members(words: Catalogue, answer: Answer) -> JsonValue:
    """Return what became of the file as JSON members; a posted file's are its receipt."""
    match answer:
        case Posted(receipt=receipt):
            return {"status": "posted", "receipt": parse_receipt(receipt).model_dump(mode="json")}
        case PostedBefore(batch=batch):
            kept = parse_receipt(batch.receipt).model_dump(mode="json")
            return {"status": "posted-before", "receipt": kept}
        case WouldPost():
            return {
                "status": "would-post",
                "rows": answer.rows,
                "outcomes_recorded": answer.outcomes_recorded,
                "accounts_opened": answer.accounts_opened,
            }
        case FileRefused():
            refused = _refused_members(words, answer.rows)
            return {"status": "refused", "error_count": len(answer.rows), "rows": refused}
        case _:
            assert_never(answer)


def _receipt(batch: PostedBatch, reading: Reading, *, name: str) -> ImportReceipt:
    return ImportReceipt(
        number=batch.number,
        issuer=batch.issuer,
        kind=reading.kind,
        file=ReceiptFile(sha256=batch.file_digest.hex(), name=name),
        posted_at=instant(batch.posted_at),
        rows=len(batch.lines),
        accounts_opened=batch.accounts_opened,
        outcomes_recorded=batch.outcomes_recorded,
        corrections=reading.correction_count,
        entries=tuple(
            ReceiptEntry(row=line.row, account=str(line.account), opened=line.opened, seq=line.seq)
            for line in batch.lines
        ),
    )


def _reading_members(words: Catalogue, reading: Reading, refused: Sequence[RowRefused]) -> JsonValue:
    errors: list[JsonValue] = [
        {
            "row": bad.place.row,
            "column": bad.place.column,
            "header": bad.place.header,
            "there": bad.there,
            "code": bad.code,
            "wanted": words.problem(bad.error).detail,
        }
        for bad in reading.errors
    ]
    return {
        "status": "refused",
        "error_count": reading.error_count + len(refused),
        "errors": errors,
        "rows": _refused_members(words, refused),
    }


def _refused_members(words: Catalogue, refused: Sequence[RowRefused]) -> list[JsonValue]:
    return [
        {"row": row.row, "reason": row.reason, "detail": _refusal(words, row)} for row in refused[:_LISTED]
    ]


def _show_wrong(words: Catalogue, lines: Iterable[str], *, count: int) -> None:
    """Print what is wrong up to the limit, and how much more there is of all that was counted."""
    for line in islice(lines, _LISTED):
        console.print(f"  ✗ {line}", style="red")
    if count > _LISTED:
        console.print(f"  … {words.text('word.file-errors-more', count=count - _LISTED)}", style="red")


def _bad_cell(words: Catalogue, bad: BadCell) -> str:
    there = f"“{bad.there}” " if bad.there else ""
    return f"{_place(words, bad.place)} {there}{words.problem(bad.error).detail}"


def _place(words: Catalogue, place: Place) -> str:
    if not place.column:
        return words.text("word.row", row=place.row)
    return words.text("word.cell", row=place.row, column=place.column, header=place.header)


def _refusal(words: Catalogue, row: RowRefused) -> str:
    return f"{words.text('word.row', row=row.row)} {words.text('reason.' + row.reason, **row.values)}"
