"""`creditbank ledger prove` and `consistency`: files with which a stranger checks the log on his own."""

from pathlib import Path
from typing import Annotated

import typer

from creditbank.cli.files import read_file, require_new, write_file
from creditbank.cli.publishing import say_written
from creditbank.cli.session import AccountArgument, OutOption, session_of
from creditbank.identity.account_number import parse_account_number
from creditbank.ledger.receipt_check import payload_file
from creditbank.services.log import payload_of, prove_entry, prove_growth


def prove(
    context: typer.Context,
    account: AccountArgument,
    seq: Annotated[
        int,
        typer.Argument(min=0, max=2**63 - 1, metavar="条目_SEQ", help="条目序号，从 0 起 · entry, from 0"),
    ],
    out: OutOption = None,
    payload: Annotated[
        Path | None,
        typer.Option(help="另存条目的内容及其盐值 · also write what the entry says, with its salt"),
    ] = None,
) -> None:
    """证明一个条目已在账本中 · prove that an entry is in the log, as a C2SP .tlog-proof file."""
    session = session_of(context)
    for path in filter(None, (out, payload)):
        require_new(path)
    bank = session.bank()
    subject = parse_account_number(account).subject
    proof = prove_entry(bank, subject, seq)
    said = None if payload is None else payload_file(payload_of(bank, subject, seq))
    write_file(proof, out)
    say_written(session, out)
    if said is not None:
        write_file(said, payload)
        say_written(session, payload)


def consistency(
    context: typer.Context,
    checkpoint: Annotated[
        Path | None,
        typer.Argument(
            metavar="检查点_CHECKPOINT",
            help="较早的检查点，省略则自空账本起 · an earlier one; from nothing if none",
        ),
    ] = None,
    out: OutOption = None,
) -> None:
    """证明账本由较早的检查点增长而来 · prove that the log grew out of an earlier checkpoint's (C2SP)."""
    session = session_of(context)
    if out is not None:
        require_new(out)
    since = None if checkpoint is None else read_file(checkpoint)
    write_file(prove_growth(session.bank(), since=since), out)
    say_written(session, out)
