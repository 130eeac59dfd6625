"""The pre-decisions of an account, each with the rule pack it was made under, as decisions ask for them."""

from collections.abc import Iterator

from creditbank.account.holdings import AccountHoldings, HeldPromise
from creditbank.account.promise_body import PromisedPlace
from creditbank.conversion.promised import Promise
from creditbank.conversion.published import PackMissing
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import ExamId, Microseconds, PackId, ProgrammeId, RuleId

_Version = tuple[PackId, str, RuleId, int]


def promises_of(
    account: AccountHoldings,
    aim: ProgrammeId | ExamId,
    library: RuleLibrary,
    *,
    known_at: Microseconds,
) -> tuple[Promise, ...]:
    """Return what was promised for a programme or an exam and not withdrawn, as known at an instant.

    `library` holds every pack at hand, retired ones too.

    Raises:
        PackMissing: the pack of a promise is not at hand, or is another one now.
    """
    return tuple(
        promise
        for held in account.promises
        if held.promised.aim == aim
        and held.given_at <= known_at
        and (held.ended_at is None or known_at < held.ended_at)
        for promise in _promises(held, library)
    )


def _promises(held: HeldPromise, library: RuleLibrary) -> Iterator[Promise]:
    by_rule: dict[_Version, set[str]] = {}
    for place in held.promised.places:
        by_rule.setdefault(_version(place), set()).add(place.target)
    for (pack, digest, rule, version), places in by_rule.items():
        found = library.pack_at_hand(pack, digest)
        if found is None:
            raise PackMissing("promised-pack-missing", pack=pack, digest=digest, promise=held.id)
        yield Promise(
            pre_decision=held.id,
            pack=found,
            rule=rule,
            version=version,
            places=frozenset(places),
            until=held.promised.until,
        )


def _version(place: PromisedPlace) -> _Version:
    return place.pack, place.pack_digest, place.rule, place.rule_version
