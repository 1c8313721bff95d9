"""Stopping and resuming: by row and by file, with an entry, and by whom."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import UnavailableError
from core.keyring import Keyring
from records import stop_file, stops
from records.errors import StopError
from records.stop_file import StopFile
from records.stops import Order, Scope, Stop, StopReason
from sms import halt as halting
from sms.halt import Halt
from tests.e2e.waiting import until
from tests.fakes import FixedClock
from tests.sms.gateway import Gateway, opened

T = TypeVar("T")
ORDER = Order(scope=Scope.SERVICE, reason=StopReason.SECURITY, note="", by="officer:lan")


class Deaf:
    """A database that does not answer."""

    dialect = "sqlite"

    def write(self, _work: object) -> None:
        raise UnavailableError("the database did not take the work")

    read = write


class Mute:
    """A database that answers when it is told to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.dialect = database.dialect
        self.answers = threading.Event()

    def write(self, work: Callable[[Session], T]) -> T:
        self.answers.wait(30)
        return self._database.write(work)


@pytest.fixture
def gateway(
    database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Gateway]:
    with opened(database, keyring, keys_dir, tmp_path / "halt-state", clock) as made:
        yield made


@pytest.fixture
def halt(gateway: Gateway) -> Halt:
    return Halt(gateway.database, gateway.journal, gateway.state_dir, gateway.clock)


def standing(gateway: Gateway) -> list[Stop]:
    return gateway.database.read(stops.standing)


def test_a_stop_leaves_a_row_an_entry_and_no_file(halt: Halt, gateway: Gateway) -> None:
    before = gateway.database.read(gateway.journal.head).size

    number = halt.stop(ORDER)
    gateway.seal()

    (found,) = standing(gateway)
    assert (found.id, found.scope, found.stopped_by) == (number, Scope.SERVICE, "officer:lan")
    assert not stop_file.is_there(gateway.state_dir)
    assert gateway.database.read(gateway.journal.head).size == before + 1


def test_a_stop_that_stands_is_not_ordered_twice(halt: Halt, gateway: Gateway) -> None:
    first, second = halt.order(ORDER), halt.order(replace(ORDER, by="officer:minh"))

    assert first == second
    assert len(standing(gateway)) == 1


def test_the_file_alone_stops_while_the_database_is_down(gateway: Gateway) -> None:
    deaf = Halt(Deaf(), gateway.journal, gateway.state_dir, gateway.clock)  # type: ignore[arg-type]  # it fails at once

    number = deaf.stop(ORDER)

    assert number is None
    assert stop_file.read(gateway.state_dir) == halting.file_of(ORDER)


def test_who_stops_does_not_wait_for_a_database_that_does_not_answer(gateway: Gateway) -> None:
    mute = Mute(gateway.database)
    halt = Halt(mute, gateway.journal, gateway.state_dir, gateway.clock)  # type: ignore[arg-type]  # all that is used
    began = time.monotonic()

    number = halt.stop(ORDER)
    took = time.monotonic() - began
    held = stop_file.is_there(gateway.state_dir)
    mute.answers.set()
    until(lambda: standing(gateway), "the stop to be written after all")
    halt.heed_file()
    (found,) = standing(gateway)

    assert (number, held) == (None, True)
    assert took < 2
    # Found by a worker later on, the file and the row are one stop.
    file = stop_file.read(gateway.state_dir)
    assert file == replace(halting.file_of(ORDER), stop_id=found.id)
    assert found.scope is Scope.SERVICE


def test_a_stop_is_written_without_the_journal_where_that_is_in_the_way(
    halt: Halt, gateway: Gateway
) -> None:
    def fail(*_arguments: object) -> None:
        raise UnavailableError("a lock on the journal's tables")

    gateway.journal.append = fail  # type: ignore[method-assign,assignment]  # the journal takes nothing

    number = halt.stop(ORDER)

    assert [stop.id for stop in standing(gateway)] == [number]


def test_where_a_file_stands_a_stop_without_a_database_is_no_failure(gateway: Gateway) -> None:
    (gateway.state_dir / stop_file.NAME).touch()
    deaf = Halt(Deaf(), gateway.journal, gateway.state_dir, gateway.clock)  # type: ignore[arg-type]  # it fails at once

    assert deaf.stop(ORDER) is None
    assert stop_file.read(gateway.state_dir) == StopFile()


def test_a_narrow_stop_needs_the_database(gateway: Gateway) -> None:
    deaf = Halt(Deaf(), gateway.journal, gateway.state_dir, gateway.clock)  # type: ignore[arg-type]  # it fails at once

    with pytest.raises(UnavailableError):
        deaf.stop(replace(ORDER, scope=Scope.LINK, key="hong-ha"))

    assert not stop_file.is_there(gateway.state_dir)


def test_a_file_becomes_a_stop_that_two_lift(halt: Halt, gateway: Gateway) -> None:
    (gateway.state_dir / stop_file.NAME).touch()

    halt.heed_file()
    (found,) = standing(gateway)
    halt.ask_resume(found.id, by="officer:lan", note="over")
    still_there = stop_file.is_there(gateway.state_dir)
    halt.resume(found.id, by="officer:minh")

    assert (found.scope, found.stopped_by) == (Scope.DISCLOSURE, "file")
    assert still_there
    assert standing(gateway) == []
    assert not stop_file.is_there(gateway.state_dir)


def test_nobody_lifts_a_stop_alone(halt: Halt, gateway: Gateway) -> None:
    number = halt.order(ORDER)

    with pytest.raises(StopError):
        halt.resume(number, by="officer:lan")
    halt.ask_resume(number, by="officer:lan", note="")
    with pytest.raises(StopError):
        halt.resume(number, by="officer:lan")

    assert len(standing(gateway)) == 1


def test_only_what_holds_everything_is_done_by_file() -> None:
    assert halting.WHOLE == (Scope.SERVICE, Scope.DISCLOSURE)
