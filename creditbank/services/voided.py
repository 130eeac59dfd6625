"""Whether a waiver is void by what is recorded today, whatever day it would be decided for."""

from creditbank.account.body import Granted
from creditbank.account.facts import holdings_for_rules
from creditbank.account.holdings import AccountHoldings
from creditbank.conversion.void import voiding
from creditbank.services.bank import Bank
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import OutcomeId


def voided_by(
    bank: Bank, granted: Granted, account: AccountHoldings, rules: RuleLibrary
) -> tuple[OutcomeId, ...]:
    """Return the outcomes that stand today and make void what the rule of a grant waives."""
    pack = rules.pack_at_hand(granted.pack, granted.pack_digest)
    named = (granted.rule, granted.rule_version)
    own = [] if pack is None else [one for one in pack.rules if (one.id, one.version) == named]
    return tuple(
        outcome
        for rule in own
        for outcome in voiding(
            rule,
            holdings_for_rules(account),
            scales={} if pack is None else pack.scales,
            as_of=bank.today(),
            known_at=bank.now(),
        )
    )
