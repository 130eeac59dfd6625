"""Puts the web together: routes, problems, pages. Whatever it needs is handed in."""

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from api.auth.operator import principal
from api.pages import diploma_audit, sign_in, statement
from api.pages.rendering import static_files
from api.problems import add_problem_handlers, with_problems
from api.routes import accounts, audits, decisions, health, ledger, verifications, what_ifs
from api.safety import Safety
from creditbank.services.bank import Bank
from creditbank.services.idempotency import InFlight
from creditbank.services.publishing import Publisher
from creditbank.services.rule_library import RuleLibrary


def create_app(
    bank: Bank, library: RuleLibrary, *, token_digest: bytes, publisher: Publisher | None = None
) -> FastAPI:
    """Return the application for this bank; only the operator's token opens more than the public routes.

    `publisher` is who publishes in this process, None where another process does.
    """
    app = FastAPIOffline(
        title="学分银行 · Credit bank",
        description="Personal learning accounts whose records can be checked by a stranger.",
        version="1",
        redoc_url=None,
    )
    app.state.bank = bank
    app.state.library = library
    app.state.token_digest = token_digest
    app.state.publisher = publisher
    app.state.in_flight = InFlight()
    add_problem_handlers(app)
    app.add_middleware(Safety)
    # Routes are tried one after the other: those of every day come first.
    for private in (
        accounts.router,
        decisions.router,
        audits.router,
        what_ifs.router,
        verifications.router,
        statement.router,
        diploma_audit.router,
    ):
        app.include_router(private, dependencies=[Depends(principal)])
    for public in (health.router, ledger.router, sign_in.router):
        app.include_router(public)
    app.mount("/static", static_files(), name="static")
    described = app.openapi
    app.openapi = lambda: with_problems(described())  # type: ignore[method-assign]
    return app
