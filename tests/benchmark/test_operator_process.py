"""The made-up operator against a service that keeps the contract, over real sockets."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark import operator_process
from benchmark.errors import OperatorError
from benchmark.operator import Link
from benchmark.operator_process import OperatorProcess
from benchmark.tally import Order, Span
from tests.benchmark.stub import SYNTAX_TEXT, StubService, a_secret, served

PEOPLE = {f"{number:012d}": f"+84912{number:06d}" for number in range(1, 601)}


@pytest.fixture
def people_file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("personal_id", "phone", "status"))
        writer.writerows((number, phone, "active") for number, phone in PEOPLE.items())
    return path


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(a_secret() + "\n")
    return path


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[OperatorProcess]:
    with operator_process.started(tmp_path) as process:
        yield process


@pytest.fixture
def stub(operator: OperatorProcess) -> StubService:
    return StubService(a_secret(), f"http://127.0.0.1:{operator.port}/mt", PEOPLE)


def _link(stub: StubService, secret_file: Path) -> Link:
    return Link(stub.port, "/sms/bench/inbound", str(secret_file))


def test_a_closed_loop_holds_whole_conversations_of_every_kind(
    operator: OperatorProcess,
    stub: StubService,
    people_file: Path,
    secret_file: Path,
    tmp_path: Path,
) -> None:
    with served(stub):
        operator.take(_link(stub, secret_file))
        operator.people(people_file, "seed")
        outcome = operator.run(Order(clients=4, seconds=4.0))
        operator.accepted(tmp_path / "accepted.csv")

    assert outcome.faults == {}
    assert outcome.lookups >= outcome.in_time > 0
    assert outcome.replies["RESULT"] == outcome.lookups
    assert set(outcome.replies) >= {"PIN", "RESULT", "NOMATCH", "SYNTAX", "WRONG"}
    assert outcome.span(Span.ANSWER).count == 2 * outcome.lookups
    assert outcome.messages == sum(stub.acknowledged.values())
    assert set(stub.acknowledged.values()) == {1, 2}
    assert set(stub.statuses) == {204}
    with (tmp_path / "accepted.csv").open() as lines:
        accepted = list(csv.DictReader(lines))
    assert {row["operator_message_id"] for row in accepted} == set(stub.acknowledged)
    assert len(accepted) == len(stub.acknowledged)


def test_a_fixed_rate_starts_as_many_conversations_as_it_says(
    operator: OperatorProcess, stub: StubService, people_file: Path, secret_file: Path
) -> None:
    with served(stub):
        operator.take(_link(stub, secret_file))
        operator.people(people_file, "seed")
        outcome = operator.run(Order(clients=8, seconds=1.0, rate=50))

    first_replies = ("PIN", "NOMATCH", "SYNTAX")
    started = sum(outcome.replies.get(reply, 0) for reply in first_replies)
    assert outcome.faults == {}
    assert started == 50


def test_a_round_ends_early_when_everybody_had_their_turns(
    operator: OperatorProcess, stub: StubService, people_file: Path, secret_file: Path
) -> None:
    people_file.write_text("".join(people_file.read_text().splitlines(keepends=True)[:3]))
    with served(stub):
        operator.take(_link(stub, secret_file))
        operator.people(people_file, "seed")
        outcome = operator.run(Order(clients=4, seconds=20.0))

    assert outcome.used_up
    assert outcome.seconds < 20
    assert outcome.lookups <= 6


def test_a_reply_that_was_not_due_is_a_fault(
    operator: OperatorProcess, stub: StubService, people_file: Path, secret_file: Path
) -> None:
    stub.pin_reply = SYNTAX_TEXT
    with served(stub):
        operator.take(_link(stub, secret_file))
        operator.people(people_file, "seed")
        outcome = operator.run(Order(clients=2, seconds=0.3))

    assert outcome.faults["SYNTAX-instead-of-PIN"] > 0
    assert outcome.lookups == 0


def test_a_second_reply_to_one_message_is_a_fault(
    operator: OperatorProcess, stub: StubService, people_file: Path, secret_file: Path
) -> None:
    stub.copies = 2
    with served(stub):
        operator.take(_link(stub, secret_file))
        operator.people(people_file, "seed")
        outcome = operator.run(Order(clients=2, seconds=0.3))

    assert outcome.faults["reply-to-nothing-open"] > 0
    assert set(outcome.faults) <= {"reply-to-nothing-open", "reply-handed-over-twice"}


def test_a_reply_signed_with_another_secret_is_refused(
    operator: OperatorProcess, stub: StubService, people_file: Path, secret_file: Path
) -> None:
    stub.signs_with = a_secret(b"other")
    with served(stub):
        operator.take(_link(stub, secret_file))
        operator.people(people_file, "seed")
        outcome = operator.run(Order(clients=2, seconds=0.2, patience=0.5))

    assert set(stub.statuses) == {401}
    assert outcome.faults == {"no-reply": 2, "signature-does-not-hold": 2}


def test_an_operator_that_ended_says_why(operator: OperatorProcess, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="No such file"):
        operator.people(tmp_path / "missing.csv", "seed")
