"""`creditbank demo`: the bank's main job on invented people, told step by step, then served."""

import fcntl
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from creditbank.assembly import create_bank
from creditbank.cli.demo_story import Story
from creditbank.cli.output import console
from creditbank.cli.serve import address_of, listen, run_server
from creditbank.cli.session import Session, session_of
from creditbank.errors import Misconfigured
from creditbank.samples.people import sample_institutions
from creditbank.services.bank import Bank, Principal
from creditbank.services.institutions import Institution, register_institution
from creditbank.services.operator_token import make_token

_ORIGIN = "bank.demo.invalid"
_MARK = "DEMO"
_PASSPHRASE = "passphrase"  # noqa: S105 - a file's name
_ENVIRONMENT = "env"


def demo(
    context: typer.Context,
    serve: Annotated[bool, typer.Option(help="讲完后打开网页 · serve it afterwards")] = True,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="端口 · port")] = 8000,
) -> None:
    """演示：从学校的表格到可证明的免修 · from a school's workbook to a provable exemption."""
    given = session_of(context)
    listening = listen(given.settings.host, port) if serve else None
    with _alone(given.settings.home):
        _tell(_demo_session(given), listening)


def _tell(session: Session, listening: socket.socket | None) -> None:
    bank = _new_bank(session)
    story = Story(session=session, bank=bank, library=session.library())
    story.tell()
    if listening is None:
        return
    token = make_token(bank, replace=True)
    address = address_of(listening)
    page = f"/statement/{story.hero.text}"
    words = session.words
    story.heading("word.demo-served")
    console.print(f"{words.text('word.statement')}: {address}/sign-in?then={page}#{token}")
    console.print(f"{words.text('word.interface')}: {address}/docs")
    console.print(f"{words.text('word.checkpoint')}: {address}/checkpoint")
    console.print(words.text("word.stop-with-ctrl-c"))
    run_server(session, bank, listening, token=token)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep another demonstration from clearing the bank that this one tells of, or serves.

    Raises:
        Misconfigured: another one is at it.
    """
    home.absolute().parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(home.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Misconfigured("demo-running", home=str(home)) from error
        yield


def _demo_session(session: Session) -> Session:
    """Clear what an earlier demonstration left, and nothing else; return the session of the new one."""
    home = session.settings.home
    if home.exists() and any(home.iterdir()):
        if not (home / _MARK).exists():
            raise Misconfigured("demo-home-in-use", home=str(home))
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / _MARK).touch()
    passphrase = home / _PASSPHRASE
    passphrase.touch(mode=0o600)
    passphrase.write_text(secrets.token_hex(16) + "\n", encoding="utf-8")
    _write_environment(home, passphrase)
    settings = session.settings.model_copy(update={"passphrase_file": passphrase, "allow_test_numbers": True})
    return Session(settings=settings)


def _write_environment(home: Path, passphrase: Path) -> None:
    """Leave what a shell needs to go on with this bank by hand."""
    lines = (
        f"CREDITBANK_HOME={home}",
        f"CREDITBANK_PASSPHRASE_FILE={passphrase}",
        "CREDITBANK_ALLOW_TEST_NUMBERS=true",
    )
    (home / _ENVIRONMENT).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _new_bank(session: Session) -> Bank:
    samples = {sample.role: sample for sample in sample_institutions()}
    bureau = samples["education-bureau"]
    operator = Institution(
        issuer=bureau.issuer, name=bureau.name, role=bureau.role, english_name=bureau.english_name
    )
    bank = create_bank(session.settings, passphrase=session.passphrase, origin=_ORIGIN, operator=operator)
    for sample in sample_institutions():
        if sample.issuer != bureau.issuer:
            institution = Institution(
                issuer=sample.issuer, name=sample.name, role=sample.role, english_name=sample.english_name
            )
            register_institution(bank, Principal.operator(bureau.issuer), institution)
    return bank
