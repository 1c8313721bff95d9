"""How many replies of a link leave by this process: its rate, and the windows of its sessions."""

from dataclasses import dataclass, field
from typing import cast

from sms.lanes import Width
from sms.links.smpp.conduct import Conduct
from sms.links.smpp.connection import Connection
from sms.links.smpp.pdu import Command, Pdu
from sms.links.smpp.roster import Roster


@dataclass(slots=True)
class Session:
    """A session that counts what is in flight."""

    is_bound: bool = True
    in_flight: int = 0
    conduct: Conduct = field(default_factory=Conduct)


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


def test_of_sessions_equally_free_the_one_that_rested_longest_is_taken() -> None:
    roster = Roster(Watch())
    roster.expect({1: ("telco", 10, 50)})
    sessions = [Session() for _ in range(3)]
    connections = [joined(roster, session) for session in sessions]
    for session, used_at in zip(sessions, (7.0, 5.0, 6.0), strict=True):
        session.conduct.used_at = used_at

    assert roster.choose(1) is connections[1]


def test_a_sick_host_is_used_only_where_the_well_one_has_no_room() -> None:
    watch = Watch()
    roster = Roster(watch)
    roster.expect({1: ("telco", 10, 50)})
    sick, well = Session(), Session(in_flight=9)
    first, second = joined(roster, sick), joined(roster, well)
    sick.conduct.answered(Pdu(Command.SUBMIT_SM_RESP, 1, 0x08), 0.0)

    assert roster.choose(1) is second
    well.in_flight = 10
    assert roster.choose(1) is first
    well.in_flight = 9
    watch.now = 21.0  # long enough ago to be tried again
    assert roster.choose(1) is first
    sick.conduct.answered(Pdu(Command.SUBMIT_SM_RESP, 2, 0x08), 21.0)
    watch.now = 42.0
    assert roster.choose(1) is second
    sick.conduct.answered(Pdu(Command.SUBMIT_SM_RESP, 3, 0x0B), 42.0)  # no such number: it is well
    assert roster.choose(1) is first


def test_where_no_host_is_well_the_next_attempt_is_made_at_another() -> None:
    roster = Roster(Watch())
    roster.expect({1: ("telco", 10, 50)})
    worse, bad = Session(), Session()
    first, _ = (joined(roster, session) for session in (worse, bad))
    for session, count in ((worse, 4), (bad, 1)):
        for _ in range(count):
            session.conduct.answered(Pdu(Command.SUBMIT_SM_RESP, 1, 0x08), 0.0)
    bad.conduct.used_at = 1.0

    assert roster.choose(1) is first


def test_a_session_is_of_no_use_once_three_in_a_row_stayed_without_an_answer() -> None:
    conduct = Conduct()

    assert [conduct.was_silent(at, at + 5.0) for at in (0.0, 0.0, 13.0, 26.0)] == [
        False, False, False, True,
    ]  # fmt: skip
    conduct.answered_late()
    assert not conduct.was_silent(39.0, 44.0)
    assert conduct.is_troubled(44.0 + 319.0)  # five of them: 10 s, doubled five times
    assert not conduct.is_troubled(44.0 + 321.0)


def test_a_link_that_is_no_more_takes_nothing() -> None:
    roster = Roster(Watch())
    roster.expect({1: ("telco", 10, 50)})
    joined(roster, Session())

    roster.expect({})

    assert roster.widths() == {}
    assert roster.choose(1) is None


def test_a_link_that_was_not_looked_at_yet_has_no_room() -> None:
    roster = Roster(Watch(), lambda: [1, 2])
    roster.expect({1: ("telco", 10, 50)})
    joined(roster, Session())

    assert roster.widths()[1].under_way == 10
    assert roster.widths()[2] == Width(under_way=0, starts=0)
