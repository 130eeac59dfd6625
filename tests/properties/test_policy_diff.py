"""What is said of a change of rules adds up, names every byte that differs, and says nothing of no change."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.conversion.holding import NOBODY_IN_PARTICULAR
from creditbank.conversion.policy_diff import RuleTotals, Share, Shift, shifts_between
from creditbank.documents.rule_pack import parse_rule_pack
from creditbank.documents.rule_pack_diff import changes_between
from creditbank.errors import CreditBankError
from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.encoding import JsonValue, canonical_bytes, parse_canonical
from creditbank.rulepacks.comparison import Comparison, read_packs
from creditbank.rulepacks.library import Library, PackUnknown
from creditbank.services.bank import Bank
from creditbank.services.cohort import everybody
from creditbank.services.conversions import decide_for
from creditbank.services.outcomes import record_outcome
from creditbank.services.policy_diff import Survey, Terms, explained, survey
from creditbank.services.questions import ExemptionQuestion
from creditbank.terms import ProgrammeId, RuleId
from tests.banks import EAST, new_account, new_bank
from tests.properties.test_cascade import certificate
from tests.strategies.conversion import decide, granted_questions
from tests.strategies.rule_pack import members_of, packs, replaced, toml_of
from tests.strategies.small_packs import EXAMPLES, PROGRAMME, RULE, SOUND, WAIVER, head, write

Tree = dict[str, JsonValue]


def tree_of(text: bytes | str) -> Tree:
    content = text.encode() if isinstance(text, str) else text
    return cast("Tree", parse_canonical(parse_rule_pack(content).canonical))


# The packs as written.


@settings(max_examples=25)
@given(packs())
def test_a_pack_does_not_differ_from_itself(pack: Tree) -> None:
    tree = tree_of(toml_of(pack))
    assert changes_between(tree, tree) == ()


@settings(max_examples=60)
@given(st.data())
def test_packs_without_a_difference_are_the_same_bytes(data: st.DataObject) -> None:
    tree = tree_of(toml_of(data.draw(packs())))
    path, value = data.draw(st.sampled_from([one for one in members_of(tree) if one[0]]))
    change = st.sampled_from(["gone", 7, [], {"zh": "别的"}])
    if isinstance(value, list) and len(value) > 1:
        change = st.just(list(reversed(value))) | st.just(value[1:]) | st.just([*value, value[0]])
    other = cast("Tree", replaced(tree, path, data.draw(change)))
    same = canonical_bytes(other) == canonical_bytes(tree)
    assert (changes_between(tree, other) == ()) is same
    assert len(changes_between(tree, other)) == len(changes_between(other, tree))


@pytest.mark.parametrize(
    ("right", "wrong", "kind", "place"),
    [
        ('min_level = "中级"', 'min_level = "高级"', "changed", "rule[r].premise[1].min_level"),
        ('min_level = "中级"\n', "", "removed", "rule[r].premise[1].min_level"),
        ("version = 1", "version = 2", "changed", "rule[r].version"),
        ('class = "k"', 'class = "j"', "changed", "programme[web].courses[0101].class"),
        ('codes = ["X"]', 'codes = ["X", "Y"]', "changed", "rule[r].premise[1].codes"),
        ('id = "r"', 'id = "s"', "added", "rule[s]"),
        ('levels = ["初级", "中级", "高级"]', 'levels = ["初级", "中级"]', "changed", "scale[1+X].levels"),
    ],
)
def test_a_change_is_named_where_an_author_would_look_for_it(
    right: str, wrong: str, kind: str, place: str
) -> None:
    before, after = head() + PROGRAMME + RULE, (head() + PROGRAMME + RULE).replace(right, wrong)
    assert (kind, place) in [
        (one.kind, one.place) for one in changes_between(tree_of(before), tree_of(after))
    ]


def test_courses_in_another_order_are_a_change_and_versions_of_a_rule_are_told_apart() -> None:
    tree = tree_of(head() + PROGRAMME + RULE)
    programme = cast("Tree", cast("list[JsonValue]", tree["programme"])[0])
    turned = {**programme, "courses": list(reversed(cast("list[JsonValue]", programme["courses"])))}
    (moved,) = changes_between(tree, {**tree, "programme": [turned]})
    assert (moved.kind, moved.place) == ("moved", "programme[web].courses")
    rule = cast("Tree", cast("list[JsonValue]", tree["rule"])[0])
    second = {**rule, "version": 2, "supersedes": 1}
    (added,) = changes_between(tree, {**tree, "rule": [rule, second]})
    assert (added.kind, added.place) == ("added", "rule[r v2]")


# One learner.


@settings(max_examples=60)
@given(st.data())
def test_what_shifts_adds_up_to_the_difference_of_what_is_granted(data: st.DataObject) -> None:
    question = data.draw(granted_questions())
    pack = question.packs[0]
    gone = data.draw(st.sampled_from(pack.rules))
    changed = data.draw(
        st.sampled_from([(), (replace(gone, version=gone.version + 1),), (replace(gone, id=RuleId("new")),)])
    )
    rules = (*(rule for rule in pack.rules if rule is not gone), *changed)
    before = decide(question)
    after = decide(question, packs=(replace(pack, rules=rules), *question.packs[1:]))
    shifts = shifts_between(before, after)
    assert sum((one.change for one in shifts), Decimal(0)) == after.credits - before.credits
    assert shifts_between(before, before) == ()
    backwards = shifts_between(after, before)
    assert sorted((one.target, -one.change) for one in backwards) == sorted(
        (one.target, one.change) for one in shifts
    )


BUCKET = """[[programme]]
id = "web"
title = "网页"
credits = 8
cite = ["a"]
buckets = [{ id = "free", title = "选修", capacity = 8 }]
[[recognition]]
id = "t"
title = "t"
rows = [{ kind = "skill-certificate", credits = 3 }]
[[rule]]
id = "r"
version = 1
cite = ["a"]
say = "规则"
premise = [{ kind = "skill-certificate", use = "draw", worth = "t" }]
grant = { mode = "each", buckets = ["free"] }
"""


def test_what_one_rule_gives_of_a_bucket_is_one_share_whatever_it_rests_on() -> None:
    before, after = (
        library(head() + BUCKET.replace("credits = 3", f"credits = {worth}")) for worth in (3, 2)
    )
    bank = new_bank()
    account = new_account(bank)
    for number in (1, 2):
        record_outcome(bank, EAST, account, certificate(number, 1))
    found = surveyed(bank, (account,), Comparison(old=before, new=after), terms())
    (one,) = explained(found, terms(), on_progress=lambda _: None)
    (shift,) = one.shifts
    assert (shift.before, shift.after) == tuple(
        Share(rule=RuleId("r"), version=1, amount=Decimal(amount)) for amount in (6, 4)
    )
    assert shift.change == one.change == Decimal(-2)


def test_a_learner_counts_once_under_each_pair_of_rules() -> None:
    old, new = (Share(rule=RuleId(name), version=1, amount=Decimal(2)) for name in ("old", "new"))
    totals = RuleTotals()
    totals.count([Shift(target=place, before=old, after=None) for place in ("a", "b")])
    totals.count([Shift(target="a", before=old, after=new)])
    found = {pair: (one.learners, one.change) for pair, one in totals.totals.items()}
    assert found == {("old v1", ""): (1, Decimal(-4)), ("old v1", "new v1"): (1, Decimal(0))}


# Everybody.

STRICTER = RULE.replace('min_level = "中级"', 'min_level = "高级"').replace("version = 1", "version = 2")
WITH_WAIVER = SOUND + WAIVER.format(part="p", caps="")
LATER = head("later", effective="2026-06-01", published="2026-02-01")


@cache
def library(*texts: str) -> Library:
    with TemporaryDirectory() as folder:
        return Library.load(write(Path(folder), *texts), shipped=False, check=False)


def terms(**changes: object) -> Terms:
    given = {"as_of": date(2026, 7, 1), "known_at": 2_000_000_000_000_000, **changes}
    return Terms(**given)  # type: ignore[arg-type]


def surveyed(bank: Bank, cohort: tuple[AccountNumber, ...], compared: Comparison, asked: Terms) -> Survey:
    steps: list[int] = []
    found = survey(bank, cohort, compared.compared(as_of=asked.as_of), asked, on_progress=steps.append)
    assert sum(steps) == len(cohort)
    return found


@settings(max_examples=25)
@given(st.lists(st.integers(0, 3), max_size=5), st.sampled_from([STRICTER, RULE.replace("= 4", "= 2"), RULE]))
def test_the_differences_add_up_to_the_difference_of_the_sums(levels: list[int], rule: str) -> None:
    bank = new_bank()
    for number, level in enumerate(levels):
        account = new_account(bank)
        if level < 3:
            record_outcome(bank, EAST, account, certificate(number, level))
    compared = Comparison(old=library(SOUND), new=library(LATER + PROGRAMME + rule + EXAMPLES))
    found = surveyed(bank, everybody(bank), compared, terms())
    differences = list(explained(found, terms(), on_progress=lambda _: None))
    total = found.totals["credits"]
    assert found.learners == len(levels)
    assert sum((one.change for one in differences), Decimal(0)) == total.after - total.before
    assert total.gained - total.lost == total.after - total.before
    assert total.gaining + total.losing == len(differences)
    for one in differences:
        assert sum((shift.change for shift in one.shifts), Decimal(0)) == one.change != 0
    question = ExemptionQuestion(library=library(SOUND), programme=ProgrammeId("web"))
    alone = [
        decide_for(
            bank, number, question, applicant=NOBODY_IN_PARTICULAR, as_of=date(2026, 7, 1)
        ).decision.credits
        for number in everybody(bank)
    ]
    assert total.before == sum(alone, Decimal(0))


@pytest.mark.parametrize("text", [SOUND, WITH_WAIVER])
def test_nobody_gains_or_loses_by_no_change(text: str) -> None:
    bank = new_bank()
    account = new_account(bank)
    record_outcome(bank, EAST, account, certificate(1, 2))
    compared = Comparison(old=library(text), new=library(text))
    found = surveyed(bank, everybody(bank), compared, terms())
    assert compared.changes() == ()
    assert found.differing == []
    assert found.totals["credits"].before == found.totals["credits"].after > 0


def test_a_rule_by_enrolment_still_holds_for_whoever_enrolled_under_it() -> None:
    old = SOUND.replace('date_basis = "application"', 'date_basis = "enrolment"')
    new = (LATER + PROGRAMME + STRICTER).replace('date_basis = "application"', 'date_basis = "enrolment"')
    bank = new_bank()
    record_outcome(bank, EAST, new_account(bank), certificate(1, 1))
    compared = Comparison(old=library(old), new=library(new))
    early = terms(facts=(("enrolled_on", "2025-09-01"),))
    late = terms(facts=(("enrolled_on", "2026-09-01"),))
    assert surveyed(bank, everybody(bank), compared, early).differing == []
    assert [one.after for one in surveyed(bank, everybody(bank), compared, late).differing] == [Decimal(0)]


def test_a_programme_that_one_side_does_not_know_brings_nothing_there() -> None:
    bank = new_bank()
    record_outcome(bank, EAST, new_account(bank), certificate(1, 2))
    other = (head("other", authority="other") + PROGRAMME + RULE).replace('"web"', '"other"')
    found = surveyed(bank, everybody(bank), Comparison(old=library(SOUND), new=library(other)), terms())
    assert [(one.compared.id, one.before, one.after) for one in found.differing] == [
        ("other", Decimal(0), Decimal(4)),
        ("web", Decimal(4), Decimal(0)),
    ]


# From what packs are read.


def test_packs_are_read_from_a_file_a_directory_an_id_and_a_digest(tmp_path: Path) -> None:
    place = write(tmp_path, SOUND)
    known = Library.load(place, shipped=False)
    digest = known.packs[0].digest
    for named in (str(place), str(place / "authority"), str(place / "authority" / "0.toml"), "small", digest):
        assert [pack.digest for pack in read_packs(named, known).packs] == [digest]
    with pytest.raises(PackUnknown):
        read_packs("nowhere", known)
    (place / "authority" / "0.toml").write_text(SOUND.replace("credits = 4\n[[", "credits = 3\n[["), "utf-8")
    for named in (str(place), str(place / "authority" / "0.toml")):
        with pytest.raises(CreditBankError) as caught:
            read_packs(named, known)
        assert caught.value.reason == "example-failed"


def test_several_packs_are_paired_by_id_and_then_by_authority() -> None:
    one = head("one", authority="a") + PROGRAMME + RULE
    two = (head("two", authority="b") + PROGRAMME + RULE).replace('"web"', '"net"')
    later = (head("three", authority="a", effective="2026-01-01") + PROGRAMME + RULE).replace('"web"', '"x"')
    changes = Comparison(old=library(one, two), new=library(two, later)).changes()
    assert "pack[three].id" in [change.place for change in changes]
    assert all(change.place.startswith("pack[three].") for change in changes)
    gone = Comparison(old=library(one, two), new=library(two)).changes()
    assert [(change.kind, change.place) for change in gone] == [("removed", "pack[one]")]
    come = Comparison(old=library(two), new=library(one, two)).changes()
    assert [(change.kind, change.place) for change in come] == [("added", "pack[one]")]
