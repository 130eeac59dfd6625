"""The JSON Schemas (2020-12) of the messages that the HTTP interface takes and gives."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from api.audit_messages import DiplomaAuditMessage
from api.decision_messages import DecisionMessage, ExemptionRequest, GrantsMessage, WaiverRequest
from api.messages import (
    AccountRequest,
    ConfirmationRequest,
    CorrectionRequest,
    OpenedMessage,
    OutcomeRequest,
    ReceiptMessage,
    RevocationRequest,
    VerificationMessage,
    VerificationRequest,
)
from api.reverse_messages import ExamsMessage, NowhereMessage
from api.what_if_messages import (
    ClassWhatIfMessage,
    ClassWhatIfRequest,
    NextStepsMessage,
    NextStepsRequest,
    WhatIfMessage,
    WhatIfRequest,
)
from creditbank.documents.schemas import DIALECT

_TAKEN: tuple[type[BaseModel], ...] = (
    AccountRequest,
    ConfirmationRequest,
    CorrectionRequest,
    ExemptionRequest,
    OutcomeRequest,
    RevocationRequest,
    VerificationRequest,
    WaiverRequest,
    ClassWhatIfRequest,
    NextStepsRequest,
    WhatIfRequest,
)
_GIVEN: tuple[type[BaseModel], ...] = (
    DecisionMessage,
    DiplomaAuditMessage,
    ExamsMessage,
    NowhereMessage,
    GrantsMessage,
    OpenedMessage,
    ReceiptMessage,
    VerificationMessage,
    ClassWhatIfMessage,
    NextStepsMessage,
    WhatIfMessage,
)
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def message_schemas() -> Mapping[str, dict[str, Any]]:
    """Return every schema by the name of its message."""
    taken = {_name(model): model.model_json_schema(mode="validation") for model in _TAKEN}
    given = {_name(model): model.model_json_schema(mode="serialization") for model in _GIVEN}
    return {name: {"$schema": DIALECT, **schema} for name, schema in sorted({**taken, **given}.items())}


def _name(model: type[BaseModel]) -> str:
    return _WORD.sub("-", model.__name__).lower().removesuffix("-message")
