"""Random conversations through the real HANDLE, SEAL and SEND, on real databases.

Whatever people text, however often operators repeat it, whatever is stopped or breaks off in
between: the guarantees hold after each step.
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing.tables import USAGE
from core.clock import VIETNAM, vietnam_day
from core.ids import uuid7
from core.phone import Msisdn
from records import citizens, pins, stop_file, stops
from records.cases import CORRECTION_CASE
from records.pins import CHALLENGE, ChallengeState
from records.register import Record
from records.stops import STOP, Order, Scope, StopReason
from sms import outbox, queue, segments
from sms.inbound import Receipt, State
from sms.queue import LEASE
from sms.tables import INBOUND, OUTBOUND
from tests.fakes import NOON
from tests.sms.gateway import OTHER, TEST, Gateway, Told, other_than, pin_in, stranger

OPENS = {"RESULT": "DC", "LOG": "NK", "LOCKED": "KHOA", "UNLOCKED": "MO"}
SECRET = {"PIN", "RESULT", "LOG"}
CODE = re.compile(r"Ma GD ([0-9A-Z]{6})")
SEEN_AT = re.compile(r"[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}")
WHO = st.integers(0, 3)
COMMANDS = ["DC", "DC", "DC", "NK", "KHOA", "MO"]
SECONDS = [1, 21, 59, 60, 61, 239, 299, 300, 301, 900, 3601, 86_401]


@dataclass(slots=True)
class Sent:
    """A message as the operator knows it."""

    serial: str
    sender: Msisdn
    text: str
    code: str


@dataclass(slots=True)
class LivePin:
    """The newest PIN a phone has received, and what it opens."""

    pin: str
    purpose: str
    person: Record
    code: str
    dies_at: datetime
    wrong: int = 0


@dataclass(slots=True)
class Seen:
    """What was true before, and must not be undone."""

    ends: dict[object, str] = field(default_factory=dict)
    challenges: dict[object, tuple[str, int]] = field(default_factory=dict)
    replied: set[object] = field(default_factory=set)
    told_a_day: Counter[tuple[str, object]] = field(default_factory=Counter)


class Conversations(RuleBasedStateMachine):
    """Three citizens and a stranger with their phones, two links, and all that goes wrong."""

    def __init__(self, gateway: Gateway, outcomes: Counter[str]) -> None:
        super().__init__()
        self.gateway = gateway
        self.outcomes = outcomes
        gateway.clock.at = NOON
        self.people = gateway.population(3, is_test=True)
        self.phones = [Msisdn(str(one.phone)) for one in self.people]
        self.phones.append(stranger(next(gateway.serials)))
        self.senders = [gateway.sender_id(phone) for phone in self.phones]
        self.ever = {one.personal_id: {one.phone} for one in self.people}
        self.sent: dict[str, Sent] = {}
        self.live: dict[str, LivePin] = {}
        self.codes: dict[str, tuple[Msisdn, str]] = {}
        self.seen = Seen()
        self.went_back, self.latest = False, NOON

    @rule(
        who=WHO, whom=st.integers(0, 2), command=st.sampled_from(COMMANDS),
        code=st.sampled_from([TEST, TEST, TEST, OTHER]),
    )  # fmt: skip
    def ask(self, who: int, whom: int, command: str, code: str) -> None:
        self._say(who, f"{command} {self.people[whom].personal_id}", code=code)

    @rule(
        who=st.integers(0, 2),
        command=st.sampled_from(COMMANDS),
        answers=st.lists(st.sampled_from([True, True, False]), min_size=1, max_size=4),
    )
    def ask_and_answer(self, who: int, command: str, answers: list[bool]) -> None:
        self.look_oneself_up(who, command, answers)

    def look_oneself_up(self, who: int, command: str, answers: list[bool]) -> None:
        self.gateway.clock.advance(timedelta(minutes=61))
        self._say(who, f"{command} {self.people[who].personal_id}")
        live = self.live.get(self.phones[who])
        if live is None:
            return
        for right in answers:
            # The same PIN each time: after the first right one, it opens nothing.
            self._say(who, f"XN {live.pin if right else other_than(live.pin)}", code=live.code)

    @rule(
        who=st.integers(0, 2), first=st.sampled_from(["DC", "NK"]),
        command=st.sampled_from(["KT", "SAI"]),
    )  # fmt: skip
    def look_back(self, who: int, first: str, command: str) -> None:
        self._resume()
        self.look_oneself_up(who, first, [True])
        own = [code for code, told in self.codes.items() if told[0] == self.phones[who]]
        if own:
            self._say(who, f"{command} {own[-1]}")

    @precondition(lambda self: self.live)
    @rule(
        which=st.integers(0, 3),
        how=st.sampled_from(["right", "right", "wrong", "elsewhere", "stolen"]),
    )
    def give_pin(self, which: int, how: str) -> None:
        holders = [phone for phone in self.phones if phone in self.live]
        phone = holders[which % len(holders)]
        live, who = self.live[phone], self.phones.index(phone)
        if how == "right":
            self._say(who, f"XN {live.pin}", code=live.code)
        elif how == "wrong":
            self._say(who, other_than(live.pin), code=live.code)
        elif how == "elsewhere":
            self._say(who, live.pin, code=OTHER if live.code == TEST else TEST)
        else:
            self._say((who + 1) % 4, live.pin, code=live.code)

    @rule(who=WHO, text=st.sampled_from(["HUY", "HD", "PHI", "gi vay", "XN 12", "XN 000000", ""]))
    def say(self, who: int, text: str) -> None:
        self._say(who, text or " ")

    @precondition(lambda self: self.codes)
    @rule(
        who=WHO, which=st.integers(0, 99), command=st.sampled_from(["KT", "SAI"]),
        theirs=st.booleans(),
    )  # fmt: skip
    def ask_the_journal(self, who: int, which: int, command: str, *, theirs: bool) -> None:
        own = [code for code, told in self.codes.items() if told[0] == self.phones[who]]
        codes = own if theirs and own else list(self.codes)
        self._say(who, f"{command} {codes[which % len(codes)]}")

    @rule(who=WHO, minutes=st.sampled_from([16, 25 * 60]), text=st.sampled_from(["DC", "XN"]))
    def say_late(self, who: int, minutes: int, text: str) -> None:
        live = self.live.get(self.phones[who])
        words = f"XN {live.pin}" if live and text == "XN" else f"DC {self.people[0].personal_id}"
        self._say(who, words, age=timedelta(minutes=minutes))

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 99))
    def repeat(self, which: int) -> None:
        sent = self._sent_before(which)

        receipt = self._hand_over(sent)

        assert receipt is Receipt.REPEATED
        self._run()

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 99))
    def use_an_id_again_for_something_else(self, which: int) -> None:
        sent = self._sent_before(which)

        assert self._hand_over(replace(sent, text=sent.text + "!")) is Receipt.CONFLICTING
        self._run()

    @rule(who=WHO, then=st.sampled_from(["HUY", "HD", "XN 111111"]))
    def say_two_things_at_once(self, who: int, then: str) -> None:
        self._say(who, f"DC {self.people[who % 3].personal_id}", run=False)
        self._say((who + 1) % 4, f"DC {self.people[who % 3].personal_id}", run=False)
        self._say(who, then)

    @rule(seconds=st.sampled_from(SECONDS))
    def wait(self, seconds: int) -> None:
        self.gateway.clock.advance(timedelta(seconds=seconds))
        self._run()

    @rule(seconds=st.sampled_from([5, 70, 400]))
    def set_the_clock_back(self, seconds: int) -> None:
        self.latest = max(self.latest, self.gateway.clock.at)
        self.gateway.clock.at -= timedelta(seconds=seconds)
        self.went_back = True

    @rule(
        scope=st.sampled_from([*Scope]), who=st.integers(0, 2), decided=st.booleans(),
        lasts=st.integers(0, 3),
    )  # fmt: skip
    def stop(self, scope: Scope, who: int, *, decided: bool, lasts: int) -> None:
        live = self.live.get(self.phones[who])
        self._say(who, f"DC {self.people[who].personal_id}", run=False)
        if decided:
            self.gateway.handle()
        self._stop(scope)
        self._say(who, f"XN {live.pin}" if live else "HUY")
        if lasts:
            self.resume()

    def _stop(self, scope: Scope) -> None:
        key = {Scope.LINK: TEST, Scope.COMMAND: "DC"}.get(scope, "")
        now = self.gateway.clock.now()
        self.gateway.database.write(
            lambda s: stops.stop(
                s, Order(scope=scope, key=key, reason=StopReason.SECURITY, by="tests"), now
            )
        )

    @rule(who=st.integers(0, 2), before=st.booleans(), lasts=st.integers(0, 3))
    def stop_by_file(self, who: int, *, before: bool, lasts: int) -> None:
        live = self.live.get(self.phones[who])
        self._say(who, f"XN {live.pin}" if live else "HD", run=False)
        if not before:
            self.gateway.handle()
        (self.gateway.state_dir / stop_file.NAME).touch()
        self._run()
        if lasts:
            self.resume()

    @rule()
    def resume(self) -> None:
        self._resume()
        self._run()

    @rule(who=WHO)
    def crash_in_the_middle(self, who: int) -> None:
        self._say(who, f"DC {self.people[who % 3].personal_id}", run=False)
        now = self.gateway.clock.now()
        self.gateway.database.write(lambda s: queue.claim(s, uuid7(), now, limit=64))

    @rule()
    def keep_house(self) -> None:
        now = self.gateway.clock.now()
        self.gateway.database.write(lambda s: pins.expire(s, now))
        self.gateway.database.write(lambda s: outbox.expire(s, now))

    @rule(who=st.integers(0, 2), onto=WHO)
    def get_another_number(self, who: int, onto: int) -> None:
        # What was decided just before was decided about the old number.
        self.gateway.clock.advance(timedelta(microseconds=1))
        self.people[who] = replace(self.people[who], phone=self.phones[onto])
        self.ever[self.people[who].personal_id].add(self.phones[onto])
        citizens.store(self.gateway.database, self.gateway.keyring, [self.people[who]])

    @invariant()
    def each_sender_has_one_open_challenge_and_no_try_comes_back(self) -> None:
        rows = self._rows(CHALLENGE)
        opened = Counter(row.sender_id for row in rows if row.state == ChallengeState.OPEN)
        assert set(opened.values()) <= {1}
        for row in rows:
            state, tries = self.seen.challenges.get(row.id, ("open", 3))
            assert row.tries_left <= tries
            assert state in {"open", row.state}, "what has ended stays as it ended"
            assert (row.state == "open") or (row.pin_hash is None and row.blob is None)
            self.seen.challenges[row.id] = (row.state, row.tries_left)
        wrong = [row for row in self._rows(INBOUND) if row.reason == "wrong-pin"]
        assert sum(3 - row.tries_left for row in rows) == len(wrong)

    @invariant()
    def each_message_has_one_end_one_charge_and_what_left_is_sealed(self) -> None:
        ended = {row.id: row for row in self._rows(INBOUND) if row.state != State.RECEIVED}
        for message_id, state in self.seen.ends.items():
            assert ended[message_id].state == state
        self.seen.ends = {message_id: row.state for message_id, row in ended.items()}
        statement = sa.select(OUTBOUND).where(OUTBOUND.c.inbound_id.in_(list(ended)))
        replies = self.gateway.database.read(lambda s: s.execute(statement).all())
        assert len({row.inbound_id for row in replies}) == len(replies)
        for row in replies:
            if row.reply in SECRET:
                assert row.entry_id is not None
                assert row.entry_id == ended[row.inbound_id].entry_id
        known = [*ended, *(row.id for row in replies)]
        charged = self._charged(known)
        wanted = {(message_id, "mo") for message_id in ended}
        wanted |= {(row.id, "mt") for row in replies if row.state == "accepted"}
        assert charged == Counter(dict.fromkeys(wanted, 1))

    @invariant()
    def a_number_has_three_cases_open_at_most_and_each_is_about_what_it_was_told(self) -> None:
        cases = self._rows(CORRECTION_CASE)
        assert max(Counter(row.sender_id for row in cases).values(), default=0) <= 3
        told = {row.entry_id: row for row in self._rows(INBOUND)}
        for row in cases:
            assert told[row.entry_id].sender_id == row.sender_id
            assert told[row.entry_id].reason == "right-pin"

    def teardown(self) -> None:
        self._resume()
        # A lease that was taken before the clock was set back runs by the clock of then.
        self.gateway.clock.at = max(self.gateway.clock.at, self.latest) + LEASE
        self._run()

        assert {row.state for row in self._rows(INBOUND)} <= {*State} - {State.RECEIVED}
        # What has not left must not leave in the next conversation on this database.
        much_later = self.gateway.clock.at + timedelta(days=1)
        self.gateway.database.write(lambda s: outbox.expire(s, much_later))
        super().teardown()

    def _say(self, who: int, text: str, *, code: str = TEST, run: bool = True,
             age: timedelta = timedelta()) -> None:  # fmt: skip
        serial = f"r-{next(self.gateway.serials)}"
        self.sent[serial] = Sent(serial, self.phones[who], text, code)
        receipt = self._hand_over(self.sent[serial], age)
        assert receipt is Receipt.NEW
        if run:
            self._run()

    def _sent_before(self, which: int) -> Sent:
        return list(self.sent.values())[which % len(self.sent)]

    def _hand_over(self, sent: Sent, age: timedelta = timedelta()) -> Receipt:
        return self.gateway.send(
            sent.sender, sent.text, code=sent.code, message_id=sent.serial, age=age
        )

    def _run(self) -> None:
        self.gateway.handle()
        told = self.gateway.outbox()
        rows = {row.id: row for row in self._rows(INBOUND)} if told else {}
        for one in sorted(told, key=lambda each: each.message_id):
            row = rows[one.message_id]
            decided_now = row.handled_at == self.gateway.clock.now()
            self._check(one, self.sent[row.operator_message_id], row.entry_id, now=decided_now)

    def _check(self, told: Told, sent: Sent, entry_id: object, *, now: bool) -> None:
        self.outcomes[told.reply] += 1
        assert told.message_id not in self.seen.replied, "one message, at most one reply"
        self.seen.replied.add(told.message_id)
        assert (told.to, told.link) == (sent.sender, sent.code)
        measured = segments.measure(told.text)
        assert (measured.encoding, measured.segments) == ("gsm7", 1)
        assert bool(re.search(r"(?<!\d)\d{6}(?!\d)", told.text)) is (told.reply == "PIN")
        if told.reply in SECRET:
            self._check_that_it_may_leave(told, entry_id)
        if code := CODE.search(told.text):
            self.codes[code[1]] = (sent.sender, told.reply)
        day = (sent.sender, vietnam_day(self.gateway.clock.now()))
        self.seen.told_a_day[day] += 1
        # Ten, the one QUOTA, and the three answers that a PIN sent as the ninth may still get.
        assert self.went_back or self.seen.told_a_day[day] <= 14
        if told.reply == "PIN":
            self._receive_pin(told, sent, now=now)
        elif told.reply in OPENS:
            self._check_that_it_was_opened(told, sent, now=now)
        elif told.reply in {"INCLUDED", "CASE"}:
            self._check_that_it_is_of_their_own(told, sent)
        elif told.reply in {"WRONG", "FAILED"}:
            live = self.live.get(sent.sender)
            if live is not None and live.code == sent.code:
                live.wrong += 1
                assert live.wrong <= 3

    def _check_that_it_may_leave(self, told: Told, entry_id: object) -> None:
        found = self.gateway.database.read(stops.in_force)
        assert not found.disclosure
        assert not found.cover(link=told.link, operator=told.link, command="")
        assert not stop_file.is_there(self.gateway.state_dir)
        index = self.gateway.database.read(lambda s: self.gateway.journal.index_of(s, entry_id))  # type: ignore[arg-type]  # the column's own type
        assert index is not None, "sealed before it is sent"

    def _receive_pin(self, told: Told, sent: Sent, *, now: bool) -> None:
        purpose, _, number = sent.text.partition(" ")
        person = next(one for one in self.people if one.personal_id == number)
        self._check_that_it_is_theirs(person, sent, now=now)
        dies_at = self.gateway.clock.now() + self.gateway.policy.pin.life
        self.live[sent.sender] = LivePin(pin_in(told.text), purpose, person, sent.code, dies_at)

    def _check_that_it_is_theirs(self, person: Record, sent: Sent, *, now: bool) -> None:
        number = person.personal_id
        phones = [each.phone for each in self.people if each.personal_id == number]
        # Whatever a stop held back may be told after the citizen has moved to another number.
        assert sent.sender in (phones if now else self.ever[number])

    def _check_that_it_was_opened(self, told: Told, sent: Sent, *, now: bool) -> None:
        live = self.live.pop(sent.sender, None)
        assert live is not None, "a PIN was sent to this very number, and not used since"
        assert live.pin in sent.text
        assert live.code == sent.code
        assert live.purpose == OPENS[told.reply]
        assert live.wrong < 3
        self._check_that_it_is_theirs(live.person, sent, now=now)
        assert self.went_back or self.gateway.clock.now() < live.dies_at or live_when_handled(self)
        if told.reply == "RESULT":
            assert f"...{live.person.personal_id[-3:]}," in told.text
        if told.reply == "LOG":
            self._check_that_it_tells_of_them_alone(told, live.person)

    def _check_that_it_tells_of_them_alone(self, told: Told, person: Record) -> None:
        citizen = self.gateway.citizen_id(person)
        opened = [
            f"{row.closed_at.astimezone(VIETNAM):%d/%m %H:%M}"
            for row in self._rows(CHALLENGE)
            if row.citizen_id == citizen and row.state == "spent" and row.purpose in {"DC", "NK"}
        ]
        assert set(SEEN_AT.findall(told.text)) <= set(opened)

    def _check_that_it_is_of_their_own(self, told: Told, sent: Sent) -> None:
        receiver, reply = self.codes[sent.text.split()[1]]
        assert receiver == sent.sender, "a code says nothing to another number"
        if told.reply == "CASE":
            assert reply in {"RESULT", "LOG"}

    def _resume(self) -> None:
        now = self.gateway.clock.now()

        def work(session: sa.orm.Session) -> None:
            in_force = sa.update(STOP).where(STOP.c.resumed_at.is_(None))
            session.execute(in_force.values(resumed_at=now, resumed_by="tests"))

        self.gateway.database.write(work)
        (self.gateway.state_dir / stop_file.NAME).unlink(missing_ok=True)

    def _rows(self, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
        query = sa.select(table).where(table.c.sender_id.in_(self.senders))
        return list(self.gateway.database.read(lambda s: s.execute(query).all()))

    def _charged(self, ids: list[object]) -> Counter[tuple[object, str]]:
        query = sa.select(USAGE.c.message_id, USAGE.c.direction).where(USAGE.c.message_id.in_(ids))
        rows = self.gateway.database.read(lambda s: s.execute(query).all())
        return Counter((row.message_id, row.direction) for row in rows)


def live_when_handled(machine: Conversations) -> bool:
    """Tell whether every request that was redeemed was alive when it was."""
    spent = [row for row in machine._rows(CHALLENGE) if row.state == ChallengeState.SPENT]
    return all(row.closed_at < row.expires_at for row in spent)


def converse(gateway: Gateway, *, examples: int, steps: int) -> Counter[str]:
    """Let people talk, and return how often they were told what."""
    outcomes: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: Conversations(gateway, outcomes),  # type: ignore[arg-type]  # any factory will do
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return outcomes


def said_much(outcomes: Counter[str]) -> None:
    """See that these conversations came to something."""
    assert outcomes["RESULT"] > 0
    assert outcomes["NOMATCH"] > 0
    assert outcomes["LOG"] > 0
    assert outcomes["INCLUDED"] + outcomes["CASE"] + outcomes["UNKNOWN"] > 0


def test_the_guarantees_hold_in_any_conversation(sqlite_gateway: Gateway) -> None:
    said_much(converse(sqlite_gateway, examples=25, steps=25))


def test_the_guarantees_hold_on_postgresql_too(postgres_gateway: Gateway) -> None:
    outcomes = converse(postgres_gateway, examples=3, steps=20)

    assert outcomes["PIN"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_guarantees_hold_in_a_great_many(request: pytest.FixtureRequest, kind: str) -> None:
    said_much(converse(request.getfixturevalue(f"{kind}_gateway"), examples=50, steps=25))
