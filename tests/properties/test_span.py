"""Spans: half open, never going back, and the same as counting on a calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.span import Span, SpanInvalid, parse_span, years
from creditbank.terms import years_after
from tests.reference.conversion_oracle import is_over

days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
spans = st.one_of(
    st.builds(Span, count=st.integers(1, 99), unit=st.just("y")),
    st.builds(Span, count=st.integers(1, 500), unit=st.just("m")),
    st.builds(Span, count=st.integers(1, 500), unit=st.sampled_from(("w", "d"))),
)


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
        ("1d", date.max, date.max),
        ("1y", date(9999, 5, 1), date.max),
        ("1m", date(9999, 12, 1), date.max),
    ],
)
def test_days_that_a_month_does_not_have(written: str, since: date, over: date) -> None:
    assert parse_span(written).after(since) == over


@pytest.mark.parametrize("written", ["", "7", "y", "0y", "100y", "7 y", "7y1m", "-1y", "٣y", "7y\n"])
def test_what_is_no_span_is_refused(written: str) -> None:
    with pytest.raises(SpanInvalid):
        parse_span(written)
