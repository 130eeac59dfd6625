"""A length of time as regulations state it: whole years, months, weeks or days, or some of each."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from creditbank.errors import InvalidInput

SpanUnit = Literal["y", "m", "w", "d"]
_UNITS: tuple[SpanUnit, ...] = get_args(SpanUnit)
SPAN_PATTERN = r"^([1-9][0-9]{0,3}[ymwd]){1,4}$"
_SPAN = re.compile("".join(f"([1-9][0-9]{{0,3}}{unit})?" for unit in _UNITS))
_YEARS_MAX = 99
_MONTHS_A_YEAR = 12
_PER_YEAR = {"y": 1, "m": 12, "w": 52, "d": 365}


class SpanInvalid(InvalidInput):
    """A length of time is not one, or longer than a life."""

    code = "span-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """So many years, then months, weeks and days; each at least one, or left out.

    Raises:
        SpanInvalid: `span-out-of-range` for a part that is 0 or as long as a life.
    """

    parts: tuple[tuple[int, SpanUnit], ...]

    def __post_init__(self) -> None:
        units = [_UNITS.index(unit) for _, unit in self.parts]
        assert units == sorted(set(units)), f"{self.text} does not go from years down to days"
        if not units or any(not 1 <= count <= _YEARS_MAX * _PER_YEAR[unit] for count, unit in self.parts):
            raise SpanInvalid("span-out-of-range", field="span", value=self.text, years=_YEARS_MAX)

    @property
    def text(self) -> str:
        """The span as packs write it: 7y, 6m, 2w, 30d, 2y1d."""
        return "".join(f"{count}{unit}" for count, unit in self.parts)

    def after(self, day: date) -> date:
        """Return the day on which the span since `day` is over: its months later, and then its days.

        The anniversary of a day that its month or year does not have is the first of the next month:
        that of 29 February is 1 March. Beyond the calendar it is the last day there is.
        """
        later = _months_later(day, self._months)
        days = self._days
        return date.max if days > (date.max - later).days else later + timedelta(days=days)

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

    def newest(self, as_of: date) -> date:
        """Return the last day since which the span is over on the day `as_of`."""
        return date.fromordinal(max(1, self.oldest(as_of).toordinal() - 1))

    @property
    def _months(self) -> int:
        return sum(count * {"y": _MONTHS_A_YEAR, "m": 1}.get(unit, 0) for count, unit in self.parts)

    @property
    def _days(self) -> int:
        return sum(count * {"w": 7, "d": 1}.get(unit, 0) for count, unit in self.parts)

    @property
    def _days_most(self) -> int:
        return self._months * 31 + self._days + 31


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * _MONTHS_A_YEAR + day.month - 1 + months, _MONTHS_A_YEAR)
    if year > date.max.year:
        return date.max
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        following, first = divmod(year * _MONTHS_A_YEAR + month + 1, _MONTHS_A_YEAR)
        return date(following, first + 1, 1)


def parse_span(text: str) -> Span:
    """Read a span as packs write it.

    Raises:
        SpanInvalid: `span-unreadable` or `span-out-of-range`.
    """
    found = _SPAN.fullmatch(text)
    if not text or found is None:
        raise SpanInvalid("span-unreadable", field="span", value=text)
    written = zip(found.groups(), _UNITS, strict=True)
    return Span(parts=tuple((int(part[:-1]), unit) for part, unit in written if part is not None))


def years(count: int) -> Span:
    """Return a span of whole years."""
    return Span(parts=((count, "y"),))
