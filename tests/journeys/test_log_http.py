"""What a stranger fetches over HTTP to check the log: checkpoint, tiles, keys, receipts."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.app import create_app
from creditbank.ledger.checkpoint import open_note, parse_note, parse_verifier_keys
from creditbank.ledger.cosignature import cosignatures_in
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.ledger.tiles import root, tile_ids
from creditbank.locale.catalogue import LANGUAGES
from creditbank.rulepacks.library import Library
from creditbank.services.bank import Bank, Publication
from creditbank.services.cosigning import cosign
from creditbank.services.institutions import subject_of
from creditbank.services.publishing import Publisher, publish_now
from creditbank.storage.checkpoint_file import MemoryCheckpoint
from tests.banks import BEGINNING, EAST, new_account, new_bank
from tests.strategies.ledger import Witness

PROBLEM = "application/problem+json"
WITNESS = Witness("witness.example", bytes(32))
NOW = int(BEGINNING.timestamp())


class Stranger:
    """Somebody without a token, and the bank that answers."""

    def __init__(self, publisher: Publisher | None = None, bank: Bank | None = None) -> None:
        made = bank or new_bank()
        publication = Publication(outside=MemoryCheckpoint(), witnesses=(WITNESS.key,), every_seconds=7)
        self.bank = replace(made, publication=publication)
        app = create_app(self.bank, Library.load(check=False), token_digest=bytes(32), publisher=publisher)
        self.client = TestClient(app, raise_server_exceptions=False)

    def get(self, path: str, **headers: str) -> Response:
        return self.client.get(path, headers=headers)


@pytest.fixture
def stranger() -> Stranger:
    return Stranger()


def test_what_is_not_published_yet_is_said_so_with_the_time_to_ask_again(stranger: Stranger) -> None:
    account = new_account(stranger.bank)
    receipt = f"/entries/{account.subject}/0/receipt"
    for path, reason in (("/checkpoint", "nothing-published"), (receipt, "entry-not-published")):
        answer = stranger.get(path)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == PROBLEM
        assert answer.headers["retry-after"] == "7"
        assert (answer.json()["type"], answer.json()["reason"]) == (
            "urn:creditbank:problem:not-published",
            reason,
        )
        details = [
            stranger.get(path, **{"Accept-Language": language}).json()["detail"] for language in LANGUAGES
        ]
        assert all("7" in detail for detail in details)
        assert len(set(details)) == len(LANGUAGES)
    publish_now(stranger.bank)
    assert stranger.get("/checkpoint").status_code == stranger.get(receipt).status_code == 200
    later = new_account(stranger.bank)
    assert stranger.get(f"/entries/{later.subject}/0/receipt").status_code == 503


def test_a_stranger_checks_an_entry_without_trusting_the_bank(stranger: Stranger) -> None:
    account = new_account(stranger.bank)
    published = publish_now(stranger.bank)
    cosign(
        stranger.bank,
        published.note + WITNESS.cosign(published.checkpoint.body(), at=NOW).line().encode(),
    )
    keys = parse_verifier_keys(stranger.get("/verifier-key").text)
    checkpoint = stranger.get("/checkpoint")
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["cache-control"] == "no-cache"
    assert open_note(checkpoint.content, keys) == published.checkpoint
    assert len(cosignatures_in(parse_note(checkpoint.content), [WITNESS.key])) == 1
    receipt = stranger.get(f"/entries/{account.subject}/0/receipt")
    assert receipt.headers["content-type"].startswith("text/plain")
    assert receipt.headers["content-disposition"] == (
        f'attachment; filename="account-{account.text}-0.tlog-proof"'
    )
    found = check(parse_proof_file(receipt.content), keys, witnesses=[WITNESS.key])
    assert isinstance(found, Included)
    assert (found.leaf.subject, found.checkpoint) == (account.subject, published.checkpoint)
    assert len(found.cosignatures) == 1
    institution = stranger.get(f"/entries/{subject_of(EAST.issuer)}/0/receipt")
    assert isinstance(check(parse_proof_file(institution.content), keys), Included)


def test_the_tiles_make_the_root_of_the_checkpoint_again(stranger: Stranger) -> None:
    published = publish_now(stranger.bank)
    size = published.checkpoint.size
    row = stranger.get(f"/tile/0/000.p/{size}")
    assert row.headers["content-type"] == "application/octet-stream"
    assert row.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(row.content) == 32 * size
    new_account(stranger.bank)
    publish_now(stranger.bank)
    assert stranger.get(f"/tile/0/000.p/{size}").content == row.content
    assert stranger.get(f"/tile/0/000.p/{size + 1}").content[: 32 * size] == row.content
    with stranger.bank.store.reading() as books:
        assert list(tile_ids(size)) == [(0, 0)]
        assert root(size, lambda level, index: books.ledger.tile(level, index) or b"") == (
            published.checkpoint.root
        )


@pytest.mark.parametrize(
    "path",
    [
        "/tile/0/000",
        "/tile/0/001.p/1",
        "/tile/1/000.p/1",
        "/tile/0/000.p/0",
        "/tile/0/000.p/255",
        "/tile/0/000.p/256",
        "/tile/0/0",
        "/tile/64/000",
        "/tile/9999999999999999999999/000",
        "/tile/0/x999/x999/x999/x999/x999/x999/999",
        "/tile/0/000.p/1/",
        "/tile/data/000",
        "/tile/",
        "/tile/0/%2e%2e",
    ],
)
def test_a_tile_that_the_published_log_does_not_have_is_not_found(stranger: Stranger, path: str) -> None:
    publish_now(stranger.bank)
    answer = stranger.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["reason"] == "tile-unknown"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/tile/entries/000", "/tile/entries/000.p/3", "/tile/entries/x001/000"])
def test_entries_themselves_are_not_public(stranger: Stranger, path: str) -> None:
    publish_now(stranger.bank)
    answer = stranger.get(path)
    assert answer.status_code == 404
    assert answer.json()["reason"] == "entry-bundles-not-public"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/entries/account:0000000000000000/0/receipt", 404),
        ("/entries/nothing/0/receipt", 404),
        ("/entries/account%0d%0aX:1/0/receipt", 404),
        ("/entries/nothing/-1/receipt", 422),
        ("/entries/nothing/1000000/receipt", 422),
        (f"/entries/{'a' * 200}/0/receipt", 422),
    ],
)
def test_a_receipt_of_nothing_is_refused(stranger: Stranger, path: str, status: int) -> None:
    publish_now(stranger.bank)
    answer = stranger.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM


def test_readiness_tells_how_publishing_goes() -> None:
    elsewhere = Stranger()
    assert elsewhere.get("/readyz").json()["publishing"] == {
        "state": "elsewhere",
        "published_size": None,
        "code": None,
        "reason": None,
        "failed_since": None,
    }
    publisher = Publisher(elsewhere.bank)
    here = Stranger(publisher, elsewhere.bank)
    published = publish_now(elsewhere.bank)
    publisher.attempt()
    assert here.get("/readyz").json()["publishing"]["state"] == "on-interval"
    elsewhere.bank.publication.outside.write(b"damaged")
    new_account(elsewhere.bank)
    publisher.attempt()
    answer = here.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    told = answer.json()["publishing"]
    assert (told["state"], told["code"], told["reason"]) == (
        "failing",
        "checkpoint-file-unusable",
        "checkpoint-file-invalid",
    )
    assert told["published_size"] == published.checkpoint.size
    assert told["failed_since"].startswith("2026-03-01T08:")
    assert here.get("/checkpoint").content == published.note
