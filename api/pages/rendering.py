"""Turns a template and its values into a page in the reader's language."""

from importlib.resources import files

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.languages import words_for
from creditbank.locale.promise_wording import promise_line
from creditbank.locale.wording import grant_line, outcome_line
from creditbank.terms import instant

_templates = Environment(
    loader=PackageLoader("api.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def page(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Return one page; a template is given its words, and how to write outcomes, grants and instants."""
    words = words_for(request)
    content = _templates.get_template(template).render(
        words=words,
        instant=lambda stored: words.instant(instant(stored)),
        outcome_line=lambda outcome: outcome_line(words, outcome),
        grant_line=lambda grant: grant_line(words, grant),
        promise_line=lambda held: promise_line(words, held),
        **values,
    )
    return HTMLResponse(
        content, status_code=status, headers={"Content-Language": words.language, "Vary": "Accept-Language"}
    )


def wants_page(request: Request) -> bool:
    """Whether a person with a browser is asking."""
    return "text/html" in request.headers.get("accept", "")


def static_files() -> StaticFiles:
    """Return the style sheet and the scripts."""
    return StaticFiles(directory=str(files("api.pages").joinpath("static")))
