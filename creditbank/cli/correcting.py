"""`creditbank account correct`: put an outcome right, as its issuer states it now."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from creditbank.account.changed import changed_outcome
from creditbank.cli.levels import corrected_level
from creditbank.cli.output import console
from creditbank.cli.session import AccountArgument, IssuerOption, session_of
from creditbank.cli.suspended import print_suspended, suspended_in
from creditbank.identity.account_number import parse_account_number
from creditbank.locale.wording import outcome_line
from creditbank.outcomes import Outcome
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.diploma import Diploma
from creditbank.services.accounts import read_account
from creditbank.services.bank import Bank
from creditbank.services.outcomes import OutcomeUnknown, correct_outcome, must_stand
from creditbank.terms import OutcomeId


def correct(
    context: typer.Context,
    account: AccountArgument,
    outcome: Annotated[str, typer.Argument(metavar="成果_OUTCOME", help="成果编号 · the outcome's id")],
    reason: Annotated[str, typer.Option(help="理由 · why")],
    issuer: IssuerOption,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="名称=值_NAME=VALUE",
            help="改哪一项，如 credits=5、level=高级；值为空则去掉 · what is changed to what",
        ),
    ] = None,
) -> None:
    """更正一项成果；原记录保留，依据不足的免修、免试随即中止 · correct an outcome: the old entry stays."""
    session = session_of(context)
    bank, number = session.bank(), parse_account_number(account)
    corrects = OutcomeId(outcome.removeprefix("#").zfill(6))
    holdings = read_account(bank, number).holdings
    held = holdings.outcome(corrects)
    if held is None:
        raise OutcomeUnknown("outcome-unknown", outcome=corrects)
    must_stand(holdings, held)
    before = suspended_in(session, number)
    stated = changed_outcome(held.outcome, _in_full(bank, held.outcome, change or []))
    receipt = correct_outcome(
        bank,
        session.principal(bank, issuer),
        number,
        corrects,
        stated,
        reason=reason,
        rules=session.library(),
    )
    said = session.words.text("word.outcome-corrected", outcome=corrects, seq=receipt.seq)
    console.print(said)
    console.print(outcome_line(session.words, stated))
    print_suspended(session, number, since=before)


def _in_full(bank: Bank, outcome: Outcome, changes: Iterable[str]) -> Iterator[str]:
    """Yield the changes with their levels in full, of the framework that the outcome's own is of."""
    stated = outcome.level if isinstance(outcome, Diploma | SkillCertificate) else None
    for change in changes:
        name, is_written, value = (part.strip() for part in change.partition("="))
        if name == "level" and value and stated is not None:
            value = corrected_level(value, stated, bank.vocabularies, on=outcome.awarded_on)
        yield f"{name}{is_written}{value}"
