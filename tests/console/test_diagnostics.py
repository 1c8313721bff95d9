"""The page of diagnostics: versions, database, queues, chores, faults; nobody's data, no secret."""

from datetime import timedelta

import pytest

from console.access.roles import Role
from console.queries import diagnostics
from core import diary, log, migrate, notes
from core.chores import Chore, Keeper
from core.diary import Diary, Kind, Note
from core.settings import Settings
from core.version import VERSION
from tests.console.conftest import House
from tests.fakes import FixedClock

PAGE = "/console/diagnostics"


def test_it_tells_what_runs_on_what_and_what_waits(house: House) -> None:
    person = house.gateway.person()
    house.gateway.send(person.phone, f"DC {person.personal_id}")
    house.clock.advance(timedelta(minutes=2))

    status, text = house.entered("tam", Role.USER_ADMIN).get(PAGE)

    assert status == 200
    assert VERSION in text
    assert migrate.head() in text
    assert "đúng bản" in text
    assert "1 · lâu nhất 2 phút" in text
    assert "TRADAN_PUBLIC_URL" in text
    assert person.personal_id not in text
    assert str(person.phone) not in text


def test_replies_on_their_way_are_counted(house: House) -> None:
    person = house.gateway.person()
    house.gateway.send(person.phone, f"DC {person.personal_id}")
    house.gateway.handle()

    text = house.entered("tam", Role.USER_ADMIN).get(PAGE)[1]

    assert "Trả lời chờ gửi</dt><dd>1 ·" in text


def test_processes_tell_what_they_did_and_what_went_wrong(house: House) -> None:
    now = house.clock.now()
    mine = [Note(Kind.FAULT, "handle.failed", now, 2, "KeyError")]
    theirs = [
        Note(Kind.FAULT, "handle.failed", now - timedelta(hours=1), 3, "ValueError"),
        Note(Kind.CHORE, "tally/count", now, 70),
        Note(Kind.CHORE, "old/one", now - timedelta(days=3), 1),
    ]
    for _ in range(2):
        house.database.write(lambda s: notes.store(s, "worker:1", theirs, now))
    text = house.entered("tam", Role.USER_ADMIN).get(PAGE)[1]

    found = house.database.read(lambda s: notes.of_all(s, "web:2", mine))
    same = house.database.read(lambda s: notes.of_all(s, "worker:1", mine))

    assert found == [
        Note(Kind.CHORE, "tally/count", now, 70),
        Note(Kind.FAULT, "handle.failed", now, 5, "KeyError"),
    ]
    assert same == mine
    assert "<code>handle.failed</code>" in text
    assert "<code>tally/count</code>" in text
    house.database.write(lambda s: notes.store(s, "worker:9", [], now + timedelta(days=3)))
    assert house.database.read(lambda s: notes.of_all(s, "", [])) == []


def test_a_password_of_the_database_is_not_told() -> None:
    environ = {"TRADAN_DATABASE_URL": "postgresql://tradan:very-secret@db.example/tradan"}

    told = diagnostics.settings_of(Settings.from_env(environ))

    assert "very-secret" not in "".join(told.values())
    assert "db.example" in told["TRADAN_DATABASE_URL"]
    assert told["TRADAN_PIN_LIFE_SECONDS"] == "300"


def test_a_chore_is_noted_with_what_went_wrong(clock: FixedClock) -> None:
    def well() -> None:
        """Do nothing wrong."""

    def ill() -> None:
        raise OSError("a path of somebody's")

    keeper = Keeper("house", [Chore(timedelta(days=1), work) for work in (well, ill)], clock)
    for chore in keeper._due:
        keeper._do(chore)

    noted = {note.name: note.detail for note in diary.OURS.notes()}
    assert noted["house/well"] == ""
    assert noted["house/ill"] == "OSError"


@pytest.mark.usefixtures("logged")
def test_a_fault_that_is_logged_is_remembered_by_its_name() -> None:
    logger = log.get_logger("tests")
    logger.error("seal.fault", code="root-differs", secret="of somebody")
    logger.warning("seal.slow")

    noted = {note.name: note for note in diary.OURS.notes() if note.kind is Kind.FAULT}

    assert noted["seal.fault"].detail == "root-differs"
    assert "seal.slow" not in noted


def test_a_diary_counts(clock: FixedClock) -> None:
    ours = Diary()
    for _ in range(3):
        ours.note(Kind.CHORE, "x" * 200, clock.now(), "y" * 200)

    (note,) = ours.notes()

    assert (note.count, len(note.name), len(note.detail)) == (3, 100, 100)
