"""What differs between deployments, read once from the environment (`CREDITBANK_…`).

Only `assembly.py` and the commands make one; everything else is handed the values it needs. `.env.example`
explains every setting to the operator. What the keys are worth and whether files exist is checked where
they are opened.
"""

import os
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "CREDITBANK_"
PUBLISH_EVERY_SECONDS = 10

Language = Literal["zh-CN", "en"]


def _database_in(values: dict[str, Any]) -> SecretStr:
    return SecretStr(f"sqlite:///{values['home'] / 'bank.db'}")


def _key_file_in(values: dict[str, Any]) -> Path:
    home: Path = values["home"]
    return home / "keys.sealed"


def _checkpoint_file_in(values: dict[str, Any]) -> Path:
    home: Path = values["home"]
    return home / "checkpoint"


def _register_in(values: dict[str, Any]) -> Path:
    home: Path = values["home"]
    return home / "redactions.jsonl"


class Settings(BaseSettings):
    """One deployment. Secrets are `SecretStr`; a message about a wrong value does not repeat the value."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    home: Path = Path("data/bank")
    """The bank's own directory."""
    database_url: SecretStr = Field(default_factory=_database_in)
    """An SQLAlchemy URL, which may hold a password: `<home>/bank.db` on SQLite unless set."""
    key_file: Path = Field(default_factory=_key_file_in)
    """The sealed key file: `<home>/keys.sealed` unless set."""
    checkpoint_key_file: Path | None = None
    """The sealed file of the log's own key, where it lives apart and this process may use it."""
    checkpoint_passphrase_file: Path | None = None
    """A file whose only line opens that one; unset, the same passphrase opens both."""
    signer_command: Annotated[tuple[str, ...], NoDecode] = ()
    """The command that signs checkpoints for this process, quoted as for a shell but run without one."""
    checkpoint_file: Path = Field(default_factory=_checkpoint_file_in)
    """Where the last published checkpoint is kept outside the database: `<home>/checkpoint` unless set."""
    redaction_register: Path = Field(default_factory=_register_in)
    """Where redactions are kept outside the database: `<home>/redactions.jsonl` unless set."""
    passphrase_file: Path | None = None
    """A file whose only line opens the key file."""
    passphrase_fd: Annotated[int, Field(ge=0)] | None = None
    """An inherited file descriptor from which the passphrase is read once."""
    development_key: SecretStr | None = None
    """32 bytes in base64 from which every key is derived: for development, instead of a key file."""
    language: Language = "zh-CN"
    """The language of messages where the reader did not ask for one."""
    allow_test_numbers: bool = False
    """Whether citizen numbers that belong to no one (999999…) are accepted: for demonstrations."""
    sequence: bool = True
    """Whether `creditbank serve` also gives entries their places in the log."""
    backlog_limit: Annotated[int, Field(ge=1)] = 200_000
    """How many entries may wait for their places before no more are taken."""
    publish_seconds: Annotated[int, Field(ge=0, le=86_400)] = PUBLISH_EVERY_SECONDS
    """How often `creditbank serve` publishes, where it holds the key; 0 leaves it to another process."""
    witness_keys_file: Path | None = None
    """The verifier keys of the witnesses whose cosignatures are taken, one a line."""
    rule_pack_directories: Annotated[tuple[Path, ...], NoDecode] = ()
    """Further directories of rule packs beside the shipped ones, separated as in PATH."""
    solver: Literal["highs"] | None = None
    """What settles decisions that the search cannot prove within its budget; it has to be installed."""
    host: str = "127.0.0.1"
    """The address on which `creditbank serve` listens."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """The port on which `creditbank serve` listens; 0 takes a free one."""

    @field_validator("rule_pack_directories", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        if isinstance(given, str):
            return tuple(part for part in given.split(os.pathsep) if part)
        return given

    @field_validator("signer_command", mode="before")
    @classmethod
    def _split_command(cls, given: object) -> object:
        return tuple(shlex.split(given)) if isinstance(given, str) else given

    @field_validator("passphrase_fd")
    @classmethod
    def _one_passphrase(cls, given: int | None, info: ValidationInfo) -> int | None:
        if given is not None and info.data.get("passphrase_file") is not None:
            raise ValueError("give passphrase_file or passphrase_fd, not both")
        return given
