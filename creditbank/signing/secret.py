"""Where a secret comes from: a file descriptor, a file, or whoever sits there; never a command's options."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from creditbank.errors import Misconfigured

_MAX_BYTES = 4096


class TokenUnusable(Misconfigured):
    """A token cannot be read from where it is said to be."""

    code = "token-unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A kind of secret, and what is said when there is none to be had."""

    unusable: type[Misconfigured]
    missing: str
    unreadable: str
    malformed: str

    def read(
        self, *, fd: int | None = None, file: Path | None = None, prompt: Callable[[], str] | None = None
    ) -> str:
        """Return the secret from the first of `fd`, `file` and `prompt` that is given.

        One line break at the end is not part of it.

        Args:
            fd: read to its end and closed; it can be read once.
            file: a file that holds nothing else.
            prompt: asks on the terminal; None where nobody can answer.

        Raises:
            Misconfigured: of the class `unusable`: there is no source, it cannot be read, or what it holds is
                empty, longer than 4,096 bytes or not UTF-8.
        """
        if fd is not None:
            return self._decoded(self._bytes_of(fd, source=f"fd {fd}"), source=f"fd {fd}")
        if file is not None:
            return self._decoded(self._bytes_of(file, source=str(file)), source=str(file))
        if prompt is not None:
            return self._decoded(prompt().encode(errors="surrogateescape"), source="terminal")
        raise self.unusable(self.missing)

    def _bytes_of(self, source_of: int | Path, *, source: str) -> bytes:
        try:
            with os.fdopen(source_of, "rb") if isinstance(source_of, int) else source_of.open("rb") as stream:
                return stream.read(_MAX_BYTES + 1)
        except IsADirectoryError as error:
            raise self.unusable("file-is-directory", path=source) from error
        except OSError as error:
            raise self.unusable(self.unreadable, source=source, cause=error.strerror) from error

    def _decoded(self, given: bytes, *, source: str) -> str:
        try:
            text = given.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise self.unusable(self.malformed, source=source) from error
        if not text or len(given) > _MAX_BYTES:
            raise self.unusable(self.malformed, source=source)
        return text


TOKEN = Secret(
    unusable=TokenUnusable,
    missing="officer-token-missing",
    unreadable="officer-token-unreadable",
    malformed="officer-token-malformed",
)
"""An officer's token."""
