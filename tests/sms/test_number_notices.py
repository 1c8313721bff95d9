"""Number events over HTTP: what is taken, what is refused, and that nothing shows what is known."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import metrics
from core.db import Database
from records.tables import NUMBER, NUMBER_EVENT
from sms.links import registry
from sms.links.model import LinkKind, LinkState
from sms.links.registry import NewLink
from tests.e2e.wire import FORM, JSON
from tests.fakes import FixedClock
from tests.sms.door import HTTP, PHONE, SECOND, STRANGE, TWILIO, Door, opened
from tests.sms.test_webhook import check_problem

PATH = f"/sms/{HTTP}/numbers"
OTHER = "song-lam"


@pytest.fixture
def door(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Door]:
    with opened(sqlite_database, keys_dir, tmp_path / "door", clock, prefixes="091") as made:
        yield made


@pytest.fixture
def either(database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Door]:
    """A door over each kind of database."""
    with opened(database, keys_dir, tmp_path / "door", clock, prefixes="091") as made:
        yield made


def event(door: Door, kind: str = "sim_changed", **data: object) -> dict[str, object]:
    """Make a `number.…` event that is in order, but for *data*."""
    now = door.clock.now().isoformat()
    written: dict[str, object] = {"id": f"n-{next(door.serials)}", "number": PHONE}
    written |= {"happened_at": now, **data}
    return {"type": f"number.{kind}", "timestamp": now, "data": written}


def rows(door: Door, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    return list(door.database.inner.read(lambda s: s.execute(sa.select(table)).all()))


def counted(result: str, code: str = HTTP) -> float:
    return float(metrics.NUMBER_EVENTS.labels(code, result)._value.get())


@pytest.mark.parametrize(
    ("kind", "column", "more"),
    [
        ("sim_changed", "sim_changed_at", {}),
        ("ported", "ported_at", {"to": OTHER}),
        ("released", "left_at", {}),
        ("reassigned", "left_at", {}),
        ("barred", "barred_at", {"until": "2026-03-02T13:00:00+07:00"}),
    ],
)
def test_an_event_is_kept_and_acknowledged_by_its_id(
    door: Door, kind: str, column: str, more: dict[str, object]
) -> None:
    response = door.post(event(door, kind, id="theirs-1", **more), path=PATH)

    assert (response.status_code, response.mimetype) == (200, JSON)
    assert response.data == b'{"id":"theirs-1"}'
    (row,) = rows(door, NUMBER)
    assert getattr(row, column) == door.clock.now()


def test_t14_whether_the_number_is_known_or_theirs_does_not_show(either: Door) -> None:
    before = counted("not-served"), counted("unknown")

    answers = [
        either.post(event(either, id="same-id-of-all"[: 8 + place], number=number), path=PATH)
        for place, number in enumerate((PHONE, "+84901234567", "+12025550177", "nobody"))
    ]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({tuple(name for name, _ in answer.headers) for answer in answers}) == 1
    assert (counted("not-served"), counted("unknown")) == (before[0] + 1, before[1] + 2)
    assert len(rows(either, NUMBER_EVENT)) == 2


def test_a_repeat_is_acknowledged_alike_and_a_conflict_is_a_409(either: Door) -> None:
    made = event(either, id="theirs-1")
    first = either.post(made, path=PATH)

    assert either.post(made, path=PATH).data == first.data
    check_problem(either.post(event(either, "released", id="theirs-1"), path=PATH), 409)
    assert len(rows(either, NUMBER_EVENT)) == 1


def test_t9_an_operator_speaks_for_its_own_numbers_alone(door: Door) -> None:
    new = NewLink(
        code=OTHER, kind=LinkKind.HTTP, url="https://other.example", secret=SECOND, prefixes="090"
    )
    keyring, now = door.service.keyring, door.clock.now()
    door.database.inner.write(lambda s: registry.add(s, keyring, new, now))
    door.later(2)
    path = f"/sms/{OTHER}/numbers"

    door.post(event(door), path=path, secret=SECOND)
    (row,) = rows(door, NUMBER)
    assert row.sim_changed_at is None

    door.post(event(door, "ported", to=OTHER), path=PATH)
    door.later(1)
    door.post(event(door), path=path, secret=SECOND)
    (row,) = rows(door, NUMBER)
    assert row.sim_changed_at == door.clock.now()


MALFORMED: list[tuple[str, dict[str, object]]] = [
    ("sold", {}), ("sim_changed", {"id": ""}), ("sim_changed", {"id": "a b"}),
    ("sim_changed", {"number": ""}), ("sim_changed", {"number": None}),
    ("sim_changed", {"number": "x" * 101}), ("sim_changed", {"happened_at": None}),
    ("sim_changed", {"happened_at": "2026-03-02T05:10:01Z"}),
    ("sim_changed", {"happened_at": "2019-12-31T23:59:59Z"}),
    ("sim_changed", {"to": OTHER}), ("sim_changed", {"until": "2026-03-02T05:00:00Z"}),
    ("ported", {"to": ""}), ("ported", {"to": 7}), ("ported", {"to": HTTP}),
    ("ported", {"to": "x" * 33}),
    ("barred", {"until": "tomorrow"}), ("barred", {"until": 7}),
]  # fmt: skip


def test_what_the_contract_does_not_say_is_a_400(door: Door) -> None:
    for kind, change in MALFORMED:
        check_problem(door.post(event(door, kind, **change), path=PATH), 400)
    assert rows(door, NUMBER_EVENT) == []


def test_a_bar_may_end_long_from_now(door: Door) -> None:
    told = event(door, "barred", until="2036-01-01T00:00:00Z")

    assert door.post(told, path=PATH).status_code == 200


def test_t14_every_failure_to_authenticate_is_the_same_401(door: Door) -> None:
    made = event(door)
    old = door.clock.now() - timedelta(seconds=301)

    answers = [
        door.post(made, path=PATH, secret=STRANGE),
        door.post(made, path=PATH, at=old),
        door.post(made, path="/sms/nobody/numbers"),
        door.post(made, path=f"{PATH}/secret"),
        door.post(made, path=f"/sms/{TWILIO}/numbers", changes={"content-type": FORM}),
    ]

    for answer in answers:
        check_problem(answer, 401)
    assert rows(door, NUMBER_EVENT) == []


def test_a_disabled_link_and_a_database_that_is_away_keep_nothing(door: Door) -> None:
    link = door.service.links.get(HTTP)
    assert link is not None
    door.database.away = True
    check_problem(door.post(event(door), path=PATH), 503)
    door.database.away = False
    door.database.inner.write(lambda s: registry.set_state(s, link, LinkState.DISABLED))
    door.later(2)

    check_problem(door.post(event(door), path=PATH), 403)
    assert rows(door, NUMBER_EVENT) == []


def test_a_network_by_a_name_that_nobody_has_raises_an_alarm(door: Door) -> None:
    def alarms() -> float:
        return float(metrics.ALARMS.labels("unknown-network")._value.get())

    before = alarms()
    answers = [
        door.post(event(door, "ported"), path=PATH),
        door.post(event(door, "ported", to="mobiphone"), path=PATH),
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert alarms() == before + 1
