"""A bind runs once, on however many machines, and replies leave where it runs."""

from datetime import timedelta
from uuid import uuid4

from sms import outbox
from sms.lanes import Lanes, Width
from sms.links.model import Accepted
from sms.links.smpp import leases
from sms.links.smpp.leases import LEASE, Key
from tests.sms.gateway import Gateway, stranger
from tests.sms.smpp.stands import add_link, delivered, stand

OURS, THEIRS = uuid4(), uuid4()


def test_a_bind_is_held_by_one(gateway: Gateway) -> None:
    link, clock = add_link(gateway), gateway.clock
    keys = [Key(link.id, 0), Key(link.id, 1)]

    def hold(holder: object, *wanted: Key) -> set[Key]:
        now = clock.now()
        return gateway.database.write(lambda s: leases.hold(s, wanted, holder, now))  # type: ignore[arg-type]  # a UUID

    assert hold(OURS, keys[0]) == {keys[0]}
    assert hold(THEIRS, *keys) == {keys[1]}
    clock.advance(LEASE - timedelta(seconds=1))
    assert hold(OURS, *keys) == {keys[0]}
    clock.advance(timedelta(seconds=2))
    assert hold(OURS, *keys) == set(keys)
    assert hold(THEIRS, *keys) == set()
    gateway.database.write(lambda s: leases.release(s, OURS, clock.now()))
    assert hold(THEIRS, *keys) == set(keys)


def test_what_is_bound_is_told_while_its_lease_lasts(gateway: Gateway) -> None:
    link, clock = add_link(gateway), gateway.clock
    key, since = Key(link.id, 0), clock.now()
    write = gateway.database.write
    write(lambda s: leases.hold(s, [key], OURS, since))

    write(lambda s: leases.note(s, key, THEIRS, since))
    before = gateway.database.read(lambda s: leases.bound(s, link.id, since))
    write(lambda s: leases.note(s, key, OURS, since))
    held = gateway.database.read(lambda s: leases.bound(s, link.id, since))
    late = since + LEASE
    after = gateway.database.read(lambda s: leases.bound(s, link.id, late))
    write(lambda s: leases.hold(s, [key], THEIRS, late))
    taken_over = gateway.database.read(lambda s: leases.bound(s, link.id, late))

    assert (before, held, after, taken_over) == ([], [since], [], [])


class Elsewhere:
    """A gate of a process that holds some binds, or none."""

    def __init__(self, widths: dict[int, Width]) -> None:
        self.given = widths
        self.segments = 0

    def widths(self) -> dict[int, Width]:
        """Say how many."""
        return self.given

    def started(self, link_id: int, segments: int) -> None:
        """Count the segments of links that have a gate."""
        self.segments += segments * (link_id in self.given)


def test_a_reply_is_claimed_only_where_its_link_is_bound(gateway: Gateway) -> None:
    smpp = stand(gateway)
    smpp.take(delivered("HD"))
    gateway.send(stranger(), "HD")
    gateway.handle()

    def claim(lanes: Lanes) -> list[int]:
        now, rooms = gateway.clock.now(), lanes.rooms()
        found = gateway.database.write(
            lambda s: outbox.claim(s, now, limit=9, may_disclose=True, rooms=rooms)
        )
        return [one.link_id for one in found]

    assert claim(Lanes(32, Elsewhere({smpp.link.id: Width(0, 5)}))) == [
        gateway.link("playground").id
    ]
    assert claim(Lanes(32, Elsewhere({smpp.link.id: Width(10, 0)}))) == []
    assert claim(Lanes(32, Elsewhere({smpp.link.id: Width(10, 5)}))) == [smpp.link.id]


def test_a_window_and_a_rate_are_both_kept() -> None:
    gate = Elsewhere({1: Width(under_way=3, starts=9)})
    lanes = Lanes(32, gate)

    lanes.started(1, 2)
    lanes.started(1, 1)
    lanes.started(2, 1)

    assert lanes.rooms() == {1: 1, 2: 29}
    assert gate.segments == 3
    gate.given = {1: Width(under_way=10, starts=2)}
    assert lanes.rooms()[1] == 2
    lanes.ended(1, Accepted())
    assert lanes.rooms()[1] == 2
