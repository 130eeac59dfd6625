"""`creditbank account redact`: destroy what leads to a learner, and clean up behind it."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from creditbank.assembly import open_cleaner
from creditbank.cli.output import NEGATIVE, errors, print_json, progress
from creditbank.cli.register import enter, read_register
from creditbank.cli.session import JsonOption, Session, session_of
from creditbank.cli.two_persons import (
    FirstDescriptorOption,
    FirstFileOption,
    SecondDescriptorOption,
    SecondFileOption,
    TokenSources,
    ask_two_persons,
)
from creditbank.documents.receipt import receipt_without
from creditbank.errors import CreditBankError
from creditbank.identity.account_number import AccountNumber, parse_account_number
from creditbank.ledger.encoding import JsonValue
from creditbank.services.accounts import AccountRedacted
from creditbank.services.bank import Bank
from creditbank.services.redaction import (
    RedactionInvalid,
    all_named,
    finish_redactions,
    known_ground,
    preview_redaction,
    reapply_redactions,
    redact_account,
    redactions_missing,
)


def redact(
    context: typer.Context,
    account: Annotated[
        str | None, typer.Argument(metavar="[账号 ACCOUNT]", help="个人学习账号 · account number")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="法定情形的代码 · code of the lawful ground (redaction-ground)")
    ] = None,
    note: Annotated[
        str | None, typer.Option(help="说明，永久留存，不得指明任何人 · kept for ever: must name no person")
    ] = None,
    first_token_file: FirstFileOption = None,
    second_token_file: SecondFileOption = None,
    first_token_fd: FirstDescriptorOption = None,
    second_token_fd: SecondDescriptorOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="不再确认 · ask for no confirmation")] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="完成未做完的清理 · finish cleaning that was interrupted")
    ] = False,
    by_hand: Annotated[
        bool,
        typer.Option("--by-hand", help="其余清理已手工完成 · what this role may not do was done by hand"),
    ] = False,
    reapply: Annotated[
        bool, typer.Option("--reapply", help="恢复备份后重做全部删除 · after a restore: redact again")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """删除账号中的个人信息：两人经办，不可恢复，证明仍有效 · redact an account: two persons, for ever."""
    session = session_of(context)
    sources = TokenSources(
        first_file=first_token_file,
        second_file=second_token_file,
        first_fd=first_token_fd,
        second_fd=second_token_fd,
    )
    if [account is not None, finish, reapply].count(True) != 1:
        raise RedactionInvalid("redaction-mode")
    bank = session.bank()
    done: dict[str, JsonValue] = {}
    if reapply:
        done = _reapply(session, bank, sources)
    elif account is not None:
        number = parse_account_number(account)
        done = _redact(session, bank, sources, number, ground=reason, note=note, is_confirmed=yes)
    left = _finish(session, bank, by_hand=by_hand)
    if as_json:
        print_json({**done, "left": list(left)})
    raise typer.Exit(NEGATIVE if left and not by_hand else 0)


def _redact(
    session: Session,
    bank: Bank,
    sources: TokenSources,
    number: AccountNumber,
    *,
    ground: str | None,
    note: str | None,
    is_confirmed: bool,
) -> dict[str, JsonValue]:
    words = session.words
    try:
        reach = preview_redaction(bank, number)
    except AccountRedacted as error:
        errors.print(words.problem(error).detail, style="yellow")
        return {"account": str(number), "destroyed": None}
    known = known_ground(bank, ground)
    errors.print(words.text("word.redaction-destroys", number=str(number), **asdict(reach)))
    if note is not None:
        errors.print(words.text("word.redaction-note-stays"), style="yellow")
    if not is_confirmed:
        _confirm(session, number)
    redacted = redact_account(
        bank,
        session.principal(bank),
        ask_two_persons(session, bank, sources),
        number,
        ground=known,
        note=note,
        receipt_without=receipt_without,
    )
    errors.print(words.text("word.redacted", number=str(number), seq=redacted.receipt.seq), style="green")
    return {"account": str(number), "seq": redacted.receipt.seq, "destroyed": asdict(redacted.destroyed)}


def _confirm(session: Session, number: AccountNumber) -> None:
    """Have the account number typed, so that nobody destroys another account by a slip."""
    if not session.is_attended:
        raise RedactionInvalid("redaction-unconfirmed")
    typed = typer.prompt(session.words.text("word.redaction-confirm"), err=True)
    if parse_account_number(typed) != number:
        raise RedactionInvalid("redaction-confirmed-other", number=str(number))


def _reapply(session: Session, bank: Bank, sources: TokenSources) -> dict[str, JsonValue]:
    words = session.words
    missing = redactions_missing(bank, read_register(session.settings.redaction_register))
    with progress(words.text("word.reapplying")) as step:
        reapplied = reapply_redactions(
            bank,
            session.principal(bank),
            missing,
            ask_two_persons(session, bank, sources) if missing else None,
            receipt_without=receipt_without,
            on_progress=step,
        )
    enter(session.settings.redaction_register, all_named(bank))
    errors.print(words.text("word.reapplied", **asdict(reapplied)), style="green")
    return asdict(reapplied)


def _finish(session: Session, bank: Bank, *, by_hand: bool) -> Sequence[str]:
    words = session.words
    try:
        left = finish_redactions(
            bank,
            receipt_without=receipt_without,
            register=partial(enter, session.settings.redaction_register),
            clean=open_cleaner(session.settings),
            on_step=lambda step: errors.print(words.text(f"word.cleaning-{step}"), style="dim"),
            by_hand=by_hand,
        )
    except CreditBankError:
        errors.print(words.text("word.redaction-unfinished"), style="bold yellow")
        raise
    for step in left:
        errors.print(words.text(f"word.by-hand-{step}"), style="yellow")
    if not left:
        errors.print(words.text("word.cleaned"), style="green")
    return left
