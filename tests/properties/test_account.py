"""An account's entries come back as they were written, and fold into what the learner holds."""

from contextlib import suppress
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.account.body import (
    Body,
    Corrected,
    ExemptionTarget,
    Granted,
    Opened,
    Recorded,
    Reversed,
    Revoked,
    Suspended,
    WaiverTarget,
    body_content,
    entry_kind,
    outcome_id,
    parse_body,
)
from creditbank.account.holdings import holdings_of, outcome_of
from creditbank.account.outcome_body import BodyUnreadable, outcome_members, parse_outcome_members
from creditbank.account.outcome_name import name_of, numbered
from creditbank.account.promise_body import Promised, PromisedPlace, PromiseWithdrawn
from creditbank.account.redaction import Destroyed, Redacted
from creditbank.ledger.chain import EMPTY, extend, head_after
from creditbank.ledger.entry import SALT_BYTES, Entry, Payload
from creditbank.outcomes import Outcome, kind_of
from creditbank.terms import (
    CourseId,
    ExamId,
    Microseconds,
    OfficerId,
    OutcomeId,
    PackId,
    PartId,
    ProgrammeId,
    RuleId,
)
from tests.strategies.books import LOG, SCHOOL, subject
from tests.strategies.outcomes import lines, outcomes

ids = st.integers(0, 999_999).map(lambda seq: OutcomeId(f"{seq:06}"))
texts = st.text(st.characters(codec="utf-8"), max_size=30)
reasons = lines(500)
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
targets = st.builds(
    ExemptionTarget,
    programme=texts.map(ProgrammeId),
    target=texts.map(CourseId),
    title=texts,
    credits=texts,
    with_credit=st.booleans(),
    grade=st.none() | texts,
) | st.builds(WaiverTarget, exam=texts.map(ExamId), part=texts.map(PartId), title=texts)
grants = st.builds(
    Granted,
    target=targets,
    pack=texts.map(PackId),
    pack_digest=texts,
    rule=texts.map(RuleId),
    rule_version=st.integers(1, 99),
    spent=st.lists(ids).map(tuple),
    witnesses=st.lists(ids).map(tuple),
    units=st.integers(0, 10_000),
    step=st.none() | st.sampled_from([Decimal(1), Decimal("0.5"), Decimal("0.01")]),
    as_of=days,
    known_at=st.integers(0, 2**52).map(Microseconds),
    decision=texts,
)
kinds = st.sampled_from(["exemption", "waiver"])
officers = texts.map(OfficerId)
COUNTED = [member.name for member in fields(Destroyed)]
places = st.builds(
    PromisedPlace,
    target=texts,
    title=texts,
    pack=texts.map(PackId),
    pack_digest=texts,
    rule=texts.map(RuleId),
    rule_version=st.integers(1, 99),
)
promises = st.builds(
    Promised,
    kind=kinds,
    aim=texts.map(ProgrammeId),
    places=st.lists(places, max_size=3).map(tuple),
    until=days,
    planned=st.lists(texts, max_size=2).map(tuple),
    as_of=days,
    known_at=st.integers(0, 2**52).map(Microseconds),
    decision=texts,
    facts=st.dictionaries(st.sampled_from(["category", "cohort"]), texts, max_size=2).map(
        lambda facts: tuple(sorted(facts.items()))
    ),
)
bodies = (
    st.just(Opened())
    | st.builds(Recorded, outcome=outcomes(), batch=st.none() | texts)
    | st.builds(Corrected, corrects=ids, outcome=outcomes(), reason=reasons)
    | st.builds(Revoked, revokes=ids, reason=reasons, effective_on=st.none() | days)
    | grants
    | st.builds(Suspended, kind=kinds, grant=ids, because=ids, reason=reasons)
    | st.builds(Reversed, kind=kinds, grant=ids, reason=reasons)
    | promises
    | st.builds(
        PromiseWithdrawn, kind=kinds, promise=ids, reason=reasons, officers=st.tuples(officers, officers)
    )
    | st.builds(
        Redacted,
        ground=texts,
        officers=st.tuples(officers, officers),
        destroyed=st.builds(Destroyed, **dict.fromkeys(COUNTED, st.integers(0, 2**40))),
        note=st.none() | lines(200),
    )
)


@given(outcomes())
def test_an_outcome_comes_back_from_its_members(outcome: Outcome) -> None:
    members = outcome_members(outcome)
    assert members["kind"] == kind_of(outcome)
    assert parse_outcome_members(members) == outcome


@given(bodies, st.none() | texts)
def test_a_body_comes_back_from_its_content(body: Body, key: str | None) -> None:
    assert parse_body(entry_kind(body), body_content(body, idempotency_key=key)) == body


@given(bodies, st.binary(max_size=40), st.data())
def test_content_that_we_did_not_write_is_unreadable_and_nothing_else(
    body: Body, noise: bytes, data: st.DataObject
) -> None:
    content = bytearray(body_content(body))
    at = data.draw(st.integers(0, len(content)))
    content[at : at + len(noise)] = noise
    with suppress(BodyUnreadable):
        parse_body(entry_kind(body), bytes(content))


@st.composite
def accounts(draw: st.DrawFn) -> list[Entry]:
    """Entries that record, correct and revoke one another's outcomes; what some of them said is gone."""
    entries: list[Entry] = []
    held: list[OutcomeId] = []
    gone: list[OutcomeId] = []
    for seq in range(draw(st.integers(1, 8))):
        of = st.sampled_from([*held, *gone]) if held or gone else st.nothing()
        body = draw(
            st.builds(Recorded, outcome=outcomes())
            | st.builds(Corrected, corrects=of, outcome=outcomes(), reason=reasons)
            | st.builds(Revoked, revokes=of, reason=reasons, effective_on=st.none() | days)
        )
        payload = Payload(salt=bytes(SALT_BYTES), content=body_content(body))
        entry = extend(
            head_after(entries[-1]) if entries else EMPTY,
            log=LOG,
            subject=subject("tashi"),
            at=Microseconds(seq),
            kind=entry_kind(body),
            issuer=SCHOOL,
            payload=payload,
        )
        if draw(st.sampled_from([False, False, False, True])):
            entry = replace(entry, payload=None)
            gone.append(outcome_id(seq))
        elif isinstance(body, Recorded) or (isinstance(body, Corrected) and body.corrects not in gone):
            held.append(outcome_id(seq))
        entries.append(entry)
    return entries


@given(accounts())
def test_one_outcome_is_read_alone_as_it_is_among_all(entries: list[Entry]) -> None:
    account = holdings_of(entries)
    for seq in range(len(entries)):
        assert outcome_of(entries, outcome_id(seq)) == account.outcome(outcome_id(seq))


def test_an_entry_kind_that_nobody_writes_is_unreadable() -> None:
    with pytest.raises(BodyUnreadable):
        parse_body("account.vanished", b"{}")


@given(outcomes(), outcomes())
def test_outcomes_of_two_kinds_never_have_one_name(one: Outcome, other: Outcome) -> None:
    if kind_of(one) != kind_of(other):
        assert name_of(one) != name_of(other)


@given(st.from_regex(r"[A-Z0-9]{4,22}", fullmatch=True))
def test_width_case_and_spaces_do_not_distinguish_numbers(number: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in number)
    spaced = " ".join(number.lower())
    assert numbered("diploma", wide) == numbered("diploma", spaced) == numbered("diploma", number)
    assert numbered("diploma", number) != numbered("skill-certificate", number)
    assert replace(numbered("diploma", number), is_personal=True) != numbered("diploma", number)
