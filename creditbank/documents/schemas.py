"""The JSON Schemas (2020-12) of the documents that leave the bank, by the name of their file."""

from collections.abc import Mapping
from typing import Any

from creditbank.documents.ledger_report import ledger_report_schema
from creditbank.documents.receipt import receipt_schema
from creditbank.documents.rule_pack import rule_pack_schema
from creditbank.documents.statement import StatementDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def document_schemas() -> Mapping[str, dict[str, Any]]:
    """Return every schema by the name of its document."""
    return {
        "import-receipt": receipt_schema(),
        "ledger-report": ledger_report_schema(),
        "rule-pack": rule_pack_schema(),
        "statement": {"$schema": DIALECT, **StatementDocument.model_json_schema(mode="serialization")},
    }
