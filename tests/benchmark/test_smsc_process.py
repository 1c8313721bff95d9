"""The SMSC under load, with something bound to it that answers as the service does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark import smsc_process
from benchmark.errors import OperatorError
from benchmark.link_rows import Load, Order, Side, Span
from benchmark.people import Person
from benchmark.smsc_process import SmscProcess
from sms.links.smpp.statuses import Status
from tests.benchmark.esme import Esme, bound
from tests.benchmark.stub import SYNTAX_TEXT, StubService, a_secret
from tests.sms.smpp.smsc import install

PEOPLE = [Person(f"{number:012d}", f"+84912{number:06d}") for number in range(1, 301)]
ORDER = Order(Side.OURS, Load.HELP, seconds=0.3, at_once=8, window=4, patience=0.5)


@pytest.fixture
def smsc(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmscProcess]:
    with smsc_process.started(tmp_path, install(request.config)) as process:
        yield process


@pytest.fixture
def service() -> StubService:
    return StubService(a_secret(), "", {one.personal_id: one.phone for one in PEOPLE})


def _asked(smsc: SmscProcess, tmp_path: Path, people: list[Person]) -> None:
    file = tmp_path / "asking"
    smsc_process.write_people(file, people)
    smsc.people(file)


def test_every_message_of_a_round_gets_its_answer_and_its_reply(
    smsc: SmscProcess, service: StubService
) -> None:
    with bound(Esme(service.answer), smsc.port) as esme:
        smsc.await_bound(Side.OURS)
        outcome = smsc.run(ORDER)

    senders = [number for number, _ in esme.heard]
    assert outcome.faults == {}
    assert outcome.accepted == outcome.trips == len(esme.heard) > 8
    assert len(set(senders)) == len(senders)
    assert {text for _, text in esme.heard} == {"HD"}
    assert 0 < outcome.in_time <= outcome.trips
    assert outcome.span(Span.ACCEPT).p50 <= outcome.span(Span.TRIP).p50
    assert outcome.cpu > 0


def test_a_lookup_goes_on_with_the_pin_that_its_reply_held(
    smsc: SmscProcess, service: StubService, tmp_path: Path
) -> None:
    _asked(smsc, tmp_path, PEOPLE)
    with bound(Esme(service.answer), smsc.port) as esme:
        outcome = smsc.run(replace(ORDER, load=Load.LOOKUP))

    asked = [text.split()[1] for _, text in esme.heard if text.startswith("DC")]
    assert outcome.faults == {}
    assert outcome.replies["PIN"] == outcome.replies["RESULT"] == len(asked) > 0
    assert asked == [one.personal_id for one in PEOPLE[: len(asked)]]
    assert outcome.span(Span.LOOKUP).count == len(asked)
    assert outcome.lookups_in_time > 0


def test_a_round_of_lookups_ends_when_everybody_had_their_turn(
    smsc: SmscProcess, service: StubService, tmp_path: Path
) -> None:
    _asked(smsc, tmp_path, PEOPLE[:3])
    with bound(Esme(service.answer), smsc.port):
        outcome = smsc.run(replace(ORDER, load=Load.LOOKUP, seconds=20))

    assert outcome.used_up
    assert outcome.seconds < 20
    assert outcome.replies == {"PIN": 3, "RESULT": 3}


def test_ingest_waits_for_no_reply_until_as_many_wait_as_may(
    smsc: SmscProcess, service: StubService
) -> None:
    with bound(Esme(service.answer, after=0.5), smsc.port):
        outcome = smsc.run(replace(ORDER, load=Load.INGEST, seconds=20, at_once=30, patience=5))

    assert outcome.accepted == outcome.trips == 30
    assert outcome.in_time == 0
    assert outcome.seconds < 20


@pytest.mark.parametrize(
    ("behaves", "fault"),
    [
        ({"status": Status.THROTTLED}, "status-58"),
        ({"status": None}, "given-up"),
        ({"copies": 0}, "given-up"),
        ({"copies": 2}, "reply-to-nothing-open"),
    ],
)
def test_what_was_not_due_is_a_fault(
    smsc: SmscProcess, service: StubService, behaves: dict[str, object], fault: str
) -> None:
    with bound(Esme(service.answer, **behaves), smsc.port):  # type: ignore[arg-type]  # a table of options
        outcome = smsc.run(ORDER)

    assert set(outcome.faults) == {fault}


def test_another_reply_than_the_one_due_is_a_fault(smsc: SmscProcess, tmp_path: Path) -> None:
    _asked(smsc, tmp_path, PEOPLE)
    with bound(Esme(lambda *_: SYNTAX_TEXT), smsc.port):
        outcome = smsc.run(replace(ORDER, load=Load.LOOKUP))

    assert set(outcome.faults) == {"other-instead-of-PIN"}
    assert outcome.trips == 0


def test_nobody_who_is_not_bound_can_be_measured(smsc: SmscProcess) -> None:
    with pytest.raises(OperatorError, match="tradan is not bound"):
        smsc.run(ORDER)
