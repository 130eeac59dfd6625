"""Grants that are already registered: what they have used, and which options they rule out.

Of a grant in another programme only what is spent for good counts: under its own rule, or by the rule that
would spend it again.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from creditbank.conversion.decision import By, RefusalKind, RuleElsewhere
from creditbank.conversion.holding import Holding, Pinned, SpentElsewhere
from creditbank.conversion.matching import Option
from creditbank.conversion.rule import Rule, RulePack
from creditbank.terms import OutcomeId


class KnownRules:
    """Every rule version that some packs know; those of a pack are listed when one is first asked for."""

    def __init__(self, packs: Sequence[RulePack]) -> None:
        self._packs = packs
        self._listed: dict[str, dict[tuple[str, int], Rule]] = {}

    def get(self, pack: str, rule: str, version: int) -> Rule | None:
        listed = self._listed.get(pack)
        if listed is None:
            listed = self._listed[pack] = {
                (one.id, one.version): one for own in self._packs if own.id == pack for one in own.rules
            }
        return listed.get((rule, version))


class Registered:
    """What registered grants have used, looked up by what bounds it."""

    def __init__(
        self,
        pinned: Sequence[Pinned],
        *,
        rules: KnownRules,
        holdings: Mapping[OutcomeId, Holding],
        elsewhere: Sequence[SpentElsewhere] = (),
    ) -> None:
        self.pinned = pinned
        self.holdings = holdings
        self.rules = {grant: rules.get(grant.pack, grant.rule, grant.rule_version) for grant in pinned}
        self.consumed: dict[OutcomeId, Pinned] = {}
        self.drawn: dict[OutcomeId, Pinned] = {}
        for grant in pinned:
            rule = self.rules[grant]
            uses = [] if rule is None else [p.use for p in rule.premises if p.use != "hold"]
            for at, outcome in enumerate(grant.spent):
                is_drawn = at < len(uses) and uses[at] == "draw"
                (self.drawn if is_drawn else self.consumed).setdefault(outcome, grant)

        self.elsewhere: dict[OutcomeId, list[SpentElsewhere]] = {}
        for use in elsewhere:
            self.elsewhere.setdefault(use.outcome, []).append(use)

    def gone(self, option: Option, at: int) -> list[SpentElsewhere]:
        """Return the uses in other programmes that count against the outcome at a place of an option."""
        found = self.elsewhere.get(option.spent[at].id)
        if not found:
            return []
        premises = [premise for premise in option.live.rule.premises if premise.use != "hold"]
        return [use for use in found if use.for_good or premises[at].for_good]

    def drawn_elsewhere(self, option: Option) -> Decimal:
        """Return the credits that other programmes have drawn for good of what the option draws on."""
        at = next(at for at, holding in enumerate(option.spent) if holding is option.drawn)
        return sum((use.credits for use in self.gone(option, at)), Decimal(0))

    def blocks(self, option: Option) -> tuple[RefusalKind, By] | None:
        """Return what rules an option out, and by which grant; None where nothing does."""
        for at, holding in enumerate(option.spent):
            for one in self.gone(option, at):
                if holding is not option.drawn or not one.is_drawn:
                    return "spent-elsewhere", RuleElsewhere(programme=one.programme, rule=one.rule)
        for outcome in option.spent_ids:
            holder = self.consumed.get(outcome)
            if holder is None and outcome in option.consumed:
                holder = self.drawn.get(outcome)
            if holder is not None:
                return "spent-elsewhere", holder.rule
        for grant in self.pinned:
            rule = self.rules[grant]
            group = None if rule is None or rule.exclusive is None else (grant.pack, rule.exclusive)
            if group is not None and group == option.live.group and not self.is_same(grant, option):
                return "exclusive", grant.rule
        for (_, _, codes), outcome in option.families:
            for other in (*self.consumed, *self.drawn):
                held = self.holdings.get(other)
                if other != outcome and held is not None and held.code in codes:
                    return "similar", other
        return None

    def is_same(self, grant: Pinned, option: Option) -> bool:
        """Whether the grant was made under this option's rule, of any version, with the same outcomes."""
        return (grant.pack, grant.rule) == (option.live.pack.id, option.live.rule.id) and sorted(
            grant.spent
        ) == sorted(option.spent_ids)

    def route(self, grant: Pinned) -> str | None:
        rule = self.rules[grant]
        return None if rule is None else rule.route

    def spent(self, grant: Pinned) -> list[Holding]:
        """Return the outcomes it rests on, as far as they are still known."""
        return [self.holdings[outcome] for outcome in grant.spent if outcome in self.holdings]

    def under(self, option: Option) -> list[Pinned]:
        return [grant for grant in self.pinned if self.is_same(grant, option)]


def mask_of(bits: Iterable[int]) -> int:
    """Return the mask with these bits set."""
    mask = 0
    for bit in bits:
        mask |= 1 << bit
    return mask
