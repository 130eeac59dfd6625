"""Runs `creditbank` in this process as a shell would: arguments in, output and exit code out."""

import gc
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from creditbank.cli import app


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the command printed
        return json.loads(self.out)


class Commands:
    """Commands on one bank; no setting of the machine's own reaches them."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self._environment: dict[str, str | None] = {
            "CREDITBANK_HOME": str(home),
            "CREDITBANK_ALLOW_TEST_NUMBERS": "true",
            "COLUMNS": "200",
            **settings,
        }

    @property
    def environment(self) -> dict[str, str]:
        """What a process of its own is given to work on the same bank."""
        return {name: value for name, value in self._environment.items() if value is not None}

    def run(self, *arguments: str | Path, code: int = 0, given: bytes | None = None) -> Done:
        """Run a command, `given` on its standard input; it must end with this code and show no traceback."""
        gc.freeze()  # what is there before need not be looked through after
        result = CliRunner().invoke(app, list(map(str, arguments)), env=self._environment, input=given)
        gc.collect()  # a command's process ends; here what it opened is let go
        gc.unfreeze()
        done = Done(code=result.exit_code, out=result.stdout, err=result.stderr)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert done.code == code, (arguments, done)
        return done
