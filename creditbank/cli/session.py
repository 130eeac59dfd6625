"""What every command starts from: the settings, the reader's words, and the bank when it is needed."""

import getpass
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, cast

import typer

from creditbank.assembly import open_bank, open_library, open_store
from creditbank.cli.output import errors
from creditbank.identity.organisation_code import parse_organisation_code
from creditbank.locale.catalogue import Catalogue, catalogue
from creditbank.rulepacks.library import Library
from creditbank.services.bank import Bank, Principal
from creditbank.services.ports import Store
from creditbank.settings import Settings
from creditbank.signing.passphrase import read_passphrase
from creditbank.signing.sealed_file import warning_about


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of one command."""

    settings: Settings

    @property
    def words(self) -> Catalogue:
        """The catalogue of the reader's language."""
        return catalogue(self.settings.language)

    @property
    def is_asking(self) -> bool:
        """Whether the passphrase is asked for on the terminal, because the settings name no source of it."""
        return self.settings.passphrase_fd is None and self.settings.passphrase_file is None

    def passphrase(self, *, again: bool = False) -> str:
        """Read the passphrase from where the settings say, or ask for it (`again`) on the terminal."""
        words = self.words.text("word.passphrase-again" if again else "word.passphrase")
        return read_passphrase(
            fd=self.settings.passphrase_fd,
            file=self.settings.passphrase_file,
            prompt=partial(getpass.getpass, words) if sys.stdin.isatty() else None,
        )

    def bank(self) -> Bank:
        """Open the bank with its keys, and warn where others could read them."""
        if self.settings.key_file.exists() and (warning := warning_about(self.settings.key_file)):
            errors.print(self.words.warning(warning), style="yellow")
        return open_bank(self.settings, passphrase=self.passphrase)

    def store(self) -> Store:
        """Open the books alone, without keys."""
        return open_store(self.settings)

    def library(self, *, check: bool = True) -> Library:
        """Load the rule packs, and run their examples unless told not to."""
        return open_library(self.settings, check=check)

    def principal(self, bank: Bank, issuer: str | None = None) -> Principal:
        """Return the operator, acting in the name of `issuer` where one is given.

        Whoever holds the bank's keys is its operator: no other principal can use the command line.
        """
        acting_for = bank.record.operator if issuer is None else parse_organisation_code(issuer)
        return Principal.operator(acting_for)


def session_of(context: typer.Context) -> Session:
    """Return the session that the command line's first options made."""
    return cast("Session", context.find_root().obj)


AccountArgument = Annotated[str, typer.Argument(metavar="账号 ACCOUNT", help="个人学习账号 · account number")]
IssuerOption = Annotated[
    str, typer.Option("--issuer", help="颁发机构的统一社会信用代码 · the issuer's unified social credit code")
]
JsonOption = Annotated[bool, typer.Option("--json", help="以 JSON 输出 · print JSON")]
OutOption = Annotated[Path | None, typer.Option("--out", help="写入文件 · write to this file")]
