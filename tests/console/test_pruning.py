"""Rows that have no more effect go, what still has one stays, and entries tell of all of it."""

from datetime import timedelta
from uuid import uuid4

import sqlalchemy as sa

from console import pruning, reveals
from console.access import invitations, throttle
from console.access.invitations import InvitationKind
from console.access.roles import Role
from console.reveals import Part
from console.tables import INVITATION, LOGIN_THROTTLE, REVEAL
from tests.console.conftest import FROM_HERE, House
from tests.console.test_reveals import ask, asked, told

SECOND = timedelta(seconds=1)


def prune(house: House) -> int:
    now = house.clock.now()
    return house.database.write(lambda session: pruning.prune(session, now))


def left(house: House, table: sa.Table) -> int:
    return len(house.gateway.rows(table))


def fail(house: House, name: str, times: int) -> bool:
    """Fail to log in; tell whether the last time was free."""
    keys, now = throttle.keys_of(name, name), house.clock.now()
    tries = [
        house.database.write(lambda s: throttle.count_attempt(s, keys, now)) for _ in range(times)
    ]
    return tries[-1]


def test_failures_are_kept_as_long_as_they_slow_anybody(house: House) -> None:
    fail(house, "lan", 9)
    house.clock.advance(timedelta(hours=24))
    fail(house, "hoa", 9)

    kept = prune(house), left(house, LOGIN_THROTTLE)
    house.clock.advance(SECOND)
    gone = prune(house), left(house, LOGIN_THROTTLE)

    assert (kept, gone) == ((0, 4), (2, 2))
    assert not fail(house, "hoa", 1)
    assert fail(house, "lan", 1)


def test_a_flood_of_names_goes_some_at_a_time(house: House) -> None:
    keys, now = (bytes([n // 256, n % 256]) * 16 for n in range(1500)), house.clock.now()
    rows = [{"key": each, "failures": 1, "last_at": now} for each in keys]
    house.database.write(lambda s: s.execute(sa.insert(LOGIN_THROTTLE), rows).close())
    house.clock.advance(timedelta(hours=25))

    assert [prune(house) for _ in range(3)] == [1000, 500, 0]


def test_invitations_go_when_they_open_nothing(house: House) -> None:
    used, waiting = (
        house.invited(house.officer(name, Role.VIEWER), InvitationKind.ENTER)
        for name in ("lan", "hoa")
    )
    house.app.test_client().post(f"/console/invitation/{used}", headers=FROM_HERE)

    first = prune(house)
    open_still = house.database.read(lambda s: invitations.find(s, waiting, house.clock.now()))
    house.clock.advance(invitations.LIFE)
    second = prune(house)

    assert (first, second, left(house, INVITATION)) == (1, 1, 0)
    assert open_still is not None


def test_a_reveal_is_listed_for_ninety_days_and_told_by_its_entry_for_longer(house: House) -> None:
    _person, message_id = asked(house)
    minh = house.entered("minh", Role.INVESTIGATOR)
    assert ask(minh, message_id, "number") == 303
    officer = minh.officer()
    house.clock.advance(timedelta(days=90))
    newer, now = uuid4(), house.clock.now()
    house.database.write(
        lambda s: reveals.add(
            s, newer, message_id, [Part.NUMBER], officer=officer, entry_id=uuid4(), now=now
        )
    )

    prune(house)
    kept = left(house, REVEAL)
    house.clock.advance(SECOND)
    prune(house)

    assert kept == 2
    assert [row.id for row in house.gateway.rows(REVEAL)] == [newer]
    acts = [each["act"] for each in told(house) if "act" in each]
    assert acts == ["reveal-ask", "login"]
