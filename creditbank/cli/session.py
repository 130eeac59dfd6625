"""What every command starts from: the settings, the reader's words, and the bank when it is needed."""

import getpass
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from creditbank.cli.output import errors
from creditbank.cli.register import read_register
from creditbank.errors import CreditBankError
from creditbank.identity.organisation_code import parse_organisation_code
from creditbank.locale.catalogue import Catalogue, catalogue
from creditbank.services.bank import Bank, Principal
from creditbank.services.books import Store
from creditbank.services.redaction import redaction_duties
from creditbank.settings import Settings
from creditbank.signing.key_file import warning_about
from creditbank.signing.key_signer import KeySigner
from creditbank.signing.passphrase import PassphraseUnusable, read_passphrase, require_strength

if TYPE_CHECKING:
    from creditbank.assembly import ListedKeys, OpenKeys
    from creditbank.rulepacks.library import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of one command. What opens a database is imported by those that do: it takes a second."""

    settings: Settings

    @property
    def words(self) -> Catalogue:
        """The catalogue of the reader's language."""
        return catalogue(self.settings.language)

    @property
    def is_asking(self) -> bool:
        """Whether the passphrase is asked for on the terminal, because the settings name no source of it."""
        return self.settings.passphrase_fd is None and self.settings.passphrase_file is None

    @property
    def is_attended(self) -> bool:
        """Whether somebody sits there who can be asked."""
        return sys.stdin.isatty()

    def passphrase(self) -> str:
        """Read the passphrase from where the settings say, or ask for it on the terminal."""
        return read_passphrase(
            fd=self.settings.passphrase_fd,
            file=self.settings.passphrase_file,
            prompt=self._prompt("word.passphrase"),
        )

    @property
    def log_passphrase(self) -> Callable[[], str] | None:
        """What reads the passphrase of the log's own key file; None where it is the same passphrase."""
        file = self.settings.checkpoint_passphrase_file
        if file is None and not self.is_asking:
            return None
        return partial(read_passphrase, file=file, prompt=self._prompt("word.checkpoint-passphrase"))

    def first_passphrase(self) -> str:
        """Read the passphrase that seals a new bank's keys: from where the settings say, or asked for twice.

        Raises:
            PassphraseUnusable: it is too short, or was not typed twice alike.
        """
        if self.is_asking:
            return self.new_passphrase()
        passphrase = self.passphrase()
        require_strength(passphrase)
        return passphrase

    def new_passphrase(self, *, file: Path | None = None) -> str:
        """Read the passphrase that takes another one's place: from a file, or asked for twice.

        Raises:
            PassphraseUnusable: it is too short, or was not typed twice alike.
        """
        passphrase = read_passphrase(file=file, prompt=self._prompt("word.new-passphrase"))
        require_strength(passphrase)
        again = partial(read_passphrase, prompt=self._prompt("word.passphrase-again"))
        if file is None and again() != passphrase:
            raise PassphraseUnusable("passphrases-differ")
        return passphrase

    def first_log_passphrase(self) -> str | None:
        """Read the passphrase for a new file of the log's own key; None where it is to be the other file's.

        Raises:
            PassphraseUnusable: it is too short, or was not typed twice alike.
        """
        file = self.settings.checkpoint_passphrase_file
        return self.new_passphrase(file=file) if file is not None or self.is_asking else None

    def bank(self) -> Bank:
        """Open the bank with its keys; warn where others could read them, and of redactions half done."""
        from creditbank.assembly import open_bank

        self._warn_about_key_files()
        bank = open_bank(self.settings, passphrase=self.passphrase, log_passphrase=self.log_passphrase)
        self._tell_duties(bank)
        return bank

    def log_bank(self) -> Bank:
        """Open the bank to publish: with the log's own key alone, where that lives apart."""
        from creditbank.assembly import open_log_bank

        self._warn_about_key_files()
        return open_log_bank(self.settings, passphrase=self.passphrase, log_passphrase=self.log_passphrase)

    def keys(self, *, without_log_file: bool = False) -> "AbstractContextManager[OpenKeys]":
        """Open the bank's keys to change them."""
        from creditbank.assembly import open_keys

        self._warn_about_key_files()
        return open_keys(
            self.settings,
            passphrase=self.passphrase,
            log_passphrase=self.log_passphrase,
            without_log_file=without_log_file,
        )

    def listed_keys(self) -> "ListedKeys":
        """Open the bank's keys to tell what they are."""
        from creditbank.assembly import list_keys

        return list_keys(self.settings, passphrase=self.passphrase, log_passphrase=self.log_passphrase)

    def log_signer(self) -> KeySigner:
        """Open the log's own key, and no other where it lives apart."""
        from creditbank.assembly import open_log_signer

        return open_log_signer(self.settings, passphrase=self.passphrase, log_passphrase=self.log_passphrase)

    def _tell_duties(self, bank: Bank) -> None:
        """Say which redactions are not wholly done; an unreadable register keeps nobody from working."""
        try:
            register = read_register(self.settings.redaction_register)
        except CreditBankError as error:
            errors.print(self.words.problem(error).detail, style="yellow")
            register = ()
        for duty in redaction_duties(bank, register):
            errors.print(self.words.warning(duty), style="yellow")

    def store(self) -> Store:
        """Open the books alone, without keys."""
        from creditbank.assembly import open_store

        return open_store(self.settings)

    def library(self, *, check: bool = True) -> "Library":
        """Load the rule packs, and run their examples unless told not to."""
        from creditbank.rulepacks.library import Library

        return Library.load(*self.settings.rule_pack_directories, check=check)

    def principal(self, bank: Bank, issuer: str | None = None) -> Principal:
        """Return the operator, acting in the name of `issuer` where one is given.

        Whoever holds the bank's keys is its operator: no other principal can use the command line.
        """
        acting_for = bank.record.operator if issuer is None else parse_organisation_code(issuer)
        return Principal.operator(acting_for)

    def _prompt(self, word: str) -> Callable[[], str] | None:
        return partial(getpass.getpass, self.words.text(word)) if sys.stdin.isatty() else None

    def _warn_about_key_files(self) -> None:
        for path in (self.settings.key_file, self.settings.checkpoint_key_file):
            if path is not None and path.exists() and (warning := warning_about(path)):
                errors.print(self.words.warning(warning), style="yellow")


def session_of(context: typer.Context) -> Session:
    """Return the session that the command line's first options began: they left its settings."""
    return Session(settings=cast("Settings", context.find_root().obj))


AccountArgument = Annotated[str, typer.Argument(metavar="账号 ACCOUNT", help="个人学习账号 · account number")]
IssuerOption = Annotated[
    str, typer.Option("--issuer", help="颁发机构的统一社会信用代码 · the issuer's unified social credit code")
]
JsonOption = Annotated[bool, typer.Option("--json", help="以 JSON 输出 · print JSON")]
OutOption = Annotated[Path | None, typer.Option("--out", help="写入文件 · write to this file")]
