"""What a campaign knows for sure, and how it looks after a fault: none lost, none doubled, all whole."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from creditbank.errors import CreditBankError
from creditbank.services.bank import Bank
from creditbank.services.publishing import publish_now
from tests.driver.database import Database, closed_after, open_or_make
from tests.driver.pieces import found_pieces
from tests.driver.reading import report_on
from tests.driver.recording import UNEXPECTED
from tests.engines import postgresql_url
from tests.faults.figures import Figures
from tests.faults.processes import Driver, Journal, logs_of

ENGINES = ("sqlite", "postgresql")
WORKS_WITHIN_SECONDS = 60.0


@contextmanager
def new_database(engine: str) -> Iterator[Database]:
    """Give the block the place of a bank that is not there yet, and clear it all away after."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            yield Database.named(str(Path(folder) / "bank.db"))
    else:
        with postgresql_url(migrated=False) as url, cleared(Database.named(url)) as database:
            yield database


@contextmanager
def copied(database: Database) -> Iterator[Database]:
    """Give the block a copy of a closed database, with a copy of the bank's own directory."""
    if engine_of(database) == "sqlite":
        with new_database("sqlite") as copy:
            shutil.copyfile(file_of(database), file_of(copy))
            shutil.copytree(database.home, copy.home)
            yield copy
    else:
        with postgresql_url(of=database.url) as url, cleared(Database.named(url)) as copy:
            shutil.copytree(database.home, copy.home)
            yield copy


def engine_of(database: Database) -> str:
    return database.url.partition(":")[0]


def file_of(database: Database) -> Path:
    """Return the file of an SQLite database."""
    return Path(database.url.removeprefix("sqlite:///"))


@contextmanager
def cleared(database: Database) -> Iterator[Database]:
    """Take away, after the block, what lies among the temporary files for a PostgreSQL bank."""
    try:
        yield database
    finally:
        shutil.rmtree(database.home, ignore_errors=True)
        for beside in (database.home.with_suffix(".lock"), *logs_of(database)):
            beside.unlink(missing_ok=True)


class Keeper:
    """Holds what an outsider holds: the journal of acknowledgements, and the last checkpoint."""

    def __init__(self, database: Database, figures: Figures) -> None:
        self.database = database
        self.journal = Journal()
        self._figures = figures
        self._held: bytes | None = None
        self._bank: Bank | None = None

    def driver(self, tag: str, *options: str) -> Driver:
        return Driver(self.database, tag, *options, journal=self.journal)

    @contextmanager
    def bank(self) -> Iterator[Bank]:
        """Open the bank for the block; after it no connection is left that a next fault would not meet."""
        if self._bank is None:
            self._bank = open_or_make(self.database)
        with closed_after(self._bank) as bank:
            yield bank

    def look(self, *at_work: Driver, may_write: bool = True) -> None:
        """Compare the database with the journal, verify it against the checkpoint held, hold a new one.

        `at_work` are the drivers that go on meanwhile: what they asked for is heard after the look.
        """
        acknowledged = set(self.journal.acknowledged)
        with self.bank() as bank:
            found = Counter(found.id for found in found_pieces(bank))
            for driver in at_work:
                driver.hear()
            self._count(found, acknowledged)
            if may_write or engine_of(self.database) == "sqlite":
                self._verify()  # on PostgreSQL it makes a schema to compare with, which wants room
            try:
                self._held = publish_now(bank).note if may_write else self._held
            except CreditBankError as error:
                self._miss("stuck", f"no checkpoint: {error.reason}")

    def see_it_work(self) -> None:
        """Let a driver begin and acknowledge something, with what was left in doubt asked for again."""
        doubtful = self.journal.in_doubt
        again = [option for piece in doubtful for option in ("--retry", piece)]
        driver = self.driver("after", *again, "--count", str(len(doubtful) + 5))
        if driver.wait() != 0 or self.journal.in_doubt:
            self._miss("stuck", "an id in doubt could not be had")
        self.look()

    def stop(self, *drivers: Driver) -> None:
        """Ask drivers to end, all at once; they must do so without having given up."""
        for driver in drivers:
            driver.ask_to_stop()
        for driver in drivers:
            code = driver.wait()
            if code != 0:
                self._miss("stuck", f"a driver ended with {code}")

    def end(self) -> None:
        """Look a last time and add what was acknowledged to the figures."""
        self.see_it_work()
        self._figures.acknowledged += len(self.journal.acknowledged)
        self._figures.notes.update(self.journal.errors)
        for why, times in self.journal.errors.items():
            if why.startswith((UNEXPECTED, "500/")):
                self._miss("nameless", "a bug", times)
        self.journal.errors.clear()

    def _count(self, found: Counter[str], acknowledged: set[str]) -> None:
        lost = acknowledged - found.keys()
        doubled = [piece for piece, times in found.items() if times > 1]
        uncalled = found.keys() - self.journal.tried
        self._figures.lost += len(lost)
        self._figures.doubled += len(doubled) + len(uncalled)
        for name, pieces in (("lost", lost), ("doubled", doubled), ("uncalled for", uncalled)):
            if pieces:
                self._keep_evidence(f"{name}: {sorted(pieces)[:3]}")

    def _verify(self) -> None:
        try:
            findings = [finding.code for finding in report_on(self.database, held=self._held).findings]
        except CreditBankError as error:
            findings = [error.reason]
        if findings:
            self._miss("unseen", f"found: {findings[0]}")

    def _miss(self, what: str, note: str, times: int = 1) -> None:
        setattr(self._figures, what, getattr(self._figures, what) + times)
        self._keep_evidence(note)

    def _keep_evidence(self, note: str) -> None:
        self._figures.notes[note] += 1
        for log in logs_of(self.database):
            self._figures.notes[f"{log.name}: {log.read_text(errors='replace')[-800:]!r}"] += 1
