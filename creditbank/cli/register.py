"""The register of redactions as a file outside the database."""

from collections.abc import Sequence
from pathlib import Path

from creditbank.account.redaction import RedactionNamed
from creditbank.cli.files import FileUnusable, require_no_directory
from creditbank.documents.redaction_register import parse_register, register_bytes
from creditbank.durable_file import replace_file


def read_register(path: Path) -> tuple[RedactionNamed, ...]:
    """Return what the register names; nothing where there is none yet.

    Raises:
        FileUnusable: it cannot be read.
        RegisterInvalid: it is not one.
    """
    require_no_directory(path)
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
    try:
        replace_file(path, register_bytes(entered), is_public=True)
    except OSError as error:
        raise FileUnusable("file-unwritable", path=str(path), cause=error.strerror) from error
