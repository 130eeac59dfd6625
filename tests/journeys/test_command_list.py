"""The list of commands, which is known without importing one, says what each command says of itself."""

import subprocess
import sys

import pytest
from typer.main import get_command

from creditbank.cli import app
from creditbank.cli.commands import PLACES
from tests.commands import Commands

HEAVY = ("sqlalchemy", "sqlmodel", "psycopg", "alembic", "creditbank.assembly", "creditbank.conversion")


@pytest.mark.parametrize("name", PLACES)
def test_the_list_says_what_a_command_says_of_itself(commands: Commands, name: str) -> None:
    command = get_command(app).commands[name]  # type: ignore[attr-defined]
    assert command.help == PLACES[name].help
    assert command.name == name
    shown = " ".join(commands.run("--help").out.split())
    assert f"{name} {PLACES[name].help}" in shown


def test_a_command_that_is_not_there_is_misuse_and_the_nearest_one_is_named(commands: Commands) -> None:
    assert "'account'" in commands.run("acount", code=2).err


def test_the_list_is_shown_without_what_the_commands_need() -> None:
    code = (
        "import sys; from creditbank.cli import app; app(['--help'], standalone_mode=False);"
        f" sys.exit(sum(name in sys.modules for name in {HEAVY!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_rules_and_migrations_wait_until_a_command_needs_them() -> None:
    code = (
        "import sys; import creditbank.cli.account;"
        " sys.exit(sum(name in sys.modules for name in ('alembic', 'creditbank.rulepacks.library')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
