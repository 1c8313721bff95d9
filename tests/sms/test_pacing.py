"""How fast replies leave by a link that takes only so many a second."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from sms import outbox
from sms.lanes import Lanes
from sms.links.registry import LinkRegistry
from sms.pacing import Pacer
from sms.tables import LINK
from tests.sms.gateway import REAL, TEST, Gateway, stranger

RATE = 40


def limited(gateway: Gateway) -> Gateway:
    """Have a link take forty segments a second, of which four may be saved up."""
    limit = sa.update(LINK).where(LINK.c.code == TEST).values(send_rate=RATE)
    gateway.database.write(lambda s: s.execute(limit).close())
    gateway.clock.advance(timedelta(seconds=2))
    return gateway


@pytest.fixture
def paced(sqlite_gateway: Gateway) -> Gateway:
    """A gateway with such a link."""
    return limited(sqlite_gateway)


def pacer_of(gateway: Gateway) -> Pacer:
    links = LinkRegistry(gateway.database, gateway.keyring, gateway.clock)
    return Pacer(gateway.database, links, gateway.clock)


def use(gateway: Gateway, pacer: Pacer) -> int:
    """Send as much as a process may now, and say how much that was."""
    link_id, sent = gateway.link(TEST).id, 0
    while (room := pacer.rooms()[link_id]) > 0:
        pacer.started(link_id, room)
        sent += room
    return sent


def test_no_more_leave_in_a_second_than_were_agreed(paced: Gateway) -> None:
    pacer, sent = pacer_of(paced), 0
    use(paced, pacer)
    for _ in range(100):
        paced.clock.advance(timedelta(milliseconds=10))
        sent += use(paced, pacer)

    assert sent == RATE


def test_all_processes_together_keep_the_rate(gateway: Gateway) -> None:
    paced = limited(gateway)
    pacers, sent = [pacer_of(paced) for _ in range(3)], 0
    for pacer in pacers:
        use(paced, pacer)
    for _ in range(20):
        paced.clock.advance(timedelta(milliseconds=50))
        sent += sum(use(paced, pacer) for pacer in pacers)

    assert sent == RATE


def test_after_a_pause_or_a_restart_a_tenth_of_a_second_may_leave_at_once(paced: Gateway) -> None:
    use(paced, pacer_of(paced))
    paced.clock.advance(timedelta(hours=1))

    assert use(paced, pacer_of(paced)) == RATE // 10
    assert use(paced, pacer_of(paced)) == 0


def test_a_reply_of_several_segments_is_waited_out(paced: Gateway) -> None:
    pacer, link_id = pacer_of(paced), paced.link(TEST).id
    use(paced, pacer)
    paced.clock.advance(timedelta(milliseconds=25))
    assert pacer.rooms()[link_id] == 1
    pacer.started(link_id, 3)

    rooms = []
    for _ in range(3):
        paced.clock.advance(timedelta(milliseconds=25))
        rooms.append(pacer.rooms()[link_id])

    assert rooms == [-1, 0, 1]


def test_what_is_over_the_rate_waits_without_an_attempt(paced: Gateway) -> None:
    for number in range(6):
        paced.send(stranger(number), "HD")
    paced.handle()
    pacer, now = pacer_of(paced), paced.clock.now()
    pacer.rooms()
    paced.clock.advance(timedelta(milliseconds=25))
    rooms = Lanes(32).rooms(pacer.rooms())

    claimed = paced.database.write(
        lambda s: outbox.claim(s, now, limit=9, may_disclose=True, rooms=rooms)
    )

    assert len(claimed) == 1
    assert sorted(row.attempt for row in paced.replies()) == [0, 0, 0, 0, 0, 1]


def test_replies_over_a_rate_hide_none_that_stand_behind_them(gateway: Gateway) -> None:
    """However many of one operator's wait, those of the others leave in the same round."""
    for number in range(8):
        gateway.send(stranger(number), "HD")
    gateway.handle()
    gateway.clock.advance(timedelta(seconds=1))
    for number in range(8, 12):
        gateway.send(stranger(number), "HD", code=REAL)
    gateway.handle()
    paced, real = gateway.link(TEST).id, gateway.link(REAL).id

    def claim(limit: int, rooms: dict[int, int]) -> list[int]:
        now = gateway.clock.now()
        found = gateway.database.write(
            lambda s: outbox.claim(s, now, limit=limit, may_disclose=True, rooms=rooms)
        )
        assert len({one.id for one in found}) == len(found)
        return [one.link_id for one in found]

    assert claim(6, {paced: 2, real: 3}) == [paced] * 2 + [real] * 3
    assert claim(2, {paced: 1}) == [paced, real]
    assert sorted(row.attempt for row in gateway.replies()) == [0] * 5 + [1] * 7


def test_links_without_a_rate_cost_nothing(sqlite_gateway: Gateway) -> None:
    pacer = pacer_of(sqlite_gateway)

    assert pacer.rooms() == {}
    assert Lanes(32).rooms(pacer.rooms()) == {}
