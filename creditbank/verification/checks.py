"""Named checks on a recorded certificate or diploma: do they hold on a day, and do they hold for this person.

Finding the record and proving that it is in the log are left to the service and to `ledger`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from creditbank.outcomes import Outcome
from creditbank.outcomes.certificate import SkillCertificate

CheckName = Literal["not-revoked", "not-corrected", "awarded", "not-expired", "in-the-log"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at, and whether it is as it should be."""

    name: CheckName
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verifier is told of a certificate that was found for this number and this name."""

    outcome: Outcome
    as_of: date
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether the certificate can be relied on: every check passed."""
        return all(check.passed for check in self.checks)


def report_on(
    outcome: Outcome, *, is_revoked: bool, is_corrected: bool, in_the_log: bool, as_of: date
) -> Report:
    """Check a recorded certificate or diploma as it stands on `as_of`.

    `in_the_log` says whether its entry's inclusion proof was verified against the log's root.
    """
    expires_on = outcome.expires_on if isinstance(outcome, SkillCertificate) else None
    return Report(
        outcome=outcome,
        as_of=as_of,
        checks=(
            Check(name="not-revoked", passed=not is_revoked),
            Check(name="not-corrected", passed=not is_corrected),
            Check(name="awarded", passed=outcome.awarded_on <= as_of),
            Check(name="not-expired", passed=expires_on is None or as_of < expires_on),
            Check(name="in-the-log", passed=in_the_log),
        ),
    )
