"""What the use cases need of rule packs; `rulepacks/library.py` keeps the promise."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.published import Published
from creditbank.conversion.rule import RulePack
from creditbank.conversion.void import VoidIf
from creditbank.terms import ExamId, Microseconds, PackId, ProgrammeId


class RuleLibrary(Protocol):
    """Every rule pack, programme and exam that this deployment knows."""

    @property
    def packs(self) -> Sequence[RulePack]:
        """Every pack, of every day."""

    def packs_for_programme(
        self, programme: ProgrammeId, *, known_at: Microseconds | None = None
    ) -> Sequence[RulePack]:
        """Return the packs whose rules may apply in a programme, by what was published up to an instant."""

    def packs_for_exam(self, exam: ExamId, *, known_at: Microseconds | None = None) -> Sequence[RulePack]:
        """Return the packs whose rules may apply to an exam, by what was published up to an instant."""

    def pack_at_hand(self, pack: PackId, digest: str) -> RulePack | None:
        """Return exactly this pack, published or not, retired or not; None where it is not here."""

    def voiding(self) -> Sequence[VoidIf]:
        """Return every outcome that makes something void by a rule of any pack."""

    def authorities_for(self, aim: ProgrammeId | ExamId) -> Sequence[str]:
        """Return the authorities that define a programme or an exam."""

    def as_known(self, published: Published) -> "RuleLibrary":
        """Return the library that decisions go by, given what the ledger says was published.

        Raises:
            Misconfigured: a published pack is not as it was, or not here.
        """

    def programme(
        self, programme: ProgrammeId, *, as_of: date, known_at: Microseconds | None = None
    ) -> Programme:
        """Return the version of a programme that holds on a day, by what was published up to an instant.

        Raises:
            NotFound: there is none.
        """

    def exam(self, exam: ExamId, *, as_of: date, known_at: Microseconds | None = None) -> Exam:
        """Return the version of an exam that holds on a day, by what was published up to an instant.

        Raises:
            NotFound: there is none.
        """

    def programmes_on(self, as_of: date, *, known_at: Microseconds | None = None) -> Sequence[Programme]:
        """Return, of every programme, the version that holds on a day, by id."""

    def exams_on(self, as_of: date, *, known_at: Microseconds | None = None) -> Sequence[Exam]:
        """Return, of every exam, the version that holds on a day, by id."""
