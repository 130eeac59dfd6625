"""What makes a waiver void after it was granted: an outcome that is recorded later, such as a failed check.

The one place where an outcome counts against a learner. What is granted already falls by the cascade
(`services/cascade`), and nothing is granted anew while the outcome stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from creditbank.conversion.holding import Holding
from creditbank.conversion.meeting import is_met
from creditbank.conversion.premise import Pattern
from creditbank.conversion.rule import Rule, Scale
from creditbank.terms import Microseconds, OutcomeId, Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidIf:
    """An outcome that makes a waiver void, and what the pack says of it."""

    pattern: Pattern
    say: Wording

    def is_met_by(self, holding: Holding, *, scales: Mapping[str, Scale]) -> bool:
        """Whether this is such an outcome; when it came does not matter."""
        return is_met(self.pattern, holding, scales=scales, as_of=holding.awarded_on)


def voiding(
    rule: Rule,
    holdings: Iterable[Holding],
    *,
    scales: Mapping[str, Scale],
    as_of: date,
    known_at: Microseconds,
) -> tuple[OutcomeId, ...]:
    """Return which of these outcomes make what the rule waives void on the day `as_of`."""
    if not rule.void_if:
        return ()
    return tuple(
        holding.id
        for holding in holdings
        if holding.awarded_on <= as_of
        and (holding.expires_on is None or as_of < holding.expires_on)
        and not holding.is_revoked(as_of=as_of, known_at=known_at)
        and any(one.is_met_by(holding, scales=scales) for one in rule.void_if)
    )
