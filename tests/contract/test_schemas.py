"""The files in `schemas/` are what the code says, and what leaves the bank keeps to them."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from creditbank.account.facts import holdings_for_rules
from creditbank.cli.schemas import VERSION, schema_files
from creditbank.documents.rule_pack_source import as_json
from creditbank.documents.statement import StatementDocument
from creditbank.rulepacks.library import SHIPPED
from creditbank.samples.outcomes import story_outcomes
from creditbank.services.accounts import read_account
from creditbank.services.bank import Principal
from creditbank.services.outcomes import record_outcome
from tests.banks import new_account, new_bank

SCHEMAS = Path(__file__).parents[2] / "schemas" / VERSION
EXAMPLES = SCHEMAS / "examples"
FILES = schema_files()


def validator(name: str) -> Draft202012Validator:
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_bytes())
    return Draft202012Validator(schema, format_checker=FormatChecker())


def test_the_files_are_what_the_code_says() -> None:
    kept = {path.name: path.read_bytes() for path in SCHEMAS.glob("*.schema.json")}
    assert kept == dict(FILES), "run `make schemas` and look at what changed"


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_schema_is_one(name: str) -> None:
    schema = json.loads(FILES[name])
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_every_example_keeps_to_its_schema() -> None:
    examples = sorted(EXAMPLES.glob("*.json"))
    assert examples
    for path in examples:
        validator(path.name.partition(".")[0]).validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize("pack", sorted(SHIPPED.glob("*/*.toml")), ids=lambda path: path.parent.name)
def test_every_shipped_pack_keeps_to_its_schema(pack: Path) -> None:
    validator("rule-pack").validate(as_json(tomllib.loads(pack.read_text(encoding="utf-8"))))


def test_a_statement_keeps_to_its_schema() -> None:
    bank = new_bank()
    account = new_account(bank)
    for sample in story_outcomes():
        record_outcome(bank, Principal(issuer=sample.outcome.issuer), account, sample.outcome)
    statement = read_account(bank, account)
    assert len(holdings_for_rules(statement.holdings)) == len(story_outcomes())
    validator("statement").validate(StatementDocument.of(statement).model_dump(mode="json"))
