"""`import people`: what is good goes in, what is broken is named by line and reason."""

import csv
from pathlib import Path

import pytest

from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, pins_in
from tests.e2e.people import COLUMNS, People, Person, plain, write_csv

SOME_REFUSED = 4


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    """Where a test writes its people."""
    return tmp_path / "people.csv"


def is_known(telco: HttpLink, person: Person) -> bool:
    """Tell whether the register knows a person, by asking as they do."""
    return bool(pins_in(telco.ask(person.phone, f"DC {person.personal_id}")))


def row(person: Person, **changes: str) -> tuple[str, ...]:
    """Write a row of a person, but for the *changes*, which may be wrong."""
    return tuple(changes.get(column, getattr(person, column)) for column in COLUMNS)


def test_a_broken_line_is_named_and_the_rest_goes_in(
    service: Deployment, telco: HttpLink, csv_file: Path, tmp_path: Path
) -> None:
    people = service.people.make_many(3)
    broken: dict[int, tuple[str, ...]] = {
        3: row(service.people.make(), personal_id="12345"),
        4: row(service.people.make(), date_of_birth="1985-02-30"),
        5: row(service.people.make(), phone="+12025550188"),
        7: row(service.people.make(), sex="X"),
        8: row(service.people.make(), full_name=""),
        9: row(service.people.make(), province="Atlantis"),
        10: ("too", "few"),
    }
    lines: dict[int, Person | tuple[str, ...]] = {
        2: people[0],
        6: people[1],
        11: people[2],
        **broken,
    }
    errors = tmp_path / "errors.csv"

    write_csv(csv_file, [lines[number] for number in sorted(lines)])
    done = service.cli("import", "people", str(csv_file), "--errors", str(errors))

    assert done.returncode == SOME_REFUSED
    with errors.open(encoding="utf-8", newline="") as file:
        found = {int(line["line"]): line["reason"] for line in csv.DictReader(file)}
    assert set(found) == set(broken)
    assert all(found.values())
    assert all(is_known(telco, person) for person in people)
    assert "Traceback" not in done.stderr


def test_a_dry_run_changes_nothing(service: Deployment, telco: HttpLink, csv_file: Path) -> None:
    person = service.people.make()
    write_csv(csv_file, [person])

    done = service.cli("import", "people", str(csv_file), "--dry-run")
    known_after_dry_run = is_known(telco, person)
    service.do("import", "people", str(csv_file))

    assert done.returncode == 0
    assert not known_after_dry_run
    assert is_known(telco, person)


def test_the_same_file_again_changes_nothing(
    service: Deployment, telco: HttpLink, csv_file: Path
) -> None:
    people = service.people.make_many(3)
    write_csv(csv_file, people)
    service.do("import", "people", str(csv_file))

    again = service.cli("import", "people", str(csv_file))

    assert again.returncode == 0
    assert person_is_shown(telco, people[0])


def test_a_changed_row_replaces_the_old(
    service: Deployment, telco: HttpLink, csv_file: Path
) -> None:
    person = service.people.make()
    renamed = People().make(
        personal_id=person.personal_id, phone=person.phone, full_name="Lý Thường Nguyệt"
    )
    service.do("import", "people", str(write_csv(csv_file, [person])))

    service.do("import", "people", str(write_csv(csv_file, [renamed])))

    assert person_is_shown(telco, renamed)


def person_is_shown(telco: HttpLink, person: Person) -> bool:
    """Look a person up as they do, and tell whether it is them who is shown."""
    return person.plain_name in plain(telco.look_up(person).text)


def test_a_warning_does_not_keep_a_person_out(
    service: Deployment, telco: HttpLink, csv_file: Path
) -> None:
    odd = service.people.make(sex="F", date_of_birth="1990-01-01")  # their number says otherwise

    done = service.cli("import", "people", str(write_csv(csv_file, [odd])))

    assert done.returncode == 0
    assert is_known(telco, odd)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"personal_id,full_name\n",
        ",".join((*COLUMNS, "favourite_colour")).encode() + b"\n",
        ",".join((*COLUMNS, "phone")).encode() + b"\n",
        b"\xff\xfe\x00",
    ],
    ids=["nothing", "columns missing", "an unknown column", "a column twice", "no text"],
)
def test_a_file_of_another_shape_is_refused_whole(
    service: Deployment, csv_file: Path, content: bytes
) -> None:
    csv_file.write_bytes(content)

    done = service.cli("import", "people", str(csv_file))

    assert done.returncode not in {0, SOME_REFUSED}
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_said_to_be_missing(
    service: Deployment, tmp_path: Path
) -> None:
    done = service.cli("import", "people", str(tmp_path / "nothing.csv"))

    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_a_spreadsheets_byte_order_mark_and_line_ends_are_taken(
    service: Deployment, telco: HttpLink, csv_file: Path
) -> None:
    person = service.people.make()
    text = write_csv(csv_file, [person]).read_text(encoding="utf-8")
    csv_file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())

    done = service.cli("import", "people", str(csv_file))

    assert done.returncode == 0, done.stderr
    assert is_known(telco, person)
