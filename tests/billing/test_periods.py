from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import PeriodError
from billing.periods import Period

PERIODS = st.builds(Period, st.integers(2020, 2099), st.integers(1, 12))


def test_a_month_begins_at_midnight_in_viet_nam() -> None:
    october = Period.parse("2026-10")

    assert october.starts_at == datetime(2026, 9, 30, 17, tzinfo=UTC)
    assert october.ends_at == datetime(2026, 10, 31, 17, tzinfo=UTC)
    assert (october.first_day, october.last_day) == (date(2026, 10, 1), date(2026, 10, 31))


@given(PERIODS)
def test_months_follow_each_other_without_gap(period: Period) -> None:
    assert period.following.preceding == period.preceding.following == period
    assert period.following.starts_at == period.ends_at
    assert Period.of(period.ends_at - timedelta(microseconds=1)) == period
    assert Period.of(period.ends_at) == period.following
    assert Period.parse(str(period)) == period


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-1", "10/2026", "2026-10-01", "٢٠٢٦-10"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(PeriodError):
        Period.parse(text)
