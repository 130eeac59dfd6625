"""Reads outcomes that are supposed, and about whom a question with them is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from creditbank.account.planned import Planned, parse_planned
from creditbank.cli.asking import QuestionInvalid
from creditbank.cli.cohort_file import numbers_in
from creditbank.cli.files import require_no_directory
from creditbank.cli.levels import level_in_full
from creditbank.conversion.holding import Holding
from creditbank.conversion.rule import RulePack
from creditbank.identity.account_number import AccountNumber, AccountNumberInvalid, parse_account_number
from creditbank.services.bank import Bank
from creditbank.services.cohort import everybody

_EVERYBODY = "all"
_USUAL = "skill-certificate"

WhomArgument = Annotated[
    str,
    typer.Argument(
        metavar="范围_WHOM",
        help="个人学习账号，账号文件（每行一个，或 CSV），或 all 全体 · an account, a file of accounts, all",
    ),
]
Registered = Annotated[
    bool, typer.Option("--from-nothing", help="不计已登记的 · as if nothing were registered")
]
Processes = Annotated[
    int | None, typer.Option(min=1, max=64, help="进程数，默认全部核心 · processes [every core]")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """One account, or several; a class of one is not the same as one learner."""

    numbers: tuple[AccountNumber, ...]
    is_class: bool


def whom(bank: Bank, text: str) -> Whom:
    """Read about whom a question is.

    Raises:
        QuestionInvalid: it names nobody, or a line of the file is not an account number.
        AccountNumberInvalid: it looks like an account number and is none.
        FileUnusable: it is a directory.
    """
    if text == _EVERYBODY:
        return Whom(numbers=everybody(bank), is_class=True)
    if Path(text).is_file():
        return Whom(numbers=numbers_in(Path(text)), is_class=True)
    try:
        return Whom(numbers=(parse_account_number(text),), is_class=False)
    except AccountNumberInvalid as error:
        require_no_directory(Path(text))
        if "/" in text or "." in text:
            raise QuestionInvalid("class-unknown", field="cohort", value=text) from error
        raise


def supposed_outcomes(given: Sequence[str], packs: Iterable[RulePack], *, on: date) -> tuple[Holding, ...]:
    """Read outcomes that are not there yet; without a day they are awarded on the day `on`.

    As `parse_planned` has it; where no kind is written it is a certificate, and a level may be written
    without its scale where only one scale of the packs has it.

    Raises:
        PlannedInvalid: one is not written as one must be.
        QuestionInvalid: the packs have no such level, or have it on several scales.
    """
    planned = planned_outcomes(given, packs)
    return tuple(one.holding(at, awarded_on=on) for at, one in enumerate(planned, start=1))


def planned_outcomes(given: Sequence[str], packs: Iterable[RulePack]) -> tuple[Planned, ...]:
    """Read outcomes that are not there yet, as `supposed_outcomes` does.

    Raises:
        PlannedInvalid, QuestionInvalid: as `supposed_outcomes`.
    """
    known = tuple(packs)
    return tuple(parse_planned(_in_full(text, known)) for text in given)


def _in_full(text: str, packs: Sequence[RulePack]) -> str:
    parts = [part.strip() for part in text.split(",")]
    if not any(part.startswith("kind=") for part in parts):
        parts.insert(0, f"kind={_USUAL}")
    for at, part in enumerate(parts):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name == "level" and value:
            parts[at] = f"level={level_in_full(value, packs)}"
    return ",".join(parts)
