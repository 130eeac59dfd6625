"""Writes small files so that a crash leaves the old one or the new one, whole, and never none."""

import fcntl
import glob
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BEGUN = re.compile(r"\.[0-9a-f]{16}")
_PRIVATE = stat.S_IRUSR | stat.S_IWUSR
_PUBLIC = _PRIVATE | stat.S_IRGRP | stat.S_IROTH


def create_file(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read: whole and on disk, or not there at all.

    What runs that were interrupted before it was there left beside it goes.

    Raises:
        FileExistsError: there is a file already.
        OSError: none can be written there.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")  # another's, made at once, is not ours
    try:
        _write_through(new, content, mode=_PRIVATE)
        # A link, unlike a rename, fails where somebody else's file already is.
        path.hardlink_to(new)
    except FileNotFoundError as error:
        # Whoever was first clears away what others had begun.
        if path.exists():
            raise FileExistsError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        new.unlink(missing_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        if _BEGUN.fullmatch(left.name.removeprefix(f".{path.name}")):
            left.unlink(missing_ok=True)
    _sync_directory(path.parent)


def replace_file(path: Path, content: bytes, *, is_public: bool = False) -> None:
    """Put a file's new content in the place of the old: when this returns, the new one is on disk.

    The file keeps its owner and its mode; one that was not there can be read by its owner, or, where it is
    public, by everybody. What an interrupted run left beside it goes. Two writers must take turns
    (`directory_lock`).

    Raises:
        OSError: it cannot be written there; the old file is as it was.
    """
    path = path.resolve()  # a link goes on pointing to its file
    before = path.stat() if path.exists() else None
    mode_if_new = _PUBLIC if is_public else _PRIVATE
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    try:
        _write_through(new, content, mode=mode_if_new if before is None else stat.S_IMODE(before.st_mode))
        if before is not None and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(new, before.st_uid, before.st_gid)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


@contextmanager
def directory_lock(directory: Path) -> Iterator[None]:
    """Keep every other process that asks for it from changing the files of a directory.

    Raises:
        BlockingIOError: another process is at it.
        OSError: there is no such directory.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _write_through(path: Path, content: bytes, *, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fchmod(stream.fileno(), mode)
        os.fsync(stream.fileno())


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
