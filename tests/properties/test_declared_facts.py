"""Facts that a pack declares are tested as the bank's own are, and asked for by what the pack calls them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.account.facts import applicant_of, facts_of
from creditbank.account.holdings import AccountHoldings
from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Decision
from creditbank.conversion.holding import FACTS, Applicant, Holding, HoldingInvalid
from creditbank.conversion.meeting import fact_need, is_met
from creditbank.conversion.pack import Pack
from creditbank.conversion.pack_examples import run_examples
from creditbank.conversion.premise import FactTest, Pattern
from creditbank.conversion.span import Span, parse_span
from creditbank.documents.rule_pack import parse_rule_pack, parse_rule_pack_json
from creditbank.locale.catalogue import LANGUAGES, catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import names_of
from creditbank.services.applicants import require_declared_facts, unheard_of
from creditbank.terms import IssuerId, Microseconds, OutcomeId
from tests.strategies.conversion import AS_OF
from tests.strategies.rule_pack import findings
from tests.strategies.small_packs import EXAMPLES, PROGRAMME, RULE, head

DECLARED = """[[fact]]
name = "terms_completed"
title = { zh = "已修完的学期数", en = "terms completed" }
kind = "number"
[[fact]]
name = "joined_on"
title = { zh = "入伍日期", en = "day of enlistment" }
kind = "date"
[[fact]]
name = "track"
title = "培养方向"
kind = "text"
values = [{ value = "A", title = "甲类" }]
"""
TESTS = """[rule.scope]
facts = [
  { fact = "terms_completed", at_least = 2 },
  { fact = "joined_on", within = "2y1d" },
  { fact = "track", one_of = ["A"] },
]
"""
STATED = 'applicant = { facts = { terms_completed = 2, joined_on = 2023-06-01, track = "A" } }\n'
WHOLE = head() + DECLARED + PROGRAMME + RULE + TESTS + EXAMPLES.replace("outcomes =", f"{STATED}outcomes =")
LIMITS = st.decimals(min_value=-200, max_value=200, places=1)
DAYS = st.dates(date(2015, 1, 1), date(2030, 1, 1))


@given(stated=LIMITS, least=LIMITS, most=LIMITS)
def test_a_declared_number_is_tested_as_the_banks_own_is(
    stated: Decimal, least: Decimal, most: Decimal
) -> None:
    low, high = sorted((least, most))
    ours = FactTest(fact="years_of_work", at_least=low, at_most=high)
    declared = FactTest(fact="terms", at_least=low, at_most=high)
    for text in (str(stated), f"{stated}0"):
        found = fact_need(declared, Applicant(declared=(("terms", text),)), as_of=AS_OF)
        assert (found is None) == (low <= stated <= high)
        if stated >= 0:  # nobody has worked for less
            known = fact_need(ours, Applicant(years_of_work=stated), as_of=AS_OF)
            assert (known is None) == (found is None)


@given(stated=LIMITS, least=LIMITS)
def test_a_fact_of_an_example_and_the_bound_that_it_is_held_against_may_be_negative(
    stated: Decimal, least: Decimal
) -> None:
    """Seen to fail: an example could not state what anybody may who asks."""
    text = WHOLE.replace("terms_completed = 2,", f"terms_completed = {stated},").replace(
        "at_least = 2", f"at_least = {least}"
    )
    document = parse_rule_pack(text.encode())
    runs = run_examples(document.pack)
    assert bool(runs[0].granted) == (stated >= least)
    again = parse_rule_pack_json(document.canonical)
    assert again.pack.digest == document.pack.digest
    assert [run.decision for run in run_examples(again.pack)] == [run.decision for run in runs]


@given(stated=DAYS, as_of=DAYS, span=st.sampled_from(["1y", "2y1d", "6m"]).map(parse_span))
def test_a_declared_day_is_tested_as_the_banks_own_is(stated: date, as_of: date, span: object) -> None:
    for key in ("within", "after"):
        asked = {key: span}
        ours, declared = (FactTest(fact=name, **asked) for name in ("enrolled_on", "joined_on"))  # type: ignore[arg-type]
        found = fact_need(declared, Applicant(declared=(("joined_on", str(stated)),)), as_of=as_of)
        assert (found is None) == (fact_need(ours, Applicant(enrolled_on=stated), as_of=as_of) is None)


@given(
    known=st.fixed_dictionaries({}, optional={"category": st.sampled_from(["veteran", "teacher"])}),
    declared=st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True).filter(lambda name: name not in FACTS),
        st.text("甲乙12-", min_size=1, max_size=5),
        max_size=3,
    ),
)
def test_what_is_stated_is_kept_with_a_grant_and_read_back(
    known: dict[str, str], declared: dict[str, str]
) -> None:
    applicant = Applicant(**known, declared=tuple(sorted(declared.items())))  # type: ignore[arg-type]
    kept = facts_of(applicant)
    assert applicant_of(kept) == applicant
    assert dict(kept) == known | declared
    assert [name for name, _ in kept] == sorted(name for name, _ in kept)


def pack(text: str = WHOLE) -> Pack:
    return parse_rule_pack(text.encode()).pack


def decided(small: Pack, holdings: Iterable[Holding], applicant: Applicant) -> Decision:
    (programme,) = small.programmes
    return decide_exemptions(
        [small],
        holdings,
        programme,
        as_of=date(2025, 6, 1),
        known_at=Microseconds(2**60),
        applicant=applicant,
    )


def test_a_pack_whose_rules_test_its_own_facts_keeps_its_examples() -> None:
    assert [run.findings for run in run_examples(pack())] == [(), ()]


@pytest.mark.parametrize(
    ("stated", "attribute", "have"),
    [
        ((("joined_on", "2023-06-01"), ("terms_completed", "1"), ("track", "A")), "terms_completed", "1"),
        ((("joined_on", "2023-05-30"), ("terms_completed", "2"), ("track", "A")), "joined_on", "2023-05-30"),
        ((("joined_on", "2023-06-01"), ("terms_completed", "2"), ("track", "B")), "track", "B"),
        ((("joined_on", "2023-06-01"), ("terms_completed", "2")), "track", None),
        (
            (("joined_on", "2023-06-01"), ("terms_completed", "many"), ("track", "A")),
            "terms_completed",
            "many",
        ),
        ((("joined_on", "long ago"), ("terms_completed", "2"), ("track", "A")), "joined_on", "long ago"),
    ],
)
def test_what_is_missing_is_called_what_the_pack_calls_it(
    stated: tuple[tuple[str, str], ...], attribute: str, have: str | None
) -> None:
    small = pack()
    (programme,) = small.programmes
    found = decided(small, [], Applicant(declared=stated))
    (refusal,) = found.refusals
    (need,) = refusal.needs
    assert (refusal.kind, need.attribute, need.have) == ("fact", attribute, have)
    for language in LANGUAGES:
        words = catalogue(language)
        names = names_of(words, programme, AccountHoldings(), [small])
        said = " ".join(line for line in decision_lines(words, found, names).refusals)
        title = small.attributes[attribute]
        assert (title.zh if language == "zh-CN" else title.en or title.zh) in said
        assert attribute not in said


@pytest.mark.parametrize("value", ["3m", "≥2"])
def test_a_text_is_asked_for_as_it_is_though_it_looks_like_something_else(value: str) -> None:
    small = pack(
        WHOLE.replace('one_of = ["A"]', f'one_of = ["{value}"]').replace('track = "A"', f'track = "{value}"')
    )
    (programme,) = small.programmes
    found = decide_exemptions([small], [], programme, as_of=date(2025, 6, 1), known_at=Microseconds(2**60))
    for language in LANGUAGES:
        words = catalogue(language)
        names = names_of(words, programme, AccountHoldings(), [small])
        assert value in decision_lines(words, found, names).refusals[0]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('fact = "track", one_of', 'fact = "trakc", one_of', "fact-unknown"),
        ('one_of = ["A"]', "at_least = 1", "fact-test-kind"),
        ("at_least = 2", 'one_of = ["2"]', "fact-test-kind"),
        ("at_least = 2", 'within = "2y"', "fact-test-kind"),
        ('within = "2y1d"', "at_most = 2", "fact-test-kind"),
        ("track", "Track", "fact-name"),
        ("track", "cohort", "fact-known"),
        ('fact = "terms_completed", at_least', 'fact = "born_on", at_least', "fact-test-kind"),
        ('fact = "joined_on", within', 'fact = "cohort", within', "fact-test-kind"),
        ('within = "2y1d"', 'within = "2 years"', "span-unreadable"),
        ("[[fact]]", '[[attribute]]\nname = "track"\ntitle = "x"\n[[fact]]', "pack-id-twice"),
        ('name = "track"', 'name = "joined_on"', "pack-id-twice"),
        (
            'use = "consume"',
            'use = "consume"\nattributes = [{ name = "track", one_of = ["A"] }]',
            "pack-id-twice",
        ),
        ("terms_completed = 2,", 'terms_completed = "two",', "fact-value"),
        ("joined_on = 2023-06-01,", 'joined_on = "June",', "fact-value"),
        ("terms_completed = 2,", "terms = 2,", "fact-unknown"),
        ('use = "consume"', 'use = "consume"\nawarded_since = "track"', "fact-no-day"),
        ('use = "consume"', 'use = "consume"\nawarded_before = "nowhen"', "fact-no-day"),
    ],
)
def test_what_is_declared_and_tested_must_go_together(old: str, new: str, code: str) -> None:
    assert old in WHOLE
    found = findings(WHOLE.replace(old, new).encode())
    assert code in {one for one, line in found.values() if line is not None}


def test_what_no_pack_declares_is_refused() -> None:
    for name, text, reason in (
        ("shoe_size", "42", "fact-undeclared"),
        ("terms_completed", "two", "fact-unreadable"),
        ("terms_completed", "NaN", "fact-unreadable"),
        ("terms_completed", "1_0", "fact-unreadable"),
        ("terms_completed", " 2", "fact-unreadable"),
        ("terms_completed", "1e9", "fact-unreadable"),
        ("terms_completed", "2.0000001", "fact-unreadable"),
        ("joined_on", "2023-06-31", "fact-unreadable"),
        ("joined_on", "20230601", "fact-unreadable"),
        ("joined_on", "2023-W22-4", "fact-unreadable"),
        ("joined_on", "0001-01-01", "fact-unreadable"),
        ("track", "a\nb", "fact-unreadable"),
        ("track", "A" * 121, "fact-unreadable"),
    ):
        with pytest.raises(HoldingInvalid, match=reason):
            require_declared_facts([pack()], Applicant(declared=((name, text),)))
    require_declared_facts([pack()], Applicant(declared=(("terms_completed", "2.5"), ("track", "Z"))))
    (odd,) = unheard_of([pack()], Applicant(declared=(("terms_completed", "2.5"), ("track", "Z"))))
    assert odd.values["value"] == "Z"
    assert "培养方向“Z”" in catalogue("zh-CN").warning(odd)


def test_an_award_is_held_against_a_day_of_the_applicants() -> None:
    since = WHOLE.replace('use = "consume"', 'use = "consume"\nawarded_since = "joined_on"')
    before = since.replace("awarded_since", "awarded_before")
    for text, day, is_granted in (
        (since, date(2023, 6, 1), True),
        (since, date(2023, 5, 31), False),
        (before, date(2023, 5, 31), True),
        (before, date(2023, 6, 1), False),
        (since.replace('"joined_on"\n[rule', "2023-06-01\n[rule"), date(2023, 6, 1), True),
        (since.replace('"joined_on"\n[rule', "2023-06-01\n[rule"), date(2023, 5, 31), False),
    ):
        small = pack(text)
        stated = Applicant(declared=small.examples[0].applicant.declared)
        held = Holding(
            id=OutcomeId("000001"),
            kind="skill-certificate",
            code="X",
            issuer=IssuerId("station"),
            awarded_on=day,
            recorded_at=Microseconds(0),
            level=small.examples[0].holdings[0].level,
        )
        found = decided(small, [held], stated)
        assert bool(found.exemptions) == is_granted
        if not is_granted:
            (need,) = found.refusals[0].needs
            latest = "≥2023-06-01" if text is not before else f"≤{date(2023, 6, 1) - timedelta(days=1)}"
            assert (need.attribute, need.need, found.refusals[0].gain) == (
                "awarded_on",
                latest,
                8 if text is not before else None,
            )


def test_who_does_not_state_the_day_is_asked_for_it() -> None:
    for key in ("awarded_since", "awarded_before"):
        held_against = WHOLE.replace('use = "consume"', f'use = "consume"\n{key} = "joined_on"')
        others = (("terms_completed", "2"), ("track", "A"))
        for text in (held_against, held_against.replace('  { fact = "joined_on", within = "2y1d" },\n', "")):
            for stated in (others, (("joined_on", "another pack's"), *others)):
                small = pack(text)
                found = decided(small, small.examples[0].holdings, Applicant(declared=stated))
                (refusal,) = found.refusals
                assert (refusal.kind, [need.attribute for need in refusal.needs]) == ("fact", ["joined_on"])


def test_an_award_is_held_against_the_first_day_that_there_is() -> None:
    text = WHOLE.replace('use = "consume"', 'use = "consume"\nawarded_before = "enrolled_on"')
    small = pack(text)
    found = decided(
        small, small.examples[0].holdings, replace(small.examples[0].applicant, enrolled_on=date.min)
    )
    (refusal,) = found.refusals
    assert [need.need for need in refusal.needs] == ["≤0001-01-01"]


@given(awarded_on=DAYS, as_of=DAYS, span=st.sampled_from(["1y", "2y1d", "6m"]).map(parse_span))
def test_an_outcome_is_old_enough_from_the_day_on_which_a_span_is_over(
    awarded_on: date, as_of: date, span: Span
) -> None:
    held = replace(pack().examples[0].holdings[0], awarded_on=awarded_on)
    pattern = Pattern(kind=held.kind, min_age=span)
    assert is_met(pattern, held, scales={}, as_of=as_of) == (as_of >= span.after(awarded_on))
    young = replace(pattern, min_age=None, max_age=span)
    assert is_met(young, held, scales={}, as_of=as_of) != is_met(pattern, held, scales={}, as_of=as_of)


def test_a_day_in_a_pack_is_the_same_in_json() -> None:
    for bound in ("2023-06-01", '"joined_on"'):
        document = parse_rule_pack(
            WHOLE.replace('use = "consume"', f'use = "consume"\nawarded_since = {bound}').encode()
        )
        again = parse_rule_pack_json(document.canonical)
        assert again.pack == document.pack
    quoted = WHOLE.replace('use = "consume"', 'use = "consume"\nawarded_since = "2023-06-01"')
    assert "fact-no-day" in {code for code, _ in findings(quoted.encode()).values()}
