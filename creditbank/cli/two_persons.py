"""Asks two officers for their tokens: on the terminal without echo, or from files or descriptors."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from creditbank.cli.session import Session
from creditbank.services.bank import Bank
from creditbank.services.officers import TwoPersons, two_persons
from creditbank.signing.secret import TOKEN, TokenUnusable

FirstFileOption = Annotated[
    Path | None, typer.Option("--first-token-file", help="第一人令牌文件 · file with the first one's token")
]
SecondFileOption = Annotated[
    Path | None, typer.Option("--second-token-file", help="第二人令牌文件 · file with the second one's token")
]
FirstDescriptorOption = Annotated[
    int | None, typer.Option("--first-token-fd", min=0, help="第一人令牌描述符 · descriptor to read it from")
]
SecondDescriptorOption = Annotated[
    int | None, typer.Option("--second-token-fd", min=0, help="第二人令牌描述符 · descriptor to read it from")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSources:
    """Where the two tokens come from; where neither is named, the officers are asked."""

    first_file: Path | None = None
    second_file: Path | None = None
    first_fd: int | None = None
    second_fd: int | None = None

    def __post_init__(self) -> None:
        for name, file, fd in (
            ("first_token", self.first_file, self.first_fd),
            ("second_token", self.second_file, self.second_fd),
        ):
            if file is not None and fd is not None:
                raise TokenUnusable("officer-token-two-sources", field=name)


def ask_two_persons(session: Session, bank: Bank, sources: TokenSources) -> TwoPersons:
    """Return the two officers who give their tokens.

    Raises:
        TokenUnusable: one cannot be read, or nobody sits there to be asked.
        TwoPersonsNeeded: they are not two officers in office.
    """
    first, second = (
        TOKEN.read(file=file, fd=fd, prompt=_prompt(session, which) if session.is_attended else None)
        for which, file, fd in (
            ("first", sources.first_file, sources.first_fd),
            ("second", sources.second_file, sources.second_fd),
        )
    )
    return two_persons(bank, first_token=first, second_token=second)


def _prompt(session: Session, which: str) -> Callable[[], str]:
    return partial(getpass.getpass, session.words.text(f"word.token-of-{which}"))
