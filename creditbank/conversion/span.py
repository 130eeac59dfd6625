"""A length of time as regulations state it: whole years, months, weeks or days, never a mixture."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from creditbank.errors import InvalidInput

SpanUnit = Literal["y", "m", "w", "d"]
SPAN_PATTERN = r"^[1-9][0-9]{0,3}[ymwd]$"
_SPAN = re.compile(SPAN_PATTERN)
_YEARS_MAX = 99
_MONTHS_A_YEAR = 12
_PER_YEAR = {"y": 1, "m": 12, "w": 52, "d": 365}
_UNITS: tuple[SpanUnit, ...] = get_args(SpanUnit)


class SpanInvalid(InvalidInput):
    """A length of time is not one, or longer than a life."""

    code = "span-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """So many years, months, weeks or days.

    Raises:
        SpanInvalid: `span-out-of-range`.
    """

    count: int
    unit: SpanUnit

    def __post_init__(self) -> None:
        assert self.unit in _UNITS, f"{self.unit} is no unit of time here"
        if not 1 <= self.count <= _YEARS_MAX * _PER_YEAR[self.unit]:
            raise SpanInvalid("span-out-of-range", field="span", value=self.text, years=_YEARS_MAX)

    @property
    def text(self) -> str:
        """The span as packs write it: 7y, 6m, 2w, 30d."""
        return f"{self.count}{self.unit}"

    def after(self, day: date) -> date:
        """Return the day on which the span since `day` is over.

        The anniversary of a day that its month or year does not have is the first of the next month:
        that of 29 February is 1 March. Beyond the calendar it is the last day there is.
        """
        if self.unit in ("w", "d"):
            days = self.count * (7 if self.unit == "w" else 1)
            return date.max if days > (date.max - day).days else day + timedelta(days=days)
        months = self.count * (_MONTHS_A_YEAR if self.unit == "y" else 1)
        year, month = divmod(day.year * _MONTHS_A_YEAR + day.month - 1 + months, _MONTHS_A_YEAR)
        if year > date.max.year:
            return date.max
        try:
            return date(year, month + 1, day.day)
        except ValueError:
            following, first = divmod(year * _MONTHS_A_YEAR + month + 1, _MONTHS_A_YEAR)
            return date(following, first + 1, 1)

    def oldest(self, as_of: date) -> date:
        """Return the first day since which the span is not over on the day `as_of`."""
        low, high = max(1, as_of.toordinal() - self._days_most), as_of.toordinal()
        while low < high:
            middle = (low + high) // 2
            if as_of < self.after(date.fromordinal(middle)):
                high = middle
            else:
                low = middle + 1
        return date.fromordinal(low)

    @property
    def _days_most(self) -> int:
        return self.count * {"y": 366, "m": 31, "w": 7, "d": 1}[self.unit] + 31


def parse_span(text: str) -> Span:
    """Read a span as packs write it.

    Raises:
        SpanInvalid: `span-unreadable` or `span-out-of-range`.
    """
    if not _SPAN.fullmatch(text):
        raise SpanInvalid("span-unreadable", field="span", value=text)
    unit = next(unit for unit in _UNITS if unit == text[-1])
    return Span(count=int(text[:-1]), unit=unit)


def years(count: int) -> Span:
    """Return a span of whole years."""
    return Span(count=count, unit="y")
