"""Which institutions a decision speaks of, and what these are called: rules and outcomes have codes alone."""

from collections.abc import Iterator, Mapping

from creditbank.conversion.decision import Decision, Need, WaiverDecision
from creditbank.conversion.meeting import ANY_OF
from creditbank.services.bank import Bank
from creditbank.services.institutions import wordings_of
from creditbank.terms import IssuerId, Wording

_INSTITUTIONS = frozenset({"enrolled_at", "issuer"})


def institutions_in(bank: Bank, decision: Decision | WaiverDecision) -> Mapping[str, Wording]:
    """Return what the institutions that a decision mentions are called, without those not registered."""
    issuers = {IssuerId(code) for code in _mentioned(decision)}
    if not issuers:
        return {}
    with bank.store.reading() as books:
        return {str(issuer): name for issuer, name in wordings_of(bank, books, issuers).items()}


def _mentioned(decision: Decision | WaiverDecision) -> Iterator[str]:
    for cap in decision.caps:
        if cap.each is not None and cap.each.per == "issuer":
            yield cap.each.value
    for refusal in decision.refusals:
        for need in refusal.needs:
            yield from _needed(need)
    if decision.next_step is not None:
        yield from _needed(decision.next_step.need)


def _needed(need: Need) -> Iterator[str]:
    if need.attribute in _INSTITUTIONS:
        yield from (need.have or "").split(ANY_OF)
        yield from need.need.split(ANY_OF)
