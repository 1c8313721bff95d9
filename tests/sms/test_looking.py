"""Look before a reply is sent again: where a double cannot be told from a first copy."""

from dataclasses import dataclass, field, replace

import pytest

from sms import outbox
from sms.dispatch import NotStarted, ReplyState, Result
from sms.links.model import Accepted, Link, LinkKind, Outcome, Outgoing, Refused, Unknown
from sms.outbox import LEASE
from tests.sms.gateway import Gateway, stranger


@dataclass(slots=True)
class Looker:
    """Says what a test wants to be found."""

    found: Accepted | Refused | None = None
    asked: list[str] = field(default_factory=list)

    async def look(self, _link: Link, outgoing: Outgoing) -> Accepted | Refused | None:
        """Answer."""
        self.asked.append(outgoing.id)
        return self.found


@pytest.fixture
def looker() -> Looker:
    return Looker()


@pytest.fixture
def looking(sqlite_gateway: Gateway, looker: Looker) -> Gateway:
    """A gateway that looks before it sends again, with one reply in its outbox."""
    delivery = sqlite_gateway.delivery
    sqlite_gateway.delivery = replace(delivery, lookers={LinkKind.HTTP: looker})
    sqlite_gateway.send(stranger(), "HD")
    sqlite_gateway.handle()
    return sqlite_gateway


def attempt(gateway: Gateway, *, outcome: Outcome | None = None) -> Outcome | NotStarted:
    """Claim the one reply, start it, and record what came of it."""
    gateway.clock.advance(LEASE)
    if outcome is not None:
        gateway.operator.outcome = lambda _reply: outcome
    (claimed,) = gateway.claim()
    found = gateway.deliver(claimed, []).outcome
    now = gateway.clock.now()
    gateway.database.write(lambda s: outbox.record(s, [Result(claimed, found)], now))
    return found


def test_a_first_attempt_is_made_without_looking(looking: Gateway, looker: Looker) -> None:
    assert attempt(looking) == Accepted()
    assert looker.asked == []


def test_a_refusal_leaves_no_doubt_to_look_into(looking: Gateway, looker: Looker) -> None:
    attempt(looking, outcome=Refused("status-503", retryable=True))

    assert attempt(looking, outcome=Accepted()) == Accepted()
    assert looker.asked == []


def test_what_is_found_is_accepted_and_not_sent_again(looking: Gateway, looker: Looker) -> None:
    attempt(looking, outcome=Unknown("timeout"))
    looker.found = Accepted("SM1")

    assert attempt(looking) == Accepted("SM1")

    (row,) = looking.replies()
    assert (row.state, row.provider_id, row.attempt) == (ReplyState.ACCEPTED, "SM1", 2)
    assert looking.operator.received == []


def test_what_is_not_found_is_sent_again(looking: Gateway, looker: Looker) -> None:
    attempt(looking, outcome=Unknown("timeout"))

    assert attempt(looking, outcome=Accepted("SM2")) == Accepted("SM2")
    assert len(looker.asked) == len(looking.operator.received) == 1


def test_who_cannot_look_does_not_send_and_keeps_the_doubt(
    looking: Gateway, looker: Looker
) -> None:
    attempt(looking, outcome=Unknown("timeout"))
    looker.found = Refused("not-looked", retryable=True)

    attempt(looking)

    (row,) = looking.replies()
    assert (row.state, row.unknowns, row.reason) == (ReplyState.QUEUED, 1, "not-looked")
    assert looking.operator.received == []


def test_a_claim_that_a_dead_process_left_is_looked_into(looking: Gateway, looker: Looker) -> None:
    looking.claim()  # and killed: nobody says what came of it
    looker.found = Accepted("SM3")

    assert attempt(looking) == Accepted("SM3")


def test_a_look_that_takes_too_long_starts_nothing(looking: Gateway, looker: Looker) -> None:
    attempt(looking, outcome=Unknown("timeout"))
    looking.clock.advance(LEASE)
    (claimed,) = looking.claim()

    outcome = looking.start(claimed, looking.clock.monotonic() - 0.001)

    assert (outcome, len(looker.asked)) == (NotStarted(), 1)
