"""The two catalogues, zh-CN.toml and en.toml: codes in, sentences out.

The core speaks codes; the command line and the web ask here for the words. Both catalogues hold the same
keys with the same placeholders, and every code of the source, which the tests make sure of. Which sentences
a decision needs is for `wording.py`.

Sections: `problem` (an error's title, by class code), `reason` (what is wrong and what to do), `field`,
`finding` (of an audit), `warning`, `word` (labels), `say` (what decisions say).
"""

import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import get_args

from creditbank.errors import CreditBankError
from creditbank.settings import Language
from creditbank.terms import InputWarning, Wording

LANGUAGES: tuple[Language, ...] = get_args(Language)
SECTIONS = ("problem", "reason", "field", "finding", "warning", "word", "say")

_BEIJING = timezone(timedelta(hours=8))  # all of China, without summer time
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error in words: what kind it is, and what is wrong and what to do next."""

    code: str
    reason: str
    title: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All sentences of one language, and how it writes dates and figures."""

    language: Language
    sections: Mapping[str, Mapping[str, str]] = field(repr=False)

    def text(self, key: str, /, **values: object) -> str:
        """Return the sentence `section.name` with the values in it.

        Dates, instants, decimals and lists are written as the language does; codes given as `field` or
        `wanted` are replaced by what they are called, where that is known.

        Raises:
            KeyError: there is no such sentence, or it needs a value that was not given.
        """
        section, _, name = key.partition(".")
        return self.sections[section][name].format_map(self._shown(values))

    def has(self, key: str, /) -> bool:
        section, _, name = key.partition(".")
        return name in self.sections.get(section, {})

    def values_of(self, key: str, /) -> frozenset[str]:
        """Return the names of the values that the sentence `section.name` tells.

        Raises:
            KeyError: there is no such sentence.
        """
        section, _, name = key.partition(".")
        parsed = string.Formatter().parse(self.sections[section][name])
        return frozenset(value for _, value, _, _ in parsed if value is not None)

    def problem(self, error: CreditBankError) -> Problem:
        """Return the error in words. It answers for every error, since something has already failed:
        one without a sentence shows its codes, a missing value shows as an ellipsis.
        """
        reasons = self.sections["reason"]
        values = _Forgiving(self._shown({"field": error.field or "", **error.values}))
        if error.reason in reasons:
            detail = string.Formatter().vformat(reasons[error.reason], (), values)
        else:
            detail = str(error)
        title = self.sections["problem"].get(error.code, error.code)
        return Problem(code=error.code, reason=error.reason, title=title, detail=detail)

    def warning(self, warning: InputWarning) -> str:
        """Return the warning in words.

        Raises:
            KeyError: there is no such sentence, or it needs a value that the warning does not carry.
        """
        values = dict(warning.values) if warning.field is None else {"field": warning.field, **warning.values}
        return self.text(f"warning.{warning.code}", **values)

    def field(self, name: str) -> str:
        """Return what a field is called; a name without an entry is shown as it is."""
        return self.sections["field"].get(name, name)

    def wording(self, wording: Wording) -> str:
        """Return what a pack says in the reader's language, in Chinese where it says nothing else."""
        return wording.en if self.language == "en" and wording.en else wording.zh

    def date(self, day: date) -> str:
        """2026年3月1日, 1 March 2026."""
        if self.language == "zh-CN":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def instant(self, moment: datetime) -> str:
        """Return an aware instant to the minute, in Beijing time, which all of China keeps."""
        assert moment.tzinfo is not None, "an instant without a time zone is ambiguous"
        local = moment.astimezone(_BEIJING)
        if self.language == "zh-CN":
            return f"{self.date(local.date())} {local:%H:%M}"
        return f"{self.date(local.date())}, {local:%H:%M} (Beijing time)"

    def number(self, value: Decimal | int) -> str:
        """Return a figure: no exponent, no zeros at the end of a fraction, thousands apart."""
        if isinstance(value, int):
            return f"{value:,}"
        plain = f"{value:,f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain

    def credits(self, value: Decimal | int) -> str:
        """6.5 学分, 6.5 credits, 1 credit."""
        if self.language == "zh-CN":
            return f"{self.number(value)} 学分"
        return f"{self.number(value)} {'credit' if value == 1 else 'credits'}"

    def listed(self, items: Iterable[str]) -> str:
        """Return a list as one phrase: 甲、乙、丙; a, b, c."""
        return ("、" if self.language == "zh-CN" else ", ").join(items)

    def clauses(self, parts: Iterable[str]) -> str:
        """Return several statements as one sentence's."""
        return ("；" if self.language == "zh-CN" else "; ").join(parts)

    def sentences(self, parts: Iterable[str]) -> str:
        """Return whole sentences one after the other."""
        return ("" if self.language == "zh-CN" else " ").join(parts)

    def _shown(self, values: Mapping[str, object]) -> dict[str, str]:
        return {name: self._called(name, value) or self._written(value) for name, value in values.items()}

    def _called(self, name: str, value: object) -> str | None:
        """Return what a value that is itself a code is called: a field's name, a type that is wanted."""
        if name == "field" and isinstance(value, str):
            return self.field(value)
        if name == "wanted" and self.has(f"word.wanted-{value}"):
            return self.text(f"word.wanted-{value}")
        if name == "required" and self.has(f"word.requirement-{value}"):
            return self.text(f"word.requirement-{value}")
        return None

    def _written(self, value: object) -> str:
        match value:
            case datetime():
                return self.instant(value)
            case date():
                return self.date(value)
            case Decimal():
                return self.number(value)
            case Wording():
                return self.wording(value)
            case list() | tuple():
                return self.listed(self._written(item) for item in value)
            case set() | frozenset():
                return self.listed(sorted(self._written(item) for item in value))
            case _:
                return str(value)


class _Forgiving(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


@cache
def catalogue(language: Language) -> Catalogue:
    """Return the catalogue of one language."""
    content = files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    read: dict[str, dict[str, str]] = tomllib.loads(content)
    sections = {section: read.get(section, {}) for section in SECTIONS} | read
    return Catalogue(language=language, sections=sections)
