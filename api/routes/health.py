"""For whoever watches over the process."""

from fastapi import APIRouter

from api.dependencies import TheBank, ThePublisher
from api.messages import HealthMessage, PublishingMessage, ReadinessMessage
from creditbank.services.log import last_published
from creditbank.services.publishing import Publisher

router = APIRouter(tags=["health"])


@router.get("/healthz")
def get_health() -> HealthMessage:
    """Say that the process answers."""
    return HealthMessage(status="ok")


@router.get("/readyz")
def get_readiness(bank: TheBank, publisher: ThePublisher) -> ReadinessMessage:
    """Say that the database answers too; 503 or 500 as a problem where it does not.

    Where publishing fails the process is ready all the same: it serves what was published last. Watch
    `publishing.state`, and where another process publishes, how far `published_size` is behind `log_size`.
    """
    with bank.store.reading() as books:
        log_size = books.ledger.size()
        published = last_published(bank, books)
    size = None if published is None else published.checkpoint.size
    publishing = _publishing(publisher, published_size=size)
    return ReadinessMessage(status="ready", log_size=log_size, publishing=publishing)


def _publishing(publisher: Publisher | None, *, published_size: int | None) -> PublishingMessage:
    if publisher is None:
        return PublishingMessage(state="elsewhere", published_size=published_size)
    failure = publisher.failure
    if failure is None:
        return PublishingMessage(state="on-interval", published_size=published_size)
    return PublishingMessage(
        state="failing",
        published_size=published_size,
        code=failure.code,
        reason=failure.reason,
        failed_since=failure.since,
    )
