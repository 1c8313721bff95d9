"""What becomes of a number bars it: before the PIN, before the record, and before either leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from core.clock import vietnam_day
from journal.entries import Kind as JournalKind
from journal.tables import JOURNAL_ENTRY
from records import citizens, number_events, numbers
from records.number_events import Arrival, Taken
from records.numbers import SETTLES, Event, Kind
from records.personal_id import PersonalId
from records.register import Record
from records.tables import NUMBER
from sms.replies import ReplyClass
from tests.sms.gateway import TEST, Gateway

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
PREFIXES = {TEST: "", "hong-ha": "032"}


def arrival(gateway: Gateway, person: Record, kind: Kind, **changes: object) -> Arrival:
    """Make an event about a citizen's number that happened just now, but for *changes*."""
    now = gateway.clock.now()
    event = Event(operator=TEST, id=f"e-{next(gateway.serials)}", kind=kind, happened_at=now)
    event = replace(event, **changes)  # type: ignore[arg-type]  # fields by name
    assert person.phone is not None
    return number_events.prepare(gateway.keyring, 1, event, person.phone)


def tell(gateway: Gateway, person: Record, kind: Kind, **changes: object) -> None:
    told = arrival(gateway, person, kind, **changes)
    taken = gateway.database.write(lambda s: number_events.take(s, [told], PREFIXES))
    assert taken == [Taken.NEW]


def verify_anew(gateway: Gateway, person: Record) -> None:
    """Have the register say that the number was verified today."""
    today = vietnam_day(gateway.clock.now())
    citizens.store(gateway.database, gateway.keyring, [replace(person, phone_verified_on=today)])


def reason(gateway: Gateway) -> object:
    return gateway.message().reason


ASKS = {
    "sim-changed": Kind.SIM_CHANGED,
    "number-ported": Kind.PORTED,
    "number-left": Kind.RELEASED,
    "number-barred": Kind.BARRED,
}


@pytest.mark.parametrize("true", ASKS)
def test_t5_a_number_to_which_something_happened_gets_no_pin(
    sqlite_gateway: Gateway, true: str
) -> None:
    for command in ("DC", "NK", "KHOA", "MO"):
        person = sqlite_gateway.person()
        tell(sqlite_gateway, person, ASKS[true])

        assert sqlite_gateway.says(person.phone, f"{command} {person.personal_id}") == "NOMATCH"
        assert reason(sqlite_gateway) == true


def test_t5_a_new_sim_is_told_nothing_for_three_days(sqlite_gateway: Gateway) -> None:
    person = sqlite_gateway.person()
    tell(sqlite_gateway, person, Kind.SIM_CHANGED)
    sqlite_gateway.clock.advance(SETTLES - TICK)

    assert sqlite_gateway.says(person.phone, f"DC {person.personal_id}") == "NOMATCH"
    sqlite_gateway.clock.advance(DAY)
    assert sqlite_gateway.says(person.phone, f"DC {person.personal_id}") == "PIN"


@pytest.mark.parametrize("kind", [Kind.RELEASED, Kind.REASSIGNED, Kind.BARRED])
def test_t6_a_number_that_left_is_told_nothing_until_it_is_verified_anew(
    sqlite_gateway: Gateway, kind: Kind
) -> None:
    person = sqlite_gateway.person()
    tell(sqlite_gateway, person, kind)
    sqlite_gateway.clock.advance(30 * DAY)

    assert sqlite_gateway.says(person.phone, f"DC {person.personal_id}") == "NOMATCH"
    verify_anew(sqlite_gateway, person)
    sqlite_gateway.clock.advance(4 * DAY)
    assert sqlite_gateway.says(person.phone, f"DC {person.personal_id}") == "PIN"


def test_t6_a_number_verified_over_24_months_ago_is_told_nothing(sqlite_gateway: Gateway) -> None:
    long_ago = vietnam_day(sqlite_gateway.clock.now()) - numbers.LASTS - DAY
    person = sqlite_gateway.person(phone_verified_on=long_ago)

    assert sqlite_gateway.says(person.phone, f"DC {person.personal_id}") == "NOMATCH"
    assert reason(sqlite_gateway) == "number-verified-long-ago"


def test_t7_what_happens_between_pin_and_record_holds_the_record_back(gateway: Gateway) -> None:
    person = gateway.person()
    pin = gateway.pin(person)
    tell(gateway, person, Kind.SIM_CHANGED)

    assert gateway.says(person.phone, f"XN {pin}") == "NOMATCH"
    assert reason(gateway) == "sim-changed"


def to_be_sent(gateway: Gateway, person: Record, reply: str) -> None:
    """Have a PIN, a RESULT or a LOG lie in the outbox, handled and sealed."""
    if reply == "PIN":
        gateway.send(person.phone, f"DC {person.personal_id}")
    else:
        pin = gateway.pin(person, "DC" if reply == "RESULT" else "NK")
        gateway.send(person.phone, f"XN {pin}")
    gateway.handle()
    assert gateway.replies()[-1].state in {"queued", "accepted"}


@pytest.mark.parametrize("reply", ["PIN", "RESULT", "LOG"])
def test_t7_what_happens_between_handle_and_send_holds_the_reply_back(
    sqlite_gateway: Gateway, reply: str
) -> None:
    for kind in (Kind.SIM_CHANGED, Kind.PORTED, Kind.REASSIGNED, Kind.BARRED):
        person = sqlite_gateway.person()
        to_be_sent(sqlite_gateway, person, reply)

        tell(sqlite_gateway, person, kind)

        assert sqlite_gateway.outbox() == []
    sqlite_gateway.clock.advance(timedelta(hours=1))
    assert sqlite_gateway.outbox() == [], "and its life ends"


@pytest.mark.parametrize("reply", ["PIN", "RESULT", "LOG"])
def test_t7_on_either_database(gateway: Gateway, reply: str) -> None:
    person = gateway.person()
    to_be_sent(gateway, person, reply)
    tell(gateway, person, Kind.RELEASED)

    assert gateway.outbox() == []


@pytest.mark.parametrize(
    ("kind", "ago"),
    [(Kind.SIM_CHANGED, 4 * DAY), (Kind.PORTED, 4 * DAY), (Kind.REASSIGNED, 700 * DAY)],
)
def test_what_happened_long_before_holds_nothing_back(
    sqlite_gateway: Gateway, kind: Kind, ago: timedelta
) -> None:
    person = sqlite_gateway.person()
    to_be_sent(sqlite_gateway, person, "PIN")

    tell(sqlite_gateway, person, kind, happened_at=sqlite_gateway.clock.now() - ago)

    assert [told.reply for told in sqlite_gateway.outbox()] == ["PIN"]


def test_a_bar_that_is_over_holds_nothing_back(sqlite_gateway: Gateway) -> None:
    person = sqlite_gateway.person()
    to_be_sent(sqlite_gateway, person, "PIN")
    now = sqlite_gateway.clock.now()
    tell(sqlite_gateway, person, Kind.BARRED, happened_at=now - DAY, until=now)

    assert [told.reply for told in sqlite_gateway.outbox()] == ["PIN"]


def test_what_tells_nothing_goes_out_all_the_same(sqlite_gateway: Gateway) -> None:
    person = sqlite_gateway.person()
    sqlite_gateway.send(person.phone, "HD")
    sqlite_gateway.handle()

    tell(sqlite_gateway, person, Kind.REASSIGNED)

    assert [told.reply for told in sqlite_gateway.outbox()] == ["HELP"]


def test_t8_a_number_that_more_than_three_share_by_now_is_sent_nothing(gateway: Gateway) -> None:
    person = gateway.person()
    to_be_sent(gateway, person, "PIN")
    others = [replace(one, phone=person.phone) for one in gateway.population(3)]
    citizens.store(gateway.database, gateway.keyring, others)

    assert gateway.outbox() == []


def test_an_event_between_deciding_and_committing_has_the_message_done_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    find = gateway.register.inner.find

    class Meanwhile:
        """The register, which is asked between loading the facts and committing."""

        def find(self, ids: Sequence[PersonalId]) -> Mapping[PersonalId, Record | None]:
            if not gateway.rows(NUMBER):
                tell(gateway, person, Kind.SIM_CHANGED)
            return find(ids)

    gateway.register.inner = Meanwhile()
    gateway.handle()

    (row,) = gateway.replies()
    assert row.reply == ReplyClass.NOMATCH
    assert reason(gateway) == "sim-changed"


def test_t17_the_words_and_the_work_are_those_of_every_nomatch(sqlite_gateway: Gateway) -> None:
    swapped, unknown = sqlite_gateway.person(), sqlite_gateway.person()
    tell(sqlite_gateway, swapped, Kind.SIM_CHANGED)

    mine = sqlite_gateway.ask(swapped.phone, f"DC {swapped.personal_id}")
    others = sqlite_gateway.ask(unknown.phone, "DC 999085123456")

    assert mine is not None
    assert others is not None
    assert len(mine.text) == len(others.text)
    assert mine.text[: mine.text.index("Ma GD")] == others.text[: others.text.index("Ma GD")]
    lookups = [row for row in sqlite_gateway.rows(JOURNAL_ENTRY) if row.kind == JournalKind.LOOKUP]
    assert len(lookups) == 2
