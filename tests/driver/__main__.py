"""The command line of the driver; see `--help` and tests/README.md."""

import argparse
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from creditbank.assembly import now
from creditbank.cli.logs import configure_logs
from creditbank.cli.periodic import periodic
from creditbank.errors import CreditBankError
from creditbank.services.bank import Bank
from creditbank.services.publishing import publish_now
from tests.driver.database import DEVELOPMENT_KEY, Database, closed_after, open_made, open_or_make
from tests.driver.pieces import ID, TAG
from tests.driver.reading import MISUSED, print_ids, print_one, print_verification
from tests.driver.recording import ServiceRecorder
from tests.driver.server import HttpRecorder, ServerGone
from tests.driver.writing import Task, Writing

N = TypeVar("N", int, float)

GAVE_UP = 1
_LOOKS_EVERY_SECONDS = 0.1
_JUMPS_AT_MOST = timedelta(days=400)

EPILOG = f"""
write prints, each line flushed, and in the order in which it happens:
  TRY id        the id is being asked for; id is also its idempotency key
  ACK id        it is kept: it must be in the database, once, whatever happens from here on
  ERR id why    it was refused or had no answer: it may be in the database, or not; once at most
An id is TAG.RUN.N, where RUN is new for each process. Where others hold the database or too much is waiting
(409, 503) the driver itself asks again with the same id, ten times; every other retry is yours: --retry ID.
An error makes it pause, up to a second, and go on; after --give-up of them in a row it exits with 1.
SIGTERM and SIGINT let it finish what it has begun, and exit with 0.

The keys come from CREDITBANK_DEVELOPMENT_KEY, else from {DEVELOPMENT_KEY}.
The bank's own directory is DB.home, for PostgreSQL one among the temporary files.
A bank that is not there is made, of invented institutions and of numbers that belong to no one.
"""


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks; return the exit code."""
    configure_logs()
    asked = _parser().parse_args(arguments)
    try:
        answer: int = asked.does(asked)
    except (CreditBankError, DBAPIError, ServerGone) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return MISUSED
    return answer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.driver",
        description="Drives the bank's real services for harnesses that break things.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_write(commands)
    for name, does, says in (
        ("list", _list, "print the id of every entry that drivers made, one a line"),
        ("verify", _verify, "recompute everything: exit 0 whole, 1 damaged, 2 no database to look at"),
        ("one", _one, "print what is known of one id: exit 0 if it is there once, else 1"),
        ("checkpoint", _checkpoint, "sign the log's size and root and print it, to be held elsewhere"),
    ):
        command = commands.add_parser(name, help=says, description=says)
        command.add_argument("database", metavar="DB", help="an SQLite file or a PostgreSQL URL")
        command.set_defaults(does=does)
        if name == "verify":
            command.add_argument("checkpoint", metavar="CHECKPOINT", nargs="?", type=Path)
        if name == "one":
            command.add_argument("id", metavar="ID")
    return parser


def _add_write(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    says = "append for ever, and say what came of each id"
    command = commands.add_parser(
        "write",
        help=says,
        description=says,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(does=_write)
    command.add_argument("database", metavar="DB", help="an SQLite file or a PostgreSQL URL")
    command.add_argument("tag", metavar="TAG", type=_matching(TAG.fullmatch, "tag"))
    command.add_argument(
        "--server", action="store_true", help="post to a `creditbank serve` of its own, which it starts anew"
    )
    command.add_argument(
        "--at-once", metavar="N", type=positive(int), default=1, help="ids in flight at once [1]"
    )
    command.add_argument("--rest", metavar="S", type=positive(float), default=0.0, help="after each id [0]")
    command.add_argument("--count", metavar="N", type=positive(int), help="stop after so many ids [never]")
    command.add_argument(
        "--give-up", metavar="N", type=positive(int), default=100, help="errors in a row [100]"
    )
    command.add_argument(
        "--retry",
        metavar="ID",
        action="append",
        default=[],
        type=_matching(ID.fullmatch, "id"),
        help="ask for this id first, again; may be given more than once",
    )
    command.add_argument(
        "--publish-every",
        metavar="S",
        type=positive(float),
        default=0.25,
        help="seconds between checkpoints [0.25]",
    )
    command.add_argument(
        "--jumping-clock", metavar="SEED", type=int, help="let the bank's clock jump back and forth"
    )


def positive(number: type[N]) -> Callable[[str], N]:
    """Return a reader of numbers above nought, for a command line."""

    def checked(given: str) -> N:
        read = number(given)
        if read <= 0:
            raise argparse.ArgumentTypeError(f"{given} is not above 0")
        return read

    return checked


def _matching(matches: Callable[[str], object], name: str) -> Callable[[str], str]:
    def checked(given: str) -> str:
        if not matches(given):
            raise argparse.ArgumentTypeError(f"{given!r} is no {name}")
        return given

    return checked


def _write(asked: argparse.Namespace) -> int:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    task = Task(
        tag=asked.tag,
        first=asked.retry,
        at_most=asked.count,
        at_once=asked.at_once,
        rest_seconds=asked.rest,
        gives_up_after=asked.give_up,
    )
    database = Database.named(asked.database)
    clock = now if asked.jumping_clock is None else _jumping_clock(asked.jumping_clock)
    with closed_after(open_or_make(database)) as opened:
        bank = replace(opened, clock=clock)
        if asked.server:
            return _post_to_a_server(bank, database, task, stop)
        with periodic("publisher", lambda: publish_now(bank), every_seconds=asked.publish_every):
            is_done = Writing(ServiceRecorder(bank), task, out=sys.stdout, stop=stop).run()
        return 0 if is_done else GAVE_UP


def _post_to_a_server(bank: Bank, database: Database, task: Task, stop: Event) -> int:
    """Write beside this thread, which starts every server: a child ends with the thread that made it."""
    recorder = HttpRecorder(bank, database)
    try:
        _announce(recorder)
        ended: list[bool] = []
        writing = Writing(recorder, task, out=sys.stdout, stop=stop)
        beside = Thread(target=lambda: ended.append(writing.run()))
        beside.start()
        while beside.is_alive():
            beside.join(_LOOKS_EVERY_SECONDS)
            if not stop.is_set() and recorder.ensure_server():
                _announce(recorder)
        return 0 if ended == [True] else GAVE_UP
    finally:
        stop.set()
        recorder.server.stop()


def _announce(recorder: HttpRecorder) -> None:
    print(f"SERVER {recorder.server.pid} {recorder.server.address}", file=sys.stderr, flush=True)


def _list(asked: argparse.Namespace) -> int:
    with closed_after(open_made(Database.named(asked.database))) as bank:
        return print_ids(bank)


def _one(asked: argparse.Namespace) -> int:
    with closed_after(open_made(Database.named(asked.database))) as bank:
        return print_one(bank, asked.id)


def _verify(asked: argparse.Namespace) -> int:
    held = None if asked.checkpoint is None else asked.checkpoint.read_bytes()
    return print_verification(Database.named(asked.database), held=held)


def _checkpoint(asked: argparse.Namespace) -> int:
    with closed_after(open_made(Database.named(asked.database))) as bank:
        sys.stdout.buffer.write(publish_now(bank).note)
    sys.stdout.flush()
    return 0


def _jumping_clock(seed: int) -> Callable[[], datetime]:
    """Return a clock that is right now and then, else up to 400 days behind or ahead."""
    jumps = random.Random(seed)

    def clock() -> datetime:
        return now() + _JUMPS_AT_MOST * jumps.choice([0, jumps.uniform(-1, 1)])

    return clock


if __name__ == "__main__":
    sys.exit(main())
