"""Laws of the settings: documented, frozen, read from the environment alone, and silent about secrets."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from creditbank.settings import PREFIX, Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
SECRET = "canary-7f3a"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


def test_the_example_names_every_setting_and_no_other() -> None:
    named = re.findall(rf"^#?{PREFIX}([A-Z_]+)=", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)
    assert sorted(named) == sorted(field.upper() for field in Settings.model_fields)


def test_the_values_in_the_example_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = Settings()
    without_default = {
        "passphrase_file",
        "passphrase_fd",
        "checkpoint_key_file",
        "checkpoint_passphrase_file",
        "signer_command",
        "witness_keys_file",
        "solver",
    }
    for name, value in re.findall(rf"^#{PREFIX}([A-Z_]+)=(.*)$", EXAMPLE.read_text("utf-8"), re.MULTILINE):
        if name.lower() not in without_default:
            monkeypatch.setenv(PREFIX + name, value)
    assert Settings() == defaults


def test_files_stay_in_the_home_directory_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDITBANK_HOME", "/srv/bank")
    settings = Settings()
    assert settings.database_url.get_secret_value() == "sqlite:////srv/bank/bank.db"
    assert settings.key_file == Path("/srv/bank/keys.sealed")
    assert settings.checkpoint_file == Path("/srv/bank/checkpoint")
    monkeypatch.setenv("CREDITBANK_KEY_FILE", "/etc/keys")
    assert Settings().key_file == Path("/etc/keys")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDITBANK_LANGUAGE", "en")
    monkeypatch.setenv("CREDITBANK_PORT", "0")
    monkeypatch.setenv("CREDITBANK_ALLOW_TEST_NUMBERS", "true")
    monkeypatch.setenv("CREDITBANK_PASSPHRASE_FD", "3")
    monkeypatch.setenv("CREDITBANK_RULE_PACK_DIRECTORIES", os.pathsep.join(["packs", "/srv/packs"]))
    settings = Settings()
    assert (settings.language, settings.port, settings.allow_test_numbers) == ("en", 0, True)
    assert settings.passphrase_fd == 3
    assert settings.rule_pack_directories == (Path("packs"), Path("/srv/packs"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "eighty"),
        ("LANGUAGE", "fr"),
        ("PASSPHRASE_FD", "-1"),
        ("ALLOW_TEST_NUMBERS", "perhaps"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert [error["loc"] for error in refused.value.errors()] == [(name.lower(),)]


def test_two_sources_of_a_passphrase_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDITBANK_PASSPHRASE_FILE", "secret")
    monkeypatch.setenv("CREDITBANK_PASSPHRASE_FD", "3")
    with pytest.raises(ValidationError, match="not both") as refused:
        Settings()
    assert [error["loc"] for error in refused.value.errors()] == [("passphrase_fd",)]


@given(st.sampled_from(sorted(Settings.model_fields)))
def test_no_setting_changes_after_the_start(field: str) -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        setattr(settings, field, getattr(settings, field))


def test_secrets_appear_in_no_printed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDITBANK_DEVELOPMENT_KEY", SECRET)
    monkeypatch.setenv("CREDITBANK_DATABASE_URL", f"postgresql+psycopg://bank:{SECRET}@db/bank")
    settings = Settings()
    for printed in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert SECRET not in printed
    monkeypatch.setenv("CREDITBANK_PORT", SECRET)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert SECRET not in str(refused.value)
