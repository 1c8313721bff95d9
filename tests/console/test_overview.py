"""The overview: what the last day was like, drawn from the tally."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from console import charts
from console.access.roles import Role
from sms.tally import TALLIED, TALLY
from tests.console.conftest import House


@pytest.mark.parametrize("since", ["1h", "24h", "7d", "nonsense"])
def test_the_overview_draws_what_was_tallied(house: House, since: str) -> None:
    minute = house.clock.now() - timedelta(minutes=10)

    def add(session: sa.orm.Session) -> None:
        session.execute(
            sa.insert(TALLY),
            {"minute": minute, "link_id": 1, "command": "DC", "state": "answered",
             "reply": "PIN", "messages": 12345},
        )  # fmt: skip
        session.execute(
            sa.insert(TALLIED),
            {"minute": minute, "handed_over": 9, "p50_us": 50_000, "p95_us": 90_000,
             "p99_us": 400_000},
        )  # fmt: skip

    house.database.write(add)
    visit = house.entered("lan", Role.VIEWER)

    status, text = visit.get(f"/console/?since={since}")

    assert status == 200
    assert "12.345" in text
    assert '<rect class="s0"' in text
    assert "0,40 s" in text


def test_an_idle_day_has_no_charts(house: House) -> None:
    status, text = house.entered("lan", Role.VIEWER).get("/console/")

    assert status == 200
    assert "<rect" not in text
    assert "Chưa có tin nào" in text


@given(st.lists(st.lists(st.integers(0, 10**7), min_size=3, max_size=3), max_size=4))
def test_columns_stay_within_their_frame(series: list[list[int]]) -> None:
    named = {f"s{place}": values for place, values in enumerate(series)}

    bars, top = charts.columns(named, ["a", "b", "c"])

    assert all(bar.y >= -0.01 and bar.y + bar.height <= charts.HEIGHT + 0.01 for bar in bars)
    assert all(bar.x >= 0 and bar.x + bar.width <= charts.WIDTH for bar in bars)
    assert top >= max((sum(place) for place in zip(*series, strict=True)), default=0)


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 10**6)))
def test_shares_make_the_whole(counts: dict[str, int]) -> None:
    found = charts.shares(counts)

    assert sum(share.count for share in found) == sum(counts.values())
    assert not found or abs(sum(share.width for share in found) - charts.WIDTH) < 0.01
