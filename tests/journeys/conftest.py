"""A bank on the command line, made once and copied for every test that wants one of its own."""

import base64
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from creditbank.cli.session import Session
from creditbank.rulepacks.library import Library
from creditbank.samples.people import sample_issuer
from creditbank.signing.key_file import create_key_file, read_key_file
from tests.banks import OPERATOR
from tests.commands import Commands
from tests.journeys.sealed import EAST, ORIGIN, PASSPHRASE, STATION

DEVELOPMENT_KEY = base64.b64encode(b"a key that protects nothing !!!!").decode()


@pytest.fixture(scope="session", autouse=True)
def _shipped_packs_are_read_once() -> Iterator[None]:
    """Commands of this process share the shipped packs: a process of its own would read them again."""
    shipped = cache(lambda check: Library.load(check=check))
    right = Session.library

    def opened(session: Session, *, check: bool = True) -> Library:
        return right(session, check=check) if session.settings.rule_pack_directories else shipped(check)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "library", opened)
        yield


@pytest.fixture(scope="session")
def made_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank without entries but its institutions."""
    home = tmp_path_factory.mktemp("bank")
    commands = Commands(home, CREDITBANK_DEVELOPMENT_KEY=DEVELOPMENT_KEY)
    commands.run(
        "init", "--origin", "bank.test", "--operator", sample_issuer("bureau"), "--name", "昌都教育局（测试）"
    )
    for institution in ("school-east", "school-river", "station"):
        code = sample_issuer(institution)
        commands.run("institution", "register", code, "--name", institution, "--role", "school")
    return home


@pytest.fixture
def commands(made_bank: Path, tmp_path: Path) -> Commands:
    """Commands on a bank of the test's own."""
    home = tmp_path / "bank"
    shutil.copytree(made_bank, home)
    return Commands(home, CREDITBANK_DEVELOPMENT_KEY=DEVELOPMENT_KEY)


@pytest.fixture(scope="session")
def sealed_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank with a key file, made once, and sealed again cheaply so that commands open it quickly."""
    home = tmp_path_factory.mktemp("sealed")
    (home / "passphrase").write_text(PASSPHRASE)
    commands = Commands(home, CREDITBANK_PASSPHRASE_FILE=str(home / "passphrase"))
    commands.run("init", "--origin", ORIGIN, "--operator", OPERATOR, "--name", "昌都教育局（测试）")
    commands.run("institution", "register", EAST, "--name", "school-east", "--role", "school")
    commands.run("institution", "register", STATION, "--name", "station", "--role", "appraisal-station")
    keyring = read_key_file(home / "keys.sealed", passphrase=PASSPHRASE).keyring
    (home / "keys.sealed").unlink()
    create_key_file(home / "keys.sealed", keyring, passphrase=PASSPHRASE, cost=2)
    return home


@pytest.fixture
def sealed_commands(sealed_bank: Path, tmp_path: Path) -> Commands:
    """Commands on a bank of the test's own, with a sealed key file."""
    home = tmp_path / "bank"
    shutil.copytree(sealed_bank, home)
    return Commands(home, CREDITBANK_PASSPHRASE_FILE=str(home / "passphrase"))
