"""For whoever watches over the process."""

from fastapi import APIRouter

from api.dependencies import TheBank
from api.messages import HealthMessage, ReadinessMessage

router = APIRouter(tags=["health"])


@router.get("/healthz")
def get_health() -> HealthMessage:
    """Say that the process answers."""
    return HealthMessage(status="ok")


@router.get("/readyz")
def get_readiness(bank: TheBank) -> ReadinessMessage:
    """Say that the database answers too; 503 or 500 as a problem where it does not."""
    with bank.store.reading() as books:
        return ReadinessMessage(status="ready", log_size=books.ledger.size())
