"""The register of redactions as a file outside the database."""

import os
from collections.abc import Sequence
from pathlib import Path

from creditbank.account.redaction import RedactionNamed
from creditbank.cli.files import FileUnusable
from creditbank.documents.redaction_register import parse_register, register_bytes


def read_register(path: Path) -> tuple[RedactionNamed, ...]:
    """Return what the register names; nothing where there is none yet.

    Raises:
        FileUnusable: it cannot be read.
        RegisterInvalid: it is not one.
    """
    try:
        return parse_register(path.read_bytes())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise FileUnusable("file-unreadable", path=str(path), cause=error.strerror) from error


def enter(path: Path, redactions: Sequence[RedactionNamed]) -> None:
    """Enter redactions in the register; those that stand there already stay as they are.

    The file is replaced whole, and is on the disk before this returns.

    Raises:
        FileUnusable: it cannot be read or written.
        RegisterInvalid: what is there is no register, and is left as it is.
    """
    known = read_register(path)
    entered = list(dict.fromkeys([*known, *redactions]))
    if len(entered) == len(known):
        return
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as stream:
            stream.write(register_bytes(entered))
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        raise FileUnusable("file-unwritable", path=str(path), cause=error.strerror) from error
