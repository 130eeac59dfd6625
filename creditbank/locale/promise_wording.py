"""Pre-decisions in words: what a school will grant, until when, and on what that is not there yet."""

from collections.abc import Iterable, Iterator

from creditbank.account.holdings import HeldPromise
from creditbank.account.planned import PlannedInvalid, parse_planned
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.what_if_wording import supposed_name


def promise_line(words: Catalogue, held: HeldPromise) -> str:
    """Return one line: what a school will grant, up to which day, on what planned, and why if no more."""
    promised = held.promised
    rules = dict.fromkeys(f"{one.rule} v{one.rule_version}" for one in promised.places)
    said = words.text(
        f"say.promise-{promised.kind}",
        places=words.listed(one.title for one in promised.places),
        day=promised.until,
        rules=words.listed(rules),
    )
    if promised.planned:
        said = words.text(
            "say.promise-planned", promise=said, planned=words.clauses(_planned(words, promised.planned))
        )
    if held.ended_at is not None:
        return words.text("say.promise-withdrawn", promise=said, reason=held.reason or "")
    return said


def _planned(words: Catalogue, planned: Iterable[str]) -> Iterator[str]:
    """Yield what planned outcomes are called; as the ledger has them where they cannot be read."""
    for text in planned:
        try:
            yield supposed_name(words, parse_planned(text).outcome)
        except PlannedInvalid:
            yield text
