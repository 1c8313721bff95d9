"""Stopping and resuming: by row and by file, with an entry, and by whom."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.db import Database
from core.errors import UnavailableError
from core.keyring import Keyring
from records import stop_file, stops
from records.errors import StopError
from records.stop_file import StopFile
from records.stops import Order, Scope, Stop, StopReason
from sms import halt as halting
from sms.halt import Halt
from tests.fakes import FixedClock
from tests.sms.gateway import Gateway, opened

ORDER = Order(scope=Scope.SERVICE, reason=StopReason.SECURITY, note="", by="officer:lan")


class Deaf:
    """A database that does not answer."""

    dialect = "sqlite"

    def write(self, _work: object) -> None:
        raise UnavailableError("the database did not take the work")

    read = write


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
    assert stop_file.read(gateway.state_dir) == StopFile(None, "officer:lan", "security", None)


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
