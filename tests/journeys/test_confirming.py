"""A school's program confirms that a suspended grant has ended: two officers agree, each with their token."""

import pytest
from httpx2 import Response

from creditbank.services.accounts import read_account
from creditbank.services.bank import Principal
from creditbank.services.officers import add_officer, retire_officer
from creditbank.services.outcomes import revoke_outcome
from tests.banks import EAST, RIVER
from tests.journeys.test_repeating import CONFIRMATION, Program, problem_of, without_repeated

REASON = {"reason": "证书已撤销，学校确认"}
FIRST, SECOND = "First-Officer-Token", "Second-Officer-Token"


class Confirming(Program):
    """The program, two officers and a third who retired, and a grant that fell with its evidence."""

    def __init__(self) -> None:
        super().__init__()
        (one, first), (two, second), (gone, retired) = (
            add_officer(self.bank, EAST, name) for name in ("格桑", "央金", "旺堆")
        )
        retire_officer(self.bank, EAST, gone.id)
        self.officers = (one.id, two.id)
        self.tokens = {FIRST: first, SECOND: second}
        self.retired = retired
        self.ask("/accounts/{account}/exemptions", {"programme": "changdu-animal-husbandry"}, "apply")
        account = read_account(self.bank, self.number).holdings
        held = {one.id: one for one in account.outcomes}
        grant = next(one for one in account.active_grants if one.spent)
        spent = held[grant.spent[0]]
        by = Principal(issuer=spent.outcome.issuer)
        revoke_outcome(self.bank, by, self.number, spent.id, reason="误发")
        self.grant = grant.id

    def confirm(
        self, tokens: dict[str, str] | None = None, key: str = "k", grant: str = "", issuer: str = EAST.issuer
    ) -> Response:
        given = self.tokens if tokens is None else tokens
        template = CONFIRMATION.replace("{grant}", grant or self.grant)
        return self.ask(template, REASON, key, **given, **{"On-Behalf-Of": issuer})

    def status(self) -> str:
        account = read_account(self.bank, self.number).holdings
        return next(one.status for one in account.grants if one.id == self.grant)


@pytest.fixture
def program() -> Confirming:
    return Confirming()


def test_two_officers_confirm_once_and_the_grant_has_ended(program: Confirming) -> None:
    assert program.status() == "suspended"
    first = program.confirm()
    assert first.status_code == 201, first.text
    assert program.status() == "reversed"
    written = program.entries()
    again = program.confirm()
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert without_repeated(again.json()) == without_repeated(first.json())
    assert program.entries() == written
    assert problem_of(program.confirm(key="another")) == (409, "grant-not-suspended")
    statement = program.get(f"/accounts/{program.number.text}")
    assert REASON["reason"] in statement.text
    entry = next(one for one in statement.json()["entries"] if one["seq"] == first.json()["seq"])
    assert entry["kind"] == "exemption.reversed"


@pytest.mark.parametrize("kind", ["nobody's", "one twice", "retired", "swapped"])
def test_whose_tokens_are_not_those_of_two_officers_in_office_is_refused(
    program: Confirming, kind: str
) -> None:
    given = {
        "nobody's": program.tokens | {SECOND: "x" * 43},
        "one twice": program.tokens | {SECOND: program.tokens[FIRST]},
        "retired": program.tokens | {FIRST: program.retired},
        "swapped": {FIRST: program.token, SECOND: program.token},  # the operator's is no officer's
    }[kind]
    before = program.entries()
    refused = program.confirm(given)
    assert problem_of(refused) == (403, "two-persons-needed")
    assert program.status() == "suspended"
    assert program.entries() == before
    assert all(token not in refused.text for token in given.values())
    assert program.confirm().status_code == 201  # the key is left to the request that is allowed


@pytest.mark.parametrize("missing", [FIRST, SECOND])
def test_a_token_that_is_missing_is_named_and_none_is_told(program: Confirming, missing: str) -> None:
    given = {name: token for name, token in program.tokens.items() if name != missing}
    refused = program.confirm(given)
    assert refused.status_code == 422
    assert [one["parameter"] for one in refused.json()["errors"]] == [missing.lower()]
    assert all(token not in refused.text for token in given.values())
    assert program.status() == "suspended"


def test_a_repetition_needs_the_tokens_too(program: Confirming) -> None:
    assert program.confirm().status_code == 201
    assert problem_of(program.confirm(program.tokens | {FIRST: "x"})) == (403, "two-persons-needed")


def test_only_who_granted_may_confirm_and_only_what_fell(program: Confirming) -> None:
    elsewhere = program.confirm(issuer=RIVER.issuer)
    assert problem_of(elsewhere) == (403, "not-authorised")
    stranger = program.stranger.post(
        f"/accounts/{program.number.text}/grants/{program.grant}/confirmation",
        json=REASON,
        headers=program.tokens,
    )
    assert stranger.status_code == 401
    standing = read_account(program.bank, program.number).holdings.active_grants[0].id
    assert problem_of(program.confirm(grant=standing)) == (409, "grant-not-suspended")
    assert problem_of(program.confirm(grant="999999"))[0] == 404
    assert program.status() == "suspended"


def test_the_entry_names_the_two_officers(program: Confirming) -> None:
    program.confirm()
    with program.bank.store.reading() as books:
        *_, last = books.ledger.entries_of(program.number.subject)
    assert last.payload is not None
    said = last.payload.content.decode()
    assert REASON["reason"] in said
    assert all(officer in said for officer in program.officers)
    assert all(token not in said for token in program.tokens.values())
