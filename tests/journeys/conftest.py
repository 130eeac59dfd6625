"""A bank on the command line, made once and copied for every test that wants one of its own."""

import base64
import shutil
from pathlib import Path

import pytest

from creditbank.samples.people import sample_issuer
from tests.commands import Commands

DEVELOPMENT_KEY = base64.b64encode(b"a key that protects nothing !!!!").decode()


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
