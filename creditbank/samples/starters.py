"""Commented rule packs to start from: one for exemptions, one for waivers, one for a table of worth."""

import re
from datetime import date
from importlib import resources
from string import Template
from typing import Literal, get_args

from creditbank.errors import InvalidInput

Starter = Literal["exemption", "waiver", "recognition"]
STARTERS: tuple[Starter, ...] = get_args(Starter)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_LONG_AGO_YEARS = 8
_FIRST_YEAR, _LAST_YEAR = 1910, 2199


class StarterInvalid(InvalidInput):
    """No pack can be started under this name, or from this day."""

    code = "starter-invalid"


def starter_pack(starter: Starter, *, name: str, effective_from: date) -> str:
    """Return the TOML of a pack of the authority `name` that loads, warns of nothing and keeps its examples.

    Raises:
        StarterInvalid: `starter-name`, where the name cannot be that of a directory and an authority;
            `starter-day` for a day before 1910 or after 2199.
    """
    if _NAME.fullmatch(name) is None:
        raise StarterInvalid("starter-name", field="name", value=name)
    if not _FIRST_YEAR <= effective_from.year <= _LAST_YEAR:
        raise StarterInvalid("starter-day", field="effective_from", value=effective_from.isoformat())
    text = (resources.files(__package__) / f"starter-{starter}.toml").read_text(encoding="utf-8")
    year = effective_from.year
    return Template(text).substitute(
        name=name,
        day=effective_from.isoformat(),
        year=year,
        last_year=year - 1,
        long_ago=year - _LONG_AGO_YEARS,
    )
