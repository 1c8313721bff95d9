"""How many replies of a link leave by this process: its rate, and the windows of its sessions."""

from dataclasses import dataclass
from typing import cast

from sms.lanes import Width
from sms.links.smpp.connection import Connection
from sms.links.smpp.roster import Roster


@dataclass(slots=True)
class Session:
    """A session that counts what is in flight."""

    is_bound: bool = True
    in_flight: int = 0


@dataclass(slots=True)
class Watch:
    """A clock that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def joined(roster: Roster, session: Session) -> Connection:
    """Have a session take part."""
    connection = cast("Connection", session)
    roster.join(1, connection, sends=True, receives=True)
    return connection


def test_the_rate_counts_segments_and_survives_a_connection() -> None:
    watch = Watch()
    roster = Roster(watch)
    roster.expect({1: ("telco", 10, 50)})
    first = joined(roster, Session())

    watch.now = 60.0
    rested = roster.widths()[1]
    roster.started(1, 3)
    roster.started(1, 4)
    roster.leave(1, first)
    joined(roster, Session())
    after = roster.widths()[1]
    watch.now += 0.1
    later = roster.widths()[1]

    assert rested == Width(under_way=10, starts=5)  # a tenth of a second's rate at once
    assert after == Width(under_way=10, starts=-2)
    assert later == Width(under_way=10, starts=3)


def test_windows_of_several_sessions_add_up_and_the_freest_is_taken() -> None:
    roster = Roster(Watch())
    roster.expect({1: ("telco", 10, 50), 2: ("elsewhere", 10, 50)})
    busy, free, gone = Session(in_flight=9), Session(in_flight=2), Session(is_bound=False)
    freest = [joined(roster, session) for session in (busy, free, gone)][1]

    assert roster.widths()[1].under_way == 20
    assert roster.widths()[2].under_way == 0
    assert roster.choose(1) is freest
    assert roster.choose(2) is None
    free.in_flight = busy.in_flight = 10
    assert roster.choose(1) is None


def test_a_link_that_is_no_more_takes_nothing() -> None:
    roster = Roster(Watch())
    roster.expect({1: ("telco", 10, 50)})
    joined(roster, Session())

    roster.expect({})

    assert roster.widths() == {}
    assert roster.choose(1) is None
