"""Whoever adds a column says what a redaction does to it: here, or this test fails.

What is said is seen to be true by the search for every byte of a learner, `tests/journeys/test_erasure.py`.
"""

from sqlmodel import SQLModel

from creditbank.storage.sql_cleaning import REWRITTEN

GONE = "destroyed with the row"
OF_NOBODY = "says nothing about a learner"
RANDOM = (
    "the account number, which is random: with the row of `account` went all that led from it to a person"
)

REACH: dict[str, dict[str, str]] = {
    "account": dict.fromkeys(
        ("subject", "opened_at", "citizen_index", "wrapped_key", "identity", "wrapped_by"),
        GONE,
    ),
    "bank": dict.fromkeys(("id", "origin", "key_check", "operator", "created_at"), OF_NOBODY),
    "batch": {
        "number": OF_NOBODY,
        "issuer": OF_NOBODY,
        "file_digest": "kept with rows of others: tells nothing without the whole file; else gone",
        "posted_at": OF_NOBODY,
        "receipt": "loses its lines about the account, and the file's name; without other lines, gone",
    },
    "checkpoint": dict.fromkeys(("size", "note"), OF_NOBODY),
    "cosignature": dict.fromkeys(("size", "witness", "cosigned_at", "signature"), OF_NOBODY),
    "entry": {
        "subject": RANDOM,
        "seq": OF_NOBODY,
        "leaf": "stays: kind, issuer, instant, and a commitment under a salt that is gone",
        "leaf_hash": "stays, a hash of the leaf",
        "idempotency_key": "blanked: a client chose it, and may have made it of anything",
    },
    "kept_answer": dict.fromkeys(("key", "request", "subject", "answer", "kept_at"), GONE),
    "log_leaf": {"log_index": OF_NOBODY, "subject": RANDOM, "seq": OF_NOBODY},
    "log_state": dict.fromkeys(("id", "size", "root"), OF_NOBODY),
    "encryption_key": dict.fromkeys(("id",), OF_NOBODY),
    "officer": dict.fromkeys(("id", "name", "digest", "added_at", "retired_at"), OF_NOBODY),
    "operator_token": dict.fromkeys(("id", "digest"), OF_NOBODY),
    "outcome_claim": {"key": "gone before the transaction ends; its old versions are cleaned away"},
    "outcome_key": dict.fromkeys(("key", "subject", "seq"), GONE),
    "payload": dict.fromkeys(("subject", "seq", "salt", "bytes"), GONE),
    "pending": {"subject": RANDOM, "seq": OF_NOBODY, "leaf_hash": "a hash of the leaf"},
    "tile": dict.fromkeys(("level", "tile_index", "hashes"), OF_NOBODY),
    "uncleaned": {"subject": RANDOM, "seq": OF_NOBODY},
}


def test_what_a_redaction_does_is_said_of_every_column() -> None:
    columns = {
        name: {column.name for column in table.columns} for name, table in SQLModel.metadata.tables.items()
    }
    assert {table: set(said) for table, said in REACH.items()} == columns


def test_every_table_that_loses_something_is_written_anew() -> None:
    loses = {
        table
        for table, said in REACH.items()
        if any(what == GONE or "gone" in what or "blanked" in what for what in said.values())
    }
    assert loses == set(REWRITTEN)
