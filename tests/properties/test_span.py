"""Spans: half open, never going back, and the same as counting on a calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.span import Span, SpanInvalid, SpanUnit, parse_span, years
from creditbank.terms import years_after
from tests.reference.conversion_oracle import is_over

days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
MOST: dict[SpanUnit, int] = {"y": 99, "m": 500, "w": 500, "d": 500}


@st.composite
def of_parts(draw: st.DrawFn) -> Span:
    units = draw(st.sets(st.sampled_from(tuple(MOST)), min_size=1, max_size=3))
    return Span(parts=tuple((draw(st.integers(1, MOST[unit])), unit) for unit in MOST if unit in units))


spans = of_parts()


@given(spans)
def test_a_span_is_read_as_it_is_written(span: Span) -> None:
    assert parse_span(span.text) == span


@given(spans, days, st.integers(-40, 40))
def test_a_span_is_over_from_the_day_that_the_calendar_says(span: Span, since: date, offset: int) -> None:
    day = span.after(since) + timedelta(days=offset)
    assert (day >= span.after(since)) == is_over(span, since, day)


@given(spans, days, st.integers(1, 400))
def test_what_began_later_is_never_over_earlier(span: Span, since: date, later: int) -> None:
    assert span.after(since) <= span.after(since + timedelta(days=later))


@given(spans, days)
def test_the_oldest_day_is_the_first_that_is_not_over(span: Span, as_of: date) -> None:
    oldest = span.oldest(as_of)
    assert as_of < span.after(oldest)
    assert oldest == date.min or as_of >= span.after(oldest - timedelta(days=1))


@given(spans, days)
def test_the_newest_day_is_the_last_that_is_over(span: Span, as_of: date) -> None:
    newest = span.newest(as_of)
    assert newest == date.min or as_of >= span.after(newest)
    assert as_of < span.after(newest + timedelta(days=1))


@given(st.integers(1, 99), days)
def test_years_are_those_of_the_terms(count: int, since: date) -> None:
    assert years(count).after(since) == years_after(since, count)


@pytest.mark.parametrize(
    ("written", "since", "over"),
    [
        ("1m", date(2025, 1, 31), date(2025, 3, 1)),
        ("1y", date(2024, 2, 29), date(2025, 3, 1)),
        ("12m", date(2024, 2, 29), date(2025, 3, 1)),
        ("2w", date(2025, 2, 20), date(2025, 3, 6)),
        ("2y1d", date(2023, 9, 1), date(2025, 9, 2)),
        ("1m1d", date(2025, 1, 31), date(2025, 3, 2)),
        ("1y6m", date(2024, 2, 29), date(2025, 8, 29)),
        ("1d", date.max, date.max),
        ("1y", date(9999, 5, 1), date.max),
        ("1m", date(9999, 12, 1), date.max),
    ],
)
def test_days_that_a_month_does_not_have(written: str, since: date, over: date) -> None:
    assert parse_span(written).after(since) == over


@pytest.mark.parametrize(
    "written", ["", "7", "y", "0y", "100y", "7 y", "1m7y", "7y7y", "7y0d", "-1y", "٣y", "7y\n"]
)
def test_what_is_no_span_is_refused(written: str) -> None:
    with pytest.raises(SpanInvalid):
        parse_span(written)
