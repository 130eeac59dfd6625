"""Every grant that a table bounds says how what the table gives came out, and the steps add up."""

from decimal import ROUND_DOWN, Decimal

from hypothesis import given
from hypothesis import strategies as st

from creditbank.account.worth_body import parse_worths, worth_members
from creditbank.conversion.decision import Exemption, Worth, WorthStep
from creditbank.conversion.recognition import recognise
from creditbank.conversion.rule import ExemptionGrant, Rule
from creditbank.ledger.encoding import canonical_bytes, parse_canonical
from creditbank.locale.catalogue import LANGUAGES, Catalogue, catalogue
from creditbank.locale.worth_wording import worth_line
from creditbank.terms import OutcomeId, Wording
from tests.strategies.conversion import Question, decide, granted_questions

CENT = Decimal("0.01")
catalogues = st.sampled_from([catalogue(language) for language in LANGUAGES])
figures = st.decimals(min_value=0, max_value=60, places=2)


def rule_of(question: Question, exemption: Exemption) -> Rule:
    cited = exemption.cited
    return next(
        rule
        for pack in question.packs
        if pack.id == cited.pack
        for rule in pack.rules
        if (rule.id, rule.version) == (cited.rule, cited.version)
    )


def recognised(question: Question, exemption: Exemption, worth: Worth) -> Decimal:
    pack = next(pack for pack in question.packs if pack.id == exemption.cited.pack)
    holding = next(one for one in question.holdings if one.id == worth.outcome)
    found = recognise(pack.tables[worth.table], holding, scales=pack.scales, as_of=question.as_of)
    assert found is not None
    return found.worth


def after(before: Decimal, step: WorthStep) -> Decimal:
    """Return the credits after a step, worked out by hand."""
    of, by = step.of or Decimal(0), step.by or Decimal(0)
    match step.applied:
        case "hours":
            return (of / by).quantize(CENT, rounding=ROUND_DOWN)
        case "share":
            return (of * by).quantize(CENT, rounding=ROUND_DOWN)
        case "amount":
            return (of / by).quantize(CENT, rounding=ROUND_DOWN)
        case "deduction":
            return max(Decimal(0), before - by)
        case "part":
            return (before * by).quantize(CENT, rounding=ROUND_DOWN)
        case "maximum" | "within":
            assert step.credits < before
    return step.credits


@given(granted_questions())
def test_every_grant_that_a_table_bounds_says_how_its_worth_came_out(question: Question) -> None:
    for exemption in decide(question).exemptions:
        rule = rule_of(question, exemption)
        assert isinstance(rule.grant, ExemptionGrant)
        spending = [premise for premise in rule.premises if premise.use != "hold"]
        tables = [
            (outcome, table)
            for premise, outcome in zip(spending, exemption.spent, strict=True)
            for table in dict.fromkeys((premise.worth, rule.grant.worth))
            if table is not None
        ]
        told = [(worth.outcome, worth.table) for worth in exemption.worths]
        assert set(told) <= set(tables)
        assert len(told) == len(set(told))
        # What no row of a table meets has no derivation, and nothing is given for it alone.
        assert bool(told) == bool(tables)
        for worth in exemption.worths:
            credits_ = Decimal(0)
            for step in worth.steps:
                credits_ = after(credits_, step)
                assert credits_ == step.credits
            assert credits_ == worth.credits == recognised(question, exemption, worth)
        if rule.grant.worth is not None:
            bound = sum(
                (one.credits for one in exemption.worths if one.table == rule.grant.worth), Decimal(0)
            )
            assert exemption.credits <= bound


wordings = st.builds(Wording, zh=st.text(max_size=5), en=st.text(max_size=5))
steps = st.builds(
    WorthStep,
    applied=st.sampled_from(["hours", "share", "downgrade", "deduction", "maximum", "within"]),
    credits=figures,
    of=st.none() | figures,
    by=st.none() | figures,
    why=st.none() | wordings,
)
worths = st.builds(
    Worth,
    outcome=st.integers(0, 999_999).map(lambda seq: OutcomeId(f"{seq:06}")),
    table=st.text(min_size=1, max_size=5),
    title=wordings,
    credits=figures,
    steps=st.lists(steps, max_size=4).map(lambda some: (WorthStep(applied="row", credits=Decimal(4)), *some)),
)


@given(st.lists(worths, max_size=3))
def test_what_a_grant_says_of_worths_is_read_back(stated: list[Worth]) -> None:
    members = worth_members(stated)
    assert (members is None) == (not stated)
    read = parse_canonical(canonical_bytes({"worths": members or []}))
    assert isinstance(read, dict)
    assert parse_worths(read["worths"]) == tuple(stated)  # type: ignore[arg-type]


@given(catalogues, worths)
def test_a_worth_is_told_with_all_its_figures(words: Catalogue, worth: Worth) -> None:
    line = worth_line(words, worth, "#000001")
    for step in worth.steps:
        told = {"deduction": step.by, "downgrade": step.by}.get(step.applied, step.credits) or Decimal(0)
        assert step.applied in {"row", "hours", "share"} or words.number(told) in line
