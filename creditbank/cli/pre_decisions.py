"""`creditbank decide pre-decision` binds a school to an answer; `account withdraw` takes it back."""

from datetime import datetime
from typing import Annotated

import typer

from creditbank.account.planned import planned_holdings
from creditbank.cli.asking import Category, Facts, Whole, with_facts
from creditbank.cli.decide import print_answer
from creditbank.cli.output import console, print_json
from creditbank.cli.session import AccountArgument, IssuerOption, JsonOption, session_of
from creditbank.cli.supposed import planned_outcomes
from creditbank.cli.two_persons import (
    FirstDescriptorOption,
    FirstFileOption,
    SecondDescriptorOption,
    SecondFileOption,
    TokenSources,
    ask_two_persons,
)
from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import parse_account_number
from creditbank.services.pre_decisions import give_pre_decision, withdraw_pre_decision
from creditbank.services.questions import question_about
from creditbank.terms import OutcomeId


def pre_decision(
    context: typer.Context,
    account: AccountArgument,
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="有效至哪一天 · binding up to and on")
    ],
    issuer: IssuerOption,
    programme: Annotated[str | None, typer.Option(help="专业培养方案编号 · programme")] = None,
    exam: Annotated[str | None, typer.Option(help="考试编号 · exam")] = None,
    planned: Annotated[
        list[str] | None,
        typer.Option(
            metavar="名称=值,…_NAME=VALUE,…",
            help="拟取得的成果，如 code=CD-X-JTNC,level=中级 · an outcome planned",
        ),
    ] = None,
    category: Category = None,
    fact: Facts = None,
    whole: Whole = False,
    as_json: JsonOption = False,
) -> None:
    """预先决定：学校书面答复可免什么，到期前规则变了也算数 · bind the school to an answer until a day."""
    session = session_of(context)
    bank = session.bank()
    library = session.library()
    principal = session.principal(bank, issuer)
    outcomes = planned_outcomes(planned or [], library.packs)
    answer = give_pre_decision(
        bank,
        principal,
        parse_account_number(account),
        question_about(library, programme=programme, exam=exam),
        applicant=with_facts(Applicant(category=category), fact or []),
        until=until.date(),
        planned=outcomes,
    )
    (given,) = answer.registered
    if as_json:
        print_json(
            {
                "decision": answer.decision.as_json(),
                "pre_decision": given,
                "promised_already": list(answer.promised_already),
                "warnings": [session.words.warning(one) for one in answer.warnings],
            }
        )
        return
    print_answer(
        session.words,
        answer,
        principal=principal,
        registered_as="word.pre-decision-given",
        whole=whole,
        supposed=planned_holdings(outcomes, today=answer.decision.as_of),
    )
    console.print(session.words.text("word.pre-decision-until", day=until.date()))
    if answer.promised_already:
        earlier = session.words.listed(f"#{one}" for one in answer.promised_already)
        console.print(session.words.text("word.pre-decision-already", earlier=earlier), style="yellow")


def withdraw(
    context: typer.Context,
    account: AccountArgument,
    promise: Annotated[str, typer.Argument(metavar="预先决定_PRE-DECISION", help="编号 · its id")],
    reason: Annotated[str, typer.Option(help="理由 · why")],
    issuer: IssuerOption,
    first_token_file: FirstFileOption = None,
    second_token_file: SecondFileOption = None,
    first_token_fd: FirstDescriptorOption = None,
    second_token_fd: SecondDescriptorOption = None,
) -> None:
    """两人经办，撤回预先决定，已登记的授予不受影响 · take a pre-decision back: two persons; grants stay."""
    session = session_of(context)
    bank = session.bank()
    sources = TokenSources(
        first_file=first_token_file,
        second_file=second_token_file,
        first_fd=first_token_fd,
        second_fd=second_token_fd,
    )
    wanted = OutcomeId(promise.removeprefix("#").zfill(6))
    receipt = withdraw_pre_decision(
        bank,
        session.principal(bank, issuer),
        ask_two_persons(session, bank, sources),
        parse_account_number(account),
        wanted,
        reason=reason,
    )
    console.print(session.words.text("word.pre-decision-withdrawn", promise=wanted, seq=receipt.seq))
