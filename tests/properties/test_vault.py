"""Laws of the vault: what is sealed opens unchanged, only here, only with its keys, and tells nothing."""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from secrets import token_bytes

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.account.records import AccountRecord, KeptAnswer
from creditbank.errors import CreditBankError, Misconfigured
from creditbank.identity.citizen_number import CitizenNumber
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.ledger.encoding import canonical_bytes, parse_canonical
from creditbank.outcomes.outcome import OUTCOME_KINDS, OutcomeKind
from creditbank.storage.vault import (
    AnswerUnreadable,
    ClosedVault,
    EncryptionKeyUnusable,
    IdentityUnreadable,
    SealedVault,
)
from creditbank.terms import Microseconds, SubjectId
from tests.strategies.identity import citizen_numbers, persons
from tests.strategies.keys import keys

NOW = Microseconds(1_700_000_000_000_000)
HERE = SubjectId("account:0123-4567-89AB-CDEF")
ELSEWHERE = SubjectId("account:0123-4567-89AB-CDEG")


def a_vault(
    key: bytes, index_key: bytes, *, random: Callable[[int], bytes] = token_bytes, **others: bytes
) -> SealedVault:
    """Return the vault of a bank that wraps with its newest key, `key` unless there are others."""
    encryption_keys = {"initial": key, **others}
    return SealedVault(
        encryption_keys=encryption_keys, wraps_with=[*encryption_keys][-1], index_key=index_key, random=random
    )


VAULT = a_vault(b"k" * 32, b"i" * 32)
NONCE_AND_TAG = 12 + 16
kinds = st.sampled_from(OUTCOME_KINDS)
FIELDS = ("names", "citizen_number", "phone", "category")


def sealed_fields(record: AccountRecord) -> dict[str, str]:
    envelope = parse_canonical(record.identity)
    assert isinstance(envelope, dict)
    fields = envelope["fields"]
    assert isinstance(fields, dict)
    return {name: str(value) for name, value in fields.items()}


def with_fields(record: AccountRecord, fields: dict[str, str]) -> AccountRecord:
    return replace(record, identity=canonical_bytes({"v": 1, "fields": {**fields}}))


def with_column(record: AccountRecord, column: str, content: bytes) -> AccountRecord:
    match column:
        case "identity":
            return replace(record, identity=content)
        case "wrapped_key":
            return replace(record, wrapped_key=content)
        case _:
            return replace(record, citizen_index=content)


def repeating_bytes() -> Callable[[int], bytes]:
    calls = iter(range(1_000_000))
    return lambda size: sha256(str(next(calls)).encode()).digest()[:size]


@given(persons(), keys, keys)
def test_what_is_sealed_opens_unchanged(person: Person, key: bytes, index_key: bytes) -> None:
    vault = a_vault(key, index_key)
    record = vault.seal(HERE, person, opened_at=NOW)
    assert (record.subject, record.opened_at) == (HERE, NOW)
    assert vault.unseal(record) == person


@given(persons())
def test_nothing_of_the_person_can_be_read_in_the_record(person: Person) -> None:
    record = VAULT.seal(HERE, person, opened_at=NOW)
    kept = b"\x00".join([record.identity, record.wrapped_key, record.citizen_index or b""]).lower()
    names = person.names
    number = person.citizen_number
    told = [names.chinese, names.tibetan, names.romanised, person.phone, person.category]
    for text in [*told, None if number is None else number.text]:
        if text is not None and len(text) > 3:
            for form in (text.encode(), text.encode().hex().encode(), canonical_bytes(text).strip(b'"')):
                assert form.lower() not in kept


@given(persons())
def test_two_seals_of_one_person_share_neither_key_nor_nonce(person: Person) -> None:
    first, second = (VAULT.seal(HERE, person, opened_at=NOW) for _ in range(2))
    sealed = [b64decode(value) for record in (first, second) for value in sealed_fields(record).values()]
    nonces = {value[:12] for value in (*sealed, first.wrapped_key, second.wrapped_key)}
    assert len(nonces) == 2 * (len(FIELDS) + 1)
    with pytest.raises(IdentityUnreadable):
        VAULT.unseal(replace(second, wrapped_key=first.wrapped_key))


@given(persons())
def test_a_length_tells_nothing_finer_than_64_bytes(person: Person) -> None:
    fields = sealed_fields(VAULT.seal(HERE, person, opened_at=NOW))
    sizes = {name: len(b64decode(value)) - NONCE_AND_TAG for name, value in fields.items()}
    assert all(size % 64 == 0 for size in sizes.values())
    assert sizes["citizen_number"] == sizes["phone"] == 64
    assert len(person.category or "") > 60 or sizes["category"] == 64


@given(persons(), st.sampled_from(["identity", "wrapped_key", "citizen_index"]), st.data())
def test_no_flipped_bit_goes_unnoticed(person: Person, column: str, data: st.DataObject) -> None:
    record = VAULT.seal(HERE, person, opened_at=NOW)
    damaged = bytearray(getattr(record, column) or bytes(32))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(IdentityUnreadable):
        VAULT.unseal(with_column(record, column, bytes(damaged)))


def test_no_single_flipped_bit_of_one_record_goes_unnoticed() -> None:
    person = Person(names=PersonNames(chinese="无名氏"), phone="13800000000")
    record = VAULT.seal(HERE, person, opened_at=NOW)
    for column in ("identity", "wrapped_key"):
        kept: bytes = getattr(record, column)
        for place in range(8 * len(kept)):
            damaged = bytearray(kept)
            damaged[place // 8] ^= 1 << place % 8
            with pytest.raises(IdentityUnreadable):
                VAULT.unseal(with_column(record, column, bytes(damaged)))


@given(persons(), persons(), st.sampled_from(["wrapped_key", "identity", "both"]))
def test_nothing_opens_in_another_account(mine: Person, theirs: Person, moved: str) -> None:
    record = VAULT.seal(HERE, mine, opened_at=NOW)
    other = VAULT.seal(ELSEWHERE, theirs, opened_at=NOW)
    with pytest.raises(IdentityUnreadable):
        VAULT.unseal(
            replace(
                record,
                wrapped_key=record.wrapped_key if moved == "identity" else other.wrapped_key,
                identity=record.identity if moved == "wrapped_key" else other.identity,
            )
        )
    with pytest.raises(IdentityUnreadable):
        VAULT.unseal(replace(other, subject=HERE))


@given(persons(), st.permutations(FIELDS))
def test_nothing_opens_in_another_field(person: Person, order: list[str]) -> None:
    assume(tuple(order) != FIELDS)
    record = VAULT.seal(HERE, person, opened_at=NOW)
    fields = sealed_fields(record)
    with pytest.raises(IdentityUnreadable):
        VAULT.unseal(
            with_fields(record, {name: fields[other] for name, other in zip(FIELDS, order, strict=True)})
        )


@given(persons(), st.sets(st.sampled_from(FIELDS), min_size=1))
def test_no_field_can_be_left_out(person: Person, gone: set[str]) -> None:
    record = VAULT.seal(HERE, person, opened_at=NOW)
    left = {name: value for name, value in sealed_fields(record).items() if name not in gone}
    with pytest.raises(IdentityUnreadable):
        VAULT.unseal(with_fields(record, left))


@given(persons(), st.text(st.sampled_from("abcdefg"), min_size=1))
def test_nothing_can_be_added(person: Person, name: str) -> None:
    record = VAULT.seal(HERE, person, opened_at=NOW)
    fields = sealed_fields(record)
    inside = with_fields(record, fields | {name: fields["phone"]})
    outside = canonical_bytes({"v": 1, "fields": {**fields}, name: 1})
    for changed in (inside, replace(record, identity=outside)):
        with pytest.raises(IdentityUnreadable):
            VAULT.unseal(changed)


@given(persons(), citizen_numbers())
def test_an_index_of_somebody_else_is_noticed(person: Person, number: CitizenNumber) -> None:
    assume(number != person.citizen_number)
    record = VAULT.seal(HERE, person, opened_at=NOW)
    for index in (VAULT.citizen_index(number), bytes(32), None):
        if index != record.citizen_index:
            with pytest.raises(IdentityUnreadable) as refused:
                VAULT.unseal(replace(record, citizen_index=index))
            assert refused.value.reason == "identity-index-differs"


@given(st.binary(max_size=200), st.binary(max_size=80), st.none() | st.binary(max_size=40))
def test_any_bytes_are_refused_and_nothing_worse(
    identity: bytes, wrapped: bytes, index: bytes | None
) -> None:
    record = AccountRecord(
        subject=HERE,
        opened_at=NOW,
        citizen_index=index,
        wrapped_key=wrapped,
        identity=identity,
        wrapped_by="initial",
    )
    genuine = VAULT.seal(HERE, Person(names=PersonNames(chinese="无名氏")), opened_at=NOW)
    for tried in (record, replace(record, wrapped_key=genuine.wrapped_key)):
        with pytest.raises(IdentityUnreadable):
            VAULT.unseal(tried)


@given(citizen_numbers(), citizen_numbers(), keys, keys)
def test_equal_numbers_have_equal_indexes_under_one_key_alone(
    one: CitizenNumber, other: CitizenNumber, key: bytes, another_key: bytes
) -> None:
    vault = a_vault(bytes(32), key)
    assert (vault.citizen_index(one) == vault.citizen_index(other)) == (one == other)
    assert vault.citizen_index(one) == vault.citizen_index(CitizenNumber(text=one.text))
    if key != another_key:
        elsewhere = a_vault(bytes(32), another_key)
        assert elsewhere.citizen_index(one) != vault.citizen_index(one)


@given(kinds, st.text(), kinds, st.text(), citizen_numbers())
def test_an_outcome_key_depends_on_kind_and_number_alone(
    kind: OutcomeKind, number: str, other_kind: OutcomeKind, other: str, citizen: CitizenNumber
) -> None:
    key = VAULT.outcome_key(kind=kind, number=number)
    assert (key == VAULT.outcome_key(kind=other_kind, number=other)) == (
        (kind, number) == (other_kind, other)
    )
    assert VAULT.outcome_key(kind=kind, number=citizen.text) != VAULT.citizen_index(citizen)


@given(st.lists(st.text()), st.lists(st.text()), kinds, keys)
def test_a_request_digest_depends_on_every_part_and_is_no_other_index(
    parts: list[str], others: list[str], kind: OutcomeKind, key: bytes
) -> None:
    digest = VAULT.request_digest(*parts)
    assert (digest == VAULT.request_digest(*others)) == (parts == others)
    elsewhere = a_vault(bytes(32), key)
    assert digest != elsewhere.request_digest(*parts)
    assert all(digest != VAULT.outcome_key(kind=kind, number=part) for part in parts)


@given(st.binary(max_size=300), keys, keys, keys, st.data())
def test_an_answer_opens_unchanged_and_only_beside_its_request(
    answer: bytes, key: bytes, request: bytes, other: bytes, data: st.DataObject
) -> None:
    assume(other not in {key, request})
    sealed = VAULT.seal_answer(answer, key=key, request=request)
    kept = KeptAnswer(key=key, request=request, subject=None, answer=sealed, kept_at=NOW)
    assert VAULT.unseal_answer(kept) == answer
    damaged = bytearray(sealed)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = sealed[: data.draw(st.integers(0, len(sealed) - 1))]
    for changed in (
        replace(kept, answer=bytes(damaged)),
        replace(kept, answer=cut),
        replace(kept, key=other),
        replace(kept, request=other),
    ):
        with pytest.raises(AnswerUnreadable):
            VAULT.unseal_answer(changed)
    with pytest.raises(AnswerUnreadable):
        a_vault(b"k" * 32, other).unseal_answer(kept)


@given(persons(), keys, keys, keys)
def test_other_keys_open_nothing(person: Person, key: bytes, index_key: bytes, other: bytes) -> None:
    assume(other not in {key, index_key})
    record = a_vault(key, index_key).seal(HERE, person, opened_at=NOW)
    with pytest.raises(IdentityUnreadable):
        a_vault(other, index_key).unseal(record)
    if person.citizen_number is not None:
        with pytest.raises(IdentityUnreadable):
            a_vault(key, other).unseal(record)


@given(persons(), keys, keys, keys)
def test_an_older_key_opens_what_it_wraps_and_wraps_nothing_more(
    person: Person, key: bytes, newer: bytes, index_key: bytes
) -> None:
    before, after = a_vault(key, index_key), a_vault(key, index_key, newer=newer)
    record = before.seal(HERE, person, opened_at=NOW)
    assert record.wrapped_by == "initial"
    assert after.unseal(record) == person
    rewrapped = after.rewrap(record)
    assert rewrapped.wrapped_by == after.seal(HERE, person, opened_at=NOW).wrapped_by == "newer"
    assert replace(rewrapped, wrapped_key=record.wrapped_key, wrapped_by="initial") == record
    assert after.unseal(rewrapped) == person
    # The older key may go: what was wrapped again needs the newer one alone.
    assert (
        SealedVault(encryption_keys={"newer": newer}, wraps_with="newer", index_key=index_key).unseal(
            rewrapped
        )
        == person
    )


@given(persons(), keys, keys)
def test_a_key_that_was_added_since_is_asked_for_by_name(person: Person, key: bytes, newer: bytes) -> None:
    record = a_vault(key, key, newer=newer).seal(HERE, person, opened_at=NOW)
    for use in (a_vault(key, key).unseal, a_vault(key, key).rewrap):
        with pytest.raises(EncryptionKeyUnusable) as refused:
            use(record)
        assert (refused.value.reason, refused.value.values) == ("encryption-key-unknown", {"key": "newer"})


@given(persons(), keys, keys)
def test_a_record_that_names_another_key_does_not_open(person: Person, key: bytes, newer: bytes) -> None:
    assume(key != newer)
    vault = a_vault(key, key, newer=newer)
    record = vault.seal(HERE, person, opened_at=NOW)
    for use in (vault.unseal, vault.rewrap):
        with pytest.raises(IdentityUnreadable):
            use(replace(record, wrapped_by="initial"))


def test_a_closed_vault_refuses() -> None:
    person = Person(names=PersonNames(chinese="无名氏"))
    record = VAULT.seal(HERE, person, opened_at=NOW)
    vault = ClosedVault()
    for use in (
        lambda: vault.seal(HERE, person, opened_at=NOW),
        lambda: vault.unseal(record),
        lambda: vault.rewrap(record),
        lambda: vault.outcome_key(kind="diploma", number="1"),
        lambda: vault.wraps_with,
    ):
        with pytest.raises(Misconfigured, match="keys-of-the-log-alone"):
            use()


@given(persons(), keys)
def test_the_same_randomness_seals_the_same_bytes(person: Person, key: bytes) -> None:
    first, second = (
        a_vault(key, key, random=repeating_bytes()).seal(HERE, person, opened_at=NOW) for _ in range(2)
    )
    assert first == second


def test_a_later_format_is_refused_by_this_one() -> None:
    record = VAULT.seal(HERE, Person(names=PersonNames(chinese="无名氏")), opened_at=NOW)
    fields = sealed_fields(record)
    with pytest.raises(CreditBankError) as refused:
        VAULT.unseal(replace(record, identity=canonical_bytes({"v": 2, "fields": {**fields}})))
    assert (type(refused.value), refused.value.reason) == (IdentityUnreadable, "identity-malformed")
