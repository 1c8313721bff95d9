"""Where only the operator that serves a number may bring its requests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from core import metrics
from core.clock import vietnam_day
from core.settings import Route
from journal.entries import Kind as JournalKind
from journal.tables import JOURNAL_ENTRY
from records import number_events, numbers
from records.number_events import Taken
from records.numbers import NOTHING_HAPPENED, SETTLES, Event, Kind, Standing
from records.personal_id import PersonalId
from records.register import Record
from records.tables import NUMBER
from sms import outbox
from sms.commands import Command
from sms.disclosure import NOT_SERVED
from sms.links import terms
from sms.links.terms import Terms
from tests.sms import deciding
from tests.sms.deciding import DC, HD, KHOA, MO, NK, ODD, PHI, XN, challenge, decide, facts
from tests.sms.gateway import OTHER, REAL, TEST, Gateway, make_handler

ALL = "032-039,052-059,070-099"
SERVING = replace(deciding.POLICY, route=Route.SERVING)
DAY = timedelta(days=1)


def agreed(gateway: Gateway, **prefixes: str) -> None:
    """Have it agreed with operators which numbers are theirs."""
    for code, ranges in prefixes.items():
        told = partial(terms.change, link=gateway.link(code), terms=Terms(prefixes=ranges))
        gateway.database.write(told)
    gateway.clock.advance(timedelta(seconds=2))


def by_serving(gateway: Gateway) -> Gateway:
    """Have a gateway take requests by the serving operator alone."""
    gateway.policy = replace(gateway.policy, route=Route.SERVING)
    gateway.handler = make_handler(gateway, gateway.register)
    return gateway


@pytest.fixture
def serving(gateway: Gateway) -> Gateway:
    """A gateway that takes requests by the serving operator alone; every number is TEST's."""
    agreed(gateway, **{TEST: ALL})
    return by_serving(gateway)


@pytest.fixture
def sqlite_serving(sqlite_gateway: Gateway) -> Gateway:
    """The same, for what does not hang on the kind of database."""
    agreed(sqlite_gateway, **{TEST: ALL})
    return by_serving(sqlite_gateway)


def tell(gateway: Gateway, person: Record, kind: Kind, **changes: object) -> None:
    event = Event(
        operator=TEST, id=f"e-{next(gateway.serials)}", kind=kind, happened_at=gateway.clock.now()
    )
    assert person.phone is not None
    told = number_events.prepare(
        gateway.keyring,
        1,
        replace(event, **changes),  # type: ignore[arg-type]  # fields by name
        person.phone,
    )
    prefixes = gateway.links.prefixes()
    taken = gateway.database.write(lambda s: number_events.take(s, [told], prefixes))
    assert taken == [Taken.NEW]


def alarms() -> float:
    return float(metrics.ALARMS.labels("foreign-sender")._value.get())


@pytest.mark.parametrize("command", [DC, NK, KHOA, MO])
def test_t1_a_request_by_another_operator_is_told_nothing(command: Command) -> None:
    decision = decide(command, facts(servers=frozenset({"sao-mai"})), SERVING)

    assert (decision.reply and decision.reply.reply_class, decision.reason) == ("NOMATCH", "route")
    assert decision.exchange is not None
    assert decision.exchange.reason == NOT_SERVED


@pytest.mark.parametrize("command", [DC, NK, KHOA, MO])
def test_the_serving_operators_own_request_is_answered(command: Command) -> None:
    decision = decide(command, facts(servers=frozenset({"hong-ha", "sao-mai"})), SERVING)

    assert decision.reason == "pin"


def test_t1_by_whom_a_number_is_served_is_asked_again_before_the_record() -> None:
    known = facts(challenge=challenge(), pin_matches=True)

    assert decide(XN, known, SERVING).reason == "route"
    assert decide(XN, replace(known, servers=frozenset({"hong-ha"})), SERVING).reason == "right-pin"


@pytest.mark.parametrize("command", [HD, PHI, ODD])
def test_what_tells_nothing_of_a_record_is_answered_whoever_serves(
    command: Command,
) -> None:
    known = facts()

    assert decide(command, known, SERVING) == decide(command, known)


@pytest.mark.parametrize("command", deciding.EVERY_COMMAND)
def test_inbound_asks_nobody_who_serves(command: Command) -> None:
    known = facts()

    assert decide(command, replace(known, servers=frozenset({"sao-mai"}))) == decide(command, known)


def test_an_unknown_id_by_another_operator_is_the_operators_fault() -> None:
    assert decide(DC, facts(record=None), SERVING).reason == "route"


@pytest.mark.parametrize(
    ("standing", "prefixes", "served_by"),
    [
        (NOTHING_HAPPENED, {"a": "0", "b": "02"}, {"a"}),
        (NOTHING_HAPPENED, {"a": "0", "b": "0"}, {"a", "b"}),
        (NOTHING_HAPPENED, {"a": "02", "b": ""}, set()),
        (NOTHING_HAPPENED, {}, set()),
        (Standing(served_by="b"), {"a": "0", "b": ""}, {"b"}),
        (Standing(served_by="elsewhere"), {"a": "0"}, {"elsewhere"}),
        (Standing(served_by=numbers.UNTOLD), {"a": "0", "b": ""}, set()),
    ],
)
def test_an_operator_serves_what_it_is_known_to_serve(
    standing: Standing, prefixes: Mapping[str, str], served_by: set[str]
) -> None:
    assert numbers.servers(deciding.ME, standing, prefixes) == served_by


def test_t1_over_a_foreign_link_it_is_a_nomatch_by_that_link_and_an_alarm(
    serving: Gateway,
) -> None:
    person, before = serving.person(is_test=False), alarms()

    foreign = serving.ask(person.phone, f"DC {person.personal_id}", code=REAL)
    reason = serving.message().reason
    serving.clock.advance(timedelta(minutes=2))
    own = serving.says(person.phone, f"DC {person.personal_id}")

    assert foreign is not None
    assert (foreign.reply, foreign.link, reason, own) == ("NOMATCH", REAL, "route", "PIN")
    assert alarms() == before + 1


def test_help_is_told_over_a_foreign_link(sqlite_serving: Gateway) -> None:
    person, before = sqlite_serving.person(), alarms()

    said = [sqlite_serving.says(person.phone, text, code=REAL) for text in ("HD", "PHI", "hm")]

    assert (said, alarms()) == (["HELP", "PRICE", "SYNTAX"], before)


def test_t17_its_words_and_its_work_are_those_of_every_nomatch(sqlite_serving: Gateway) -> None:
    person = sqlite_serving.person()
    foreign = sqlite_serving.ask(person.phone, f"DC {person.personal_id}", code=REAL)
    asked = sqlite_serving.register.asked
    sqlite_serving.clock.advance(timedelta(minutes=2))
    other = sqlite_serving.ask(person.phone, "DC 999085123456")

    assert foreign is not None
    assert other is not None
    assert foreign.text[: foreign.text.index("Ma GD")] == other.text[: other.text.index("Ma GD")]
    assert len(foreign.text) == len(other.text)
    assert sqlite_serving.register.asked == 2 * asked
    entries = [r for r in sqlite_serving.rows(JOURNAL_ENTRY) if r.kind == JournalKind.LOOKUP]
    assert len(entries) == 2


def test_a_number_that_was_ported_is_served_where_it_went(serving: Gateway) -> None:
    person = serving.person()
    agreed(serving, **{TEST: "", OTHER: ALL})
    tell(serving, person, Kind.PORTED, operator=OTHER, to=TEST)
    serving.clock.advance(SETTLES)

    told = [serving.says(person.phone, f"DC {person.personal_id}", code=OTHER)]
    reason = serving.message().reason
    serving.clock.advance(timedelta(minutes=2))
    told.append(serving.says(person.phone, f"DC {person.personal_id}"))

    assert (told, reason) == (["NOMATCH", "PIN"], "route")


def test_a_number_ported_nobody_says_where_is_served_by_nobody(sqlite_serving: Gateway) -> None:
    person = sqlite_serving.person()
    tell(sqlite_serving, person, Kind.PORTED)
    sqlite_serving.clock.advance(SETTLES)

    assert sqlite_serving.says(person.phone, f"DC {person.personal_id}") == "NOMATCH"
    assert sqlite_serving.message().reason == "route"


def test_an_operator_of_whom_no_numbers_are_known_is_told_nothing(
    sqlite_gateway: Gateway,
) -> None:
    person = by_serving(sqlite_gateway).person()

    assert sqlite_gateway.says(person.phone, f"DC {person.personal_id}") == "NOMATCH"
    assert sqlite_gateway.message().reason == "route"


def test_a_porting_between_deciding_and_committing_has_the_message_done_again(
    sqlite_serving: Gateway,
) -> None:
    gateway, person = sqlite_serving, sqlite_serving.person()
    long_ago = gateway.clock.now() - SETTLES
    gateway.send(person.phone, f"DC {person.personal_id}")
    find = gateway.register.inner.find

    class Meanwhile:
        """The register, which is asked between loading the facts and committing."""

        def find(self, ids: Sequence[PersonalId]) -> Mapping[PersonalId, Record | None]:
            if not gateway.rows(NUMBER):
                tell(gateway, person, Kind.PORTED, to=OTHER, happened_at=long_ago)
            return find(ids)

    gateway.register.inner = Meanwhile()
    gateway.handle()

    assert gateway.message().reason == "route"


@pytest.mark.parametrize(("route", "left"), [(Route.SERVING, 0), (Route.INBOUND, 1)])
def test_t7_what_is_heard_between_handle_and_send_holds_the_reply_back(
    serving: Gateway, route: Route, left: int
) -> None:
    """A porting of long ago that is told only now bars nothing else."""
    person, now = serving.person(), serving.clock.now()
    serving.send(person.phone, f"DC {person.personal_id}")
    serving.handle()
    tell(serving, person, Kind.PORTED, to=OTHER, happened_at=now - SETTLES)

    claimed = serving.database.write(
        lambda s: outbox.claim(s, now, limit=9, may_disclose=True, route=route)
    )

    assert len(claimed) == left


def test_a_number_that_came_back_holds_what_was_made_for_its_former_operator(
    sqlite_serving: Gateway,
) -> None:
    gateway = sqlite_serving
    person = gateway.person(phone_verified_on=vietnam_day(gateway.clock.now()) - 100 * DAY)
    agreed(gateway, **{TEST: "", OTHER: ALL})
    start = gateway.clock.now() - 300 * DAY
    tell(gateway, person, Kind.PORTED, operator=OTHER, to=TEST, happened_at=start)
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.handle()
    tell(gateway, person, Kind.RELEASED, happened_at=start + DAY)
    now = gateway.clock.now()

    claimed = gateway.database.write(
        lambda s: outbox.claim(s, now, limit=9, may_disclose=True, route=Route.SERVING)
    )

    assert claimed == []
    kept = gateway.database.read(lambda s: s.execute(sa.select(NUMBER.c.served_by)).scalar_one())
    assert kept is None


def test_prefixes_of_all_links_of_an_operator_count_together(sqlite_gateway: Gateway) -> None:
    agreed(sqlite_gateway, **{TEST: "032", REAL: "033"})

    assert sqlite_gateway.links.prefixes() == {TEST: "032", REAL: "033", OTHER: ""}
