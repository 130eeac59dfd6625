"""Two persons are two: laws of the value that says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.account.records import Officer
from creditbank.errors import NotAuthorised
from creditbank.services.bank import Bank, Principal
from creditbank.services.officers import (
    OfficerInvalid,
    OfficerUnknown,
    TwoPersons,
    TwoPersonsNeeded,
    add_officer,
    officers,
    retire_officer,
    two_persons,
)
from creditbank.services.tokens import digest_of
from creditbank.terms import OfficerId
from tests.banks import EAST, OPERATOR, new_bank

OPERATING = Principal.operator(OPERATOR)
CLERK = Principal(issuer=EAST.issuer)


def staffed(count: int) -> tuple[Bank, list[tuple[Officer, str]]]:
    bank = new_bank()
    return bank, [add_officer(bank, OPERATING, f"officer {place}") for place in range(count)]


@given(st.integers(0, 4), st.integers(0, 4), st.sets(st.integers(0, 4)))
def test_only_two_different_officers_who_serve_are_two_persons(
    first: int, second: int, retired: set[int]
) -> None:
    bank, staff = staffed(5)
    for place in retired:
        retire_officer(bank, OPERATING, staff[place][0].id)
    tokens = {"first_token": staff[first][1], "second_token": staff[second][1]}
    if first != second and not {first, second} & retired:
        assert two_persons(bank, **tokens).ids == (staff[first][0].id, staff[second][0].id)
    else:
        reason = "officer-retired" if {first, second} & retired else "one-officer-twice"
        with pytest.raises(TwoPersonsNeeded, match=reason):
            two_persons(bank, **tokens)


@given(st.text() | st.binary(max_size=50).map(lambda token: token.decode("utf-8", "surrogateescape")))
def test_what_is_no_token_is_nobodys(token: str) -> None:
    bank, staff = staffed(2)
    for pair in ((token, staff[0][1]), (staff[1][1], token)):
        with pytest.raises(TwoPersonsNeeded, match="officer-token-unknown"):
            two_persons(bank, first_token=pair[0], second_token=pair[1])


def test_a_token_is_not_told_by_what_is_kept_of_it() -> None:
    bank, staff = staffed(2)
    (one, token), (_, other) = staff
    assert one.digest == digest_of(token)
    for kept in (one.digest.hex(), one.id, one.name, token[:-1], token + " "):
        with pytest.raises(TwoPersonsNeeded, match="officer-token-unknown"):
            two_persons(bank, first_token=kept, second_token=other)


def test_two_persons_cannot_be_made_of_names() -> None:
    with pytest.raises(TypeError):
        TwoPersons(first=OfficerId("officer:1"), second=OfficerId("officer:2"))  # type: ignore[call-arg]
    bank, staff = staffed(2)
    persons = two_persons(bank, first_token=staff[0][1], second_token=staff[1][1])
    with pytest.raises(AttributeError):
        persons.second = persons.first  # type: ignore[misc]
    for (_, token), officer in zip(staff, persons.ids, strict=True):
        assert token not in repr(persons)
        assert officer in repr(persons)


@given(st.integers(0, 1))
def test_who_is_retired_meanwhile_no_longer_counts(place: int) -> None:
    bank, staff = staffed(3)
    persons = two_persons(bank, first_token=staff[0][1], second_token=staff[1][1])
    with bank.store.reading() as books:
        persons.must_serve(books)
    retire_officer(bank, OPERATING, staff[2][0].id)
    with bank.store.reading() as books:
        persons.must_serve(books)
    retire_officer(bank, OPERATING, staff[place][0].id)
    with bank.store.reading() as books, pytest.raises(TwoPersonsNeeded, match="officer-retired"):
        persons.must_serve(books)


def test_no_two_officers_share_an_id_or_a_token() -> None:
    bank, staff = staffed(20)
    assert len({officer.id for officer, _ in staff}) == len({token for _, token in staff}) == 20
    assert list(officers(bank)) == [officer for officer, _ in staff]


def test_whoever_is_not_the_operator_adds_and_retires_nobody() -> None:
    bank, staff = staffed(1)
    with pytest.raises(NotAuthorised, match="operator-only"):
        add_officer(bank, CLERK, "another")
    with pytest.raises(NotAuthorised, match="operator-only"):
        retire_officer(bank, CLERK, staff[0][0].id)
    with pytest.raises(OfficerUnknown):
        retire_officer(bank, OPERATING, OfficerId("officer:nobody"))
    assert [officer.is_serving for officer in officers(bank)] == [True]


@pytest.mark.parametrize("name", ["", " ", "\n", "a\tb", "x" * 101])
def test_an_officer_has_a_name(name: str) -> None:
    with pytest.raises(OfficerInvalid, match="officer-name"):
        add_officer(new_bank(), OPERATING, name)
