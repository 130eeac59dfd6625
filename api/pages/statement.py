"""An account's statement as a page, for whoever has signed in."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.dependencies import NamedAccount, Rules, TheBank, Words
from api.pages.rendering import page
from creditbank.locale.pack_wording import shown
from creditbank.services.accounts import read_account

router = APIRouter(include_in_schema=False)


@router.get("/statement/{account}")
def get_statement(
    request: Request, account: NamedAccount, bank: TheBank, rules: Rules, words: Words
) -> HTMLResponse:
    """Show an account: who, what is held, what it frees from, and where each entry stands in the ledger."""
    statement = read_account(bank, account)
    with bank.store.reading() as books:
        log_size = books.ledger.size()
    today = bank.today()
    programmes = [(one.id, shown(words, one.title)) for one in rules.programmes_on(today)]
    return page(request, "statement.html", statement=statement, log_size=log_size, programmes=programmes)
