"""The outbox: what may be claimed, and what each outcome does to a reply."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core import databases
from journal.tables import JOURNAL_PENDING
from records import stop_file, stops
from records.pins import PinPolicy
from records.stops import Order, Scope, StopReason
from sms import outbox, writing
from sms.dispatch import Claimed, NotStarted, ReplyState, Result
from sms.links import registry
from sms.links.model import Accepted, LinkState, Outcome, Refused, Unknown
from sms.outbox import LEASE
from sms.replies import ReplyClass
from sms.tables import LINK, OUTBOUND
from tests.sms.gateway import POLICY, REAL, TEST, Gateway, stranger

TICK = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
LATER = Refused("status-503", retryable=True)
NEVER = Refused("status-400", retryable=False)
UNKNOWN = Unknown("timeout")


@pytest.fixture
def waiting(gateway: Gateway) -> Gateway:
    """A gateway with one reply, a HELP, in its outbox."""
    gateway.send(stranger(), "HD")
    gateway.handle()
    return gateway


def claim(gateway: Gateway) -> Claimed:
    (claimed,) = gateway.claim()
    return claimed


def record(gateway: Gateway, claimed: Claimed, outcome: Outcome | NotStarted) -> None:
    now = gateway.clock.now()
    gateway.database.write(lambda s: outbox.record(s, [Result(claimed, outcome)], now))


def only(gateway: Gateway) -> sa.Row[tuple[object, ...]]:
    (row,) = gateway.replies()
    return row


def expire(gateway: Gateway) -> None:
    now = gateway.clock.now()
    gateway.database.write(lambda s: outbox.expire(s, now))


def stop(gateway: Gateway, scope: Scope, key: str = "") -> None:
    now = gateway.clock.now()
    gateway.database.write(
        lambda s: stops.stop(
            s, Order(scope=scope, key=key, reason=StopReason.SECURITY, by="tests"), now
        )
    )


def test_an_accepted_reply_is_over_and_its_text_gone(waiting: Gateway) -> None:
    claimed = claim(waiting)

    record(waiting, claimed, Accepted("theirs-1"))

    row = only(waiting)
    assert (row.state, row.blob, row.provider_id) == (ReplyState.ACCEPTED, None, "theirs-1")
    assert row.accepted_at == waiting.clock.now()
    waiting.clock.advance(LEASE * 2)
    assert waiting.claim() == []


def test_the_text_in_the_outbox_is_encrypted(waiting: Gateway) -> None:
    assert b"CSDLDC" not in only(waiting).blob
    assert stranger()[3:].encode() not in only(waiting).blob


def test_what_is_claimed_is_not_claimed_again(waiting: Gateway) -> None:
    claim(waiting)

    assert waiting.claim() == []


def test_a_late_sender_changes_nothing(waiting: Gateway) -> None:
    asleep = claim(waiting)
    waiting.clock.advance(LEASE)
    awake = claim(waiting)

    for outcome in (Accepted("late"), NEVER, LATER, UNKNOWN, NotStarted()):
        record(waiting, asleep, outcome)

    row = only(waiting)
    assert (row.state, row.attempt, row.provider_id) == (ReplyState.SENDING, 2, None)
    record(waiting, awake, Accepted("mine"))
    assert only(waiting).provider_id == "mine"


def test_a_lease_that_runs_out_may_have_gone_out(waiting: Gateway) -> None:
    first = claim(waiting)
    waiting.clock.advance(LEASE - TICK)
    assert waiting.claim() == []
    waiting.clock.advance(TICK)

    second = claim(waiting)
    waiting.clock.advance(LEASE)
    third = waiting.claim()

    assert (first.unknowns, second.unknowns, third) == (0, 1, [])
    row = only(waiting)
    assert (row.state, row.blob, row.reason) == (ReplyState.UNKNOWN, None, "unknown-twice")


def test_unknown_twice_is_the_end(waiting: Gateway) -> None:
    record(waiting, claim(waiting), UNKNOWN)
    assert only(waiting).state == ReplyState.QUEUED
    waiting.clock.advance(2 * SECOND)

    record(waiting, claim(waiting), UNKNOWN)

    row = only(waiting)
    assert (row.state, row.blob, row.attempt) == (ReplyState.UNKNOWN, None, 2)
    waiting.clock.advance(LEASE)
    assert waiting.claim() == []


def test_a_refusal_between_two_unknowns_forgets_neither(waiting: Gateway) -> None:
    for outcome in (UNKNOWN, LATER, LATER, UNKNOWN):
        record(waiting, claim(waiting), outcome)
        waiting.clock.advance(10 * SECOND)

    assert only(waiting).state == ReplyState.UNKNOWN


def test_a_final_refusal_is_the_end(waiting: Gateway) -> None:
    record(waiting, claim(waiting), NEVER)

    row = only(waiting)
    assert (row.state, row.blob, row.reason) == (ReplyState.REFUSED, None, "status-400")


def test_a_refusal_that_may_pass_is_tried_with_growing_pauses_until_the_life_ends(
    waiting: Gateway,
) -> None:
    pauses = []
    while (row := only(waiting)).state == ReplyState.QUEUED:
        record(waiting, claim(waiting), LATER)
        pause = only(waiting).next_at - waiting.clock.now()
        pauses.append(pause / SECOND)
        waiting.clock.advance(min(pause, row.expires_at - waiting.clock.now()))
        expire(waiting)

    for pause, wanted in zip(pauses, (1, 2, 4, 8, 16, 30, 30, 30), strict=False):
        assert 0.8 * wanted <= pause <= 1.2 * wanted
    assert len(pauses) > 50
    assert (row.state, row.blob) == (ReplyState.EXPIRED, None)
    assert waiting.clock.now() == row.expires_at


def test_pauses_differ_so_that_replies_do_not_return_in_step() -> None:
    assert len({outbox._pause(6) for _ in range(30)}) > 5


def test_a_reply_that_was_not_started_goes_back_untouched(waiting: Gateway) -> None:
    record(waiting, claim(waiting), NotStarted())

    row = only(waiting)
    assert (row.state, row.unknowns) == (ReplyState.QUEUED, 0)
    assert row.blob is not None
    assert waiting.claim() == [], "at once, it would be claimed as fast as the database commits"
    waiting.clock.advance(SECOND)
    assert claim(waiting).attempt == 2


@pytest.mark.parametrize("outcome", [LATER, UNKNOWN, NEVER, NotStarted()])
def test_what_has_expired_stays_expired(
    sqlite_gateway: Gateway, outcome: Outcome | NotStarted
) -> None:
    sqlite_gateway.send(stranger(), "HD")
    sqlite_gateway.handle()
    claimed = claim(sqlite_gateway)
    sqlite_gateway.clock.advance(writing.OTHER_LIFE)
    expire(sqlite_gateway)

    record(sqlite_gateway, claimed, outcome)

    assert only(sqlite_gateway).state == ReplyState.EXPIRED


def test_what_the_operator_took_after_all_is_noted(sqlite_gateway: Gateway) -> None:
    sqlite_gateway.send(stranger(), "HD")
    sqlite_gateway.handle()
    claimed = claim(sqlite_gateway)
    sqlite_gateway.clock.advance(writing.OTHER_LIFE)
    expire(sqlite_gateway)

    record(sqlite_gateway, claimed, Accepted())

    assert only(sqlite_gateway).state == ReplyState.ACCEPTED


def test_nothing_is_claimed_after_its_life(waiting: Gateway) -> None:
    waiting.clock.advance(writing.OTHER_LIFE)

    assert waiting.claim() == []


@pytest.mark.parametrize(
    ("seconds", "life"), [(300, 240), (600, 540), (120, 60), (119, 59.5), (60, 30), (5, 2.5)]
)
def test_a_pin_is_offered_until_a_minute_before_its_end_and_at_least_half_its_life(
    seconds: float, life: float
) -> None:
    policy = replace(POLICY, pin=PinPolicy(life=timedelta(seconds=seconds)))

    assert writing.life_of(ReplyClass.PIN, policy) == timedelta(seconds=life)


@pytest.mark.parametrize("kind", list(ReplyClass))
def test_other_replies_live_ten_minutes_or_thirty(kind: ReplyClass) -> None:
    minutes = {ReplyClass.PIN: 4, ReplyClass.RESULT: 10, ReplyClass.LOG: 10}.get(kind, 30)

    assert writing.life_of(kind, POLICY) == timedelta(minutes=minutes)


def test_pins_and_results_go_before_everything_else(gateway: Gateway) -> None:
    person = gateway.person()
    for number in range(5):
        gateway.send(stranger(number), "HD")
    gateway.handle()
    gateway.clock.advance(SECOND)
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.handle()
    now = gateway.clock.now()

    first = gateway.database.write(lambda s: outbox.claim(s, now, limit=1, may_disclose=True))
    rest = gateway.database.write(lambda s: outbox.claim(s, now, limit=3, may_disclose=True))

    assert [one.reply for one in first] == ["PIN"]
    assert [one.reply for one in rest] == ["HELP"] * 3


def test_what_has_no_seal_is_held_back(postgres_gateway: Gateway) -> None:
    gateway = postgres_gateway
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.send(stranger(), f"DC {person.personal_id}")
    gateway.send(stranger(1), "HD")
    while gateway.handler.run_once():
        pass

    unsealed = [one.reply for one in gateway.claim()]
    waiting = len(gateway.rows(JOURNAL_PENDING))
    gateway.seal()
    sealed = [one.reply for one in gateway.claim()]

    assert (unsealed, waiting) == (["HELP"], 2)
    assert sorted(sealed) == ["NOMATCH", "PIN"]


@pytest.mark.parametrize(
    ("scope", "key", "held"),
    [
        (Scope.SERVICE, "", True),
        (Scope.DISCLOSURE, "", True),
        (Scope.LINK, TEST, True),
        (Scope.LINK, REAL, False),
        (Scope.COMMAND, "DC", True),
        (Scope.COMMAND, "KHOA", False),
        (Scope.COMMAND, "XN", False),
    ],
)
def test_a_stop_holds_what_discloses_and_lets_help_go(
    sqlite_gateway: Gateway, scope: Scope, key: str, *, held: bool
) -> None:
    gateway = sqlite_gateway
    asking, giving = gateway.population(2)
    pin = gateway.pin(giving)
    gateway.send(asking.phone, f"DC {asking.personal_id}")
    gateway.send(giving.phone, f"XN {pin}")
    gateway.send(stranger(), "HD")
    gateway.handle()
    stop(gateway, scope, key)

    left = sorted(one.reply for one in gateway.outbox())

    assert left == (["HELP"] if held else ["HELP", "PIN", "RESULT"])


def test_what_a_stop_held_goes_on_after_the_resume_if_it_lives(gateway: Gateway) -> None:
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.handle()
    stop(gateway, Scope.DISCLOSURE)
    held = gateway.outbox()
    table = stops.STOP

    gateway.database.write(
        lambda s: s.execute(sa.update(table).values(resumed_at=gateway.clock.now())).close()
    )

    assert held == []
    assert [one.reply for one in gateway.outbox()] == ["PIN"]


def test_the_stop_file_holds_what_discloses_and_lets_help_go(gateway: Gateway) -> None:
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.send(stranger(), "HD")
    gateway.handle()
    (gateway.state_dir / stop_file.NAME).touch()

    under_stop = gateway.outbox()
    (gateway.state_dir / stop_file.NAME).unlink()
    gateway.clock.advance(SECOND)

    assert [one.reply for one in under_stop] == ["HELP"]
    assert [one.reply for one in gateway.outbox()] == ["PIN"]


def test_made_up_people_never_leave_over_a_link_of_real_ones(gateway: Gateway) -> None:
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.handle()

    def carries_real_people(session: sa.orm.Session) -> None:
        session.execute(sa.update(LINK).where(LINK.c.code == TEST).values(is_test=False))

    gateway.database.write(carries_real_people)

    assert gateway.claim() == []
    assert only(gateway).state == ReplyState.QUEUED


@pytest.mark.parametrize("state", [LinkState.DISABLED, LinkState.TERMINATED])
def test_nothing_leaves_over_a_link_that_is_not_in_use(
    sqlite_gateway: Gateway, state: LinkState
) -> None:
    sqlite_gateway.send(stranger(), "HD")
    sqlite_gateway.handle()
    link = sqlite_gateway.link()

    sqlite_gateway.database.write(lambda s: registry.set_state(s, link, state))

    assert sqlite_gateway.claim() == []


def test_on_sqlite_a_start_takes_back_what_a_dead_process_was_sending(
    sqlite_gateway: Gateway,
) -> None:
    sqlite_gateway.send(stranger(), "HD")
    sqlite_gateway.handle()
    claim(sqlite_gateway)
    now = sqlite_gateway.clock.now()

    sqlite_gateway.database.write(lambda s: outbox.take_back(s, now))

    assert claim(sqlite_gateway).unknowns == 1, "it may have gone out before the process died"


def test_two_dispatchers_never_claim_one_reply(postgres_gateway: Gateway) -> None:
    gateway = postgres_gateway
    gateway.send_all((stranger(number), "HD") for number in range(20))
    gateway.handle()
    now = gateway.clock.now()
    inner: list[Claimed] = []

    with closing(databases.open_database(gateway.database.url)) as another:

        def claim_while_another_does(session: sa.orm.Session) -> list[Claimed]:
            mine = outbox.claim(session, now, limit=10, may_disclose=True)
            inner.extend(another.write(lambda s: outbox.claim(s, now, limit=20, may_disclose=True)))
            return mine

        outer = gateway.database.write(claim_while_another_does)

    assert (len(outer), len(inner)) == (10, 10)
    assert {one.id for one in outer}.isdisjoint(one.id for one in inner)


def test_only_an_open_reply_holds_a_text(gateway: Gateway) -> None:
    person = gateway.person()
    gateway.pin(person)
    gateway.says(stranger(), "HD")

    kept = sa.select(sa.func.count()).where(OUTBOUND.c.blob.is_not(None))

    assert gateway.database.read(lambda s: s.execute(kept).scalar()) == 0
