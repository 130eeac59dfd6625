"""Files named on the command line: read whole, written whole or not at all."""

import sys
from contextlib import suppress
from pathlib import Path

from creditbank.errors import InvalidInput

_FILE_MAX_BYTES = 1_048_576


class FileUnusable(InvalidInput):
    """A file named on the command line cannot be read or written."""

    code = "file-unusable"


def read_file(path: Path, *, max_bytes: int = _FILE_MAX_BYTES) -> bytes:
    """Read a small file named on the command line.

    Raises:
        FileUnusable: it cannot be read, or is larger than 1 MiB, unless told otherwise.
    """
    require_no_directory(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except OSError as error:
        raise FileUnusable("file-unreadable", path=str(path), cause=error.strerror) from error
    if len(content) > max_bytes:
        raise FileUnusable("file-too-large", path=str(path), max_bytes=max_bytes)
    return content


def write_file(content: bytes, path: Path | None, *, replace: bool = False) -> None:
    """Write to a new file, or to standard output where none is named.

    Raises:
        FileUnusable: it cannot be written, or is there already and may not be replaced.
    """
    if path is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    require_new(path, replace=replace)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise FileUnusable("file-unwritable", path=str(path), cause=error.strerror) from error


def require_new(path: Path, *, replace: bool = False) -> None:
    """Make sure, before any work is done for it, that a file can be written.

    Raises:
        FileUnusable: it is there already, and may hold someone's work; or its directory is not there.
    """
    if not replace:
        require_no_directory(path)
    if path.exists() and not replace:
        raise FileUnusable("file-exists", path=str(path))
    if not path.absolute().parent.is_dir():
        raise FileUnusable("directory-missing", path=str(path))


def require_no_directory(path: Path) -> None:
    """Make sure that what is named as a file is not a directory.

    Raises:
        FileUnusable: it is one.
    """
    if path.is_dir():
        raise FileUnusable("file-is-directory", path=str(path))
