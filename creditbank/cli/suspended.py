"""`creditbank account suspended`, `substitute`, `confirm`: settle grants whose evidence no longer counts."""

from typing import Annotated

import typer

from creditbank.cli.output import console, print_json
from creditbank.cli.session import AccountArgument, IssuerOption, JsonOption, Session, session_of
from creditbank.cli.two_persons import (
    FirstDescriptorOption,
    FirstFileOption,
    SecondDescriptorOption,
    SecondFileOption,
    TokenSources,
    ask_two_persons,
)
from creditbank.identity.account_number import AccountNumber, parse_account_number
from creditbank.locale.wording import grant_line
from creditbank.services.accounts import read_account
from creditbank.services.cascade import confirm_suspension, offers, substitute_grant
from creditbank.terms import OutcomeId

GrantArgument = Annotated[str, typer.Argument(metavar="授予_GRANT", help="授予编号 · the grant's id")]


def suspended(context: typer.Context, account: AccountArgument, as_json: JsonOption = False) -> None:
    """列出中止的免修、免试，和可替代的成果 · list suspended grants, and what could stand in their place."""
    session = session_of(context)
    words = session.words
    found = offers(session.bank(), parse_account_number(account), session.library())
    if as_json:
        print_json(
            [
                {
                    "grant": offer.suspended.id,
                    "because": offer.suspended.because,
                    "substitute": None
                    if offer.substitute is None
                    else {
                        "rule": offer.substitute.rule,
                        "rule_version": offer.substitute.rule_version,
                        "evidence": list(offer.substitute.evidence),
                    },
                }
                for offer in found
            ]
        )
        return
    for offer in found:
        console.print(f"✗ #{offer.suspended.id} {grant_line(words, offer.suspended)}", style="red")
        if offer.substitute is None:
            console.print(f"  {words.text('word.no-substitute')}", style="yellow")
        else:
            rule = f"{offer.substitute.rule} v{offer.substitute.rule_version}"
            evidence = words.listed(f"#{one}" for one in offer.substitute.evidence)
            said = words.text("word.substitute-offered", rule=rule, evidence=evidence)
            console.print(f"  {said}", style="green")
    if found:
        console.print(words.text("word.settle-suspended", account=account), style="dim")
    else:
        console.print(words.text("word.none-suspended"))


def suspended_in(session: Session, number: AccountNumber) -> frozenset[OutcomeId]:
    """Return the ids of the grants that are suspended now."""
    return frozenset(one.id for one in read_account(session.bank(), number).holdings.suspended_grants)


def print_suspended(session: Session, number: AccountNumber, *, since: frozenset[OutcomeId]) -> None:
    """Print the grants that have been suspended since, and what to do about them."""
    words = session.words
    fallen = [
        one for one in read_account(session.bank(), number).holdings.suspended_grants if one.id not in since
    ]
    for grant in fallen:
        console.print(f"✗ #{grant.id} {grant_line(words, grant)}", style="red")
    if fallen:
        console.print(words.text("word.see-suspended", account=str(number)), style="yellow")


def substitute(
    context: typer.Context, account: AccountArgument, grant: GrantArgument, issuer: IssuerOption
) -> None:
    """以其他成果替代已中止的授予 · let what other outcomes give stand in a suspended grant's place."""
    session = session_of(context)
    bank = session.bank()
    number, wanted = parse_account_number(account), _id_of(grant)
    receipt = substitute_grant(bank, session.principal(bank, issuer), number, wanted, session.library())
    console.print(session.words.text("word.substituted", grant=wanted, seq=receipt.seq))


def confirm(
    context: typer.Context,
    account: AccountArgument,
    grant: GrantArgument,
    reason: Annotated[str, typer.Option(help="理由 · why")],
    issuer: IssuerOption,
    first_token_file: FirstFileOption = None,
    second_token_file: SecondFileOption = None,
    first_token_fd: FirstDescriptorOption = None,
    second_token_fd: SecondDescriptorOption = None,
) -> None:
    """两人经办，确认终止：授予到此为止 · confirm that a suspended grant has ended: two persons."""
    session = session_of(context)
    bank = session.bank()
    number, wanted = parse_account_number(account), _id_of(grant)
    sources = TokenSources(
        first_file=first_token_file,
        second_file=second_token_file,
        first_fd=first_token_fd,
        second_fd=second_token_fd,
    )
    persons = ask_two_persons(session, bank, sources)
    receipt = confirm_suspension(
        bank, session.principal(bank, issuer), persons, number, wanted, reason=reason
    )
    console.print(session.words.text("word.reversed", grant=wanted, seq=receipt.seq))


def _id_of(text: str) -> OutcomeId:
    return OutcomeId(text.removeprefix("#").zfill(6))
