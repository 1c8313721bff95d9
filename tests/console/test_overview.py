"""The overview: what the last day was like, drawn from the tally."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from console import charts
from console.access.roles import Role
from console.queries import overview
from sms import queue, tally
from sms.tally import HOUR, TALLIED, TALLY
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


def counted(at: datetime, link_id: int, command: str, reply: str) -> dict[str, object]:
    return {"minute": at, "link_id": link_id, "command": command, "messages": 10,
            "state": "answered" if reply else "refused", "reply": reply}  # fmt: skip


def timed(at: datetime, p50: int | None) -> dict[str, object]:
    return {"minute": at, "handed_over": 0 if p50 is None else 3, "p50_us": p50,
            "p95_us": p50, "p99_us": p50}  # fmt: skip


def test_a_week_is_added_up_by_its_steps(house: House) -> None:
    step, minute = timedelta(hours=2), timedelta(minutes=1)
    since = house.clock.now() - timedelta(days=7)
    until = house.clock.now()

    def add(session: sa.orm.Session) -> None:
        session.execute(sa.insert(TALLY), [
            counted(since - minute, 1, "DC", "PIN"),
            counted(since, 1, "DC", "PIN"),
            counted(since, 1, "XN", "RESULT"),
            counted(since + step - minute, 1, "DC", "PIN"),
            counted(since + step, 2, "DC", "PIN"),
            counted(until - minute, 9, "DC", ""),
            counted(until, 1, "DC", "PIN"),
        ])  # fmt: skip
        session.execute(sa.insert(TALLIED), [
            timed(since - minute, 9_000_000), timed(since, 100_000), timed(since + minute, 300_000),
            timed(since + step, None), timed(until - minute, 250_000), timed(until, 9_000_000),
        ])  # fmt: skip

    def load() -> overview.Day:
        return house.database.read(
            lambda s: overview.load(s, {1: "a", 2: "b"}, since=since, until=until, step=step)
        )

    house.database.write(add)
    week = load()
    for hour in (since - HOUR, since, since + HOUR, since + step):
        house.database.write(partial(tally._add_up, hour=hour))
    again = load()

    assert len(week.labels) == 84
    assert {code: dict(_counted(values)) for code, values in week.by_link.items()} == {
        "a": {0: 30}, "b": {1: 10}, "–": {83: 10},
    }  # fmt: skip
    assert (week.messages, week.states) == (50, {"answered": 40, "refused": 10})
    assert week.replies == {"PIN": 30, "RESULT": 10}
    assert dict(_counted(week.p50)) == {0: 0.3, 83: 0.25}
    assert week.p50 == week.p95 == week.p99
    assert again == week, "whole hours and the minutes after them come to the same"


def test_who_waits_longest_is_told(house: House) -> None:
    assert house.database.read(queue.oldest) is None
    house.gateway.send("+84987000801", "HD")
    first = house.clock.now()
    house.clock.advance(timedelta(seconds=5))
    house.gateway.send("+84987000802", "HD")

    assert house.database.read(queue.oldest) == first


def _counted(values: Sequence[float | None]) -> Iterator[tuple[int, float]]:
    return ((place, value) for place, value in enumerate(values) if value)


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
