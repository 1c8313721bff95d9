"""`journal extract`: the act is journalled first, then told what the citizen may know."""

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy.orm import Session

from cli.context import Service
from console.access import factor, officers
from console.access.passwords import Passwords
from console.access.roles import Role
from core.keyring import row_id
from journal.entries import Draft, Kind, Retention
from journal.receipts import receipt_of
from journal.tables import JOURNAL_ENTRY
from tests.cli.deployment import Deployment

ME = "001085123456"
PASSWORD = "a long enough password of a test"
WHY = (
    "--reason", "asked for in person at the counter", "--case", "12/2026",
    "--receiver", "Công an phường Cửa Nam",
)  # fmt: skip


@dataclass(slots=True)
class Desk:
    """Where an officer makes extracts."""

    deployment: Deployment
    codes: Iterator[str]

    def run(self, *words: str, person: str = ME, officer: str = "minh") -> Result:
        """Make an extract for somebody."""
        file = self.deployment.file(f"{person}\n")
        typed = f"{PASSWORD}\n{next(self.codes)}\n"
        chosen = words if "--reason" in words else (*WHY, *words)
        options = ("--citizen", file, "--officer", officer, *chosen)
        return self.deployment.run("journal", "extract", *options, typed=typed)

    def read(self, person: str = ME) -> dict[str, Any]:
        """Make an extract and return it as JSON."""
        done = self.run("--json", person=person)
        assert done.exit_code == 0, done.output
        read: dict[str, Any] = json.loads(done.stdout)
        return read

    def enter(self, *drafts: Draft) -> list[str]:
        """Write entries and return their receipts."""
        service = Service(dict(self.deployment.environ))
        made = service.journal.prepare(drafts)
        service.database.write(lambda session: service.journal.append(session, made))
        if service.database.dialect == "postgresql":
            service.journal.seal_once()
        service.close()
        return [entry.receipt for entry in made]

    def lookup(self, outcome: str, reason: str = "right-pin", **changes: Any) -> Draft:  # noqa: ANN401 (fields by name)
        """Draft what a message about me came to."""
        service = Service(dict(self.deployment.environ))
        index = service.keyring.index
        service.close()
        fields: dict[str, Any] = {
            "kind": Kind.LOOKUP,
            "retention": Retention.LOOKUP,
            "actor": "phone:+84901234567",
            "actor_index": row_id(index("phone", "+84901234567")),
            "subject": f"person:{ME}",
            "subject_index": row_id(index("personal_id", ME)),
            "payload": {"command": "XN", "group": "CT", "outcome": outcome, "reason": reason},
        }
        return Draft(**fields | changes)


@pytest.fixture
def desk(embedded: Deployment) -> Desk:
    """A desk on SQLite, for what has nothing to do with the kind of database."""
    return desk_in(embedded)


@pytest.fixture
def either_desk(deployment: Deployment) -> Desk:
    """A desk on each kind of database."""
    return desk_in(deployment)


def desk_in(deployment: Deployment) -> Desk:
    """Enrol an investigator, and a viewer who may not make extracts."""
    codes = factor.new_recovery_codes()
    service = Service(dict(deployment.environ))
    hashed = Passwords().hash(PASSWORD)
    now = service.clock.now()

    def enrol(session: Session) -> None:
        for name, role in (("minh", Role.INVESTIGATOR), ("lan", Role.VIEWER)):
            officer = officers.add(session, name, "Trần Minh", [role], now)
            seed = officers.seal_seed(service.keyring, factor.new_seed(), officer.id)
            own = codes if role is Role.INVESTIGATOR else factor.new_recovery_codes()
            officers.enrol(session, officer, password_hash=hashed, totp=seed, recovery_codes=own)

    service.keyring.provide()
    service.database.write(enrol)
    service.close()
    return Desk(deployment, iter(codes))


def test_every_access_is_told_as_find_usage_has_it_with_its_receipt(either_desk: Desk) -> None:
    desk = either_desk
    told = desk.enter(
        desk.lookup("RESULT"), desk.lookup("PIN", "pin"), desk.lookup("NOMATCH", "other-number"),
        desk.lookup("LOG"),
    )  # fmt: skip

    found = desk.read()

    extract, log, record = found["usage"]
    assert {"logtime", "action", "receiver", "receipt"} == extract.keys()
    assert (log["action"], log["receiver"], log["receipt"]) == (
        "nhật ký",
        "chính công dân, bằng SMS",
        told[3],
    )
    assert (record["action"], record["receipt"]) == ("cư trú", told[0])
    assert extract["receiver"] == "Công an phường Cửa Nam"
    assert extract["action"] == ("trích lục nhật ký: asked for in person at the counter (12/2026)")
    assert found["attempts"] == 1
    assert found["person"] == "•••••••••456"
    assert re.fullmatch(r"[0-9-]{10}T[0-9:]{8}\+07:00", record["logtime"])


def test_making_it_is_an_entry_that_the_next_one_tells_of(desk: Desk) -> None:
    before = desk.deployment.acts()

    first, second = desk.read(), desk.read()

    assert desk.deployment.acts() == before + 2
    assert [len(each["usage"]) for each in (first, second)] == [1, 2]
    assert first["usage"][0] == second["usage"][1]
    newest = max(desk.deployment.database.read(entries), key=lambda row: row[0])
    assert second["usage"][0]["receipt"] == receipt_of(newest[1])


def entries(session: Session) -> list[Any]:
    return [(row.id, row.leaf_hash) for row in session.execute(JOURNAL_ENTRY.select())]


def test_nothing_is_told_of_others_or_before_an_embargo_ends(desk: Desk) -> None:
    later = Service({}).clock.now() + timedelta(days=1)
    hidden = desk.lookup("RESULT", embargo_until=later)
    desk.enter(hidden)

    assert len(desk.read()["usage"]) == 1, "the extract itself"
    assert len(desk.read(person="001085999999")["usage"]) == 1


def test_the_page_needs_nothing_else_and_names_nobody_in_full(desk: Desk, tmp_path: Path) -> None:
    desk.enter(desk.lookup("RESULT"), desk.lookup("NOMATCH", "other-number"))
    path = tmp_path / "extract.html"

    done = desk.run("--output", str(path))

    page = path.read_text()
    assert (done.exit_code, done.stdout) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "Trích lục nhật ký khai thác thông tin" in page
    assert "chính công dân, bằng SMS" in page
    assert "the citizen, by SMS" in page
    assert "•••••••••456" in page
    assert "Công an phường Cửa Nam" in page
    assert not re.search(r"https?://|<script|<img|<link|@import|url\(", page)
    assert ME not in page
    assert "901234567" not in page


WRONG = {
    "is a directory": ("--output", "."),
    "--output names a new file": ("--output", "/nowhere/extract.html"),
    "20 characters": ("--reason", "short", "--case", "1", "--receiver", "X"),
    "--case is up to": ("--reason", "r" * 30, "--case", " ", "--receiver", "X"),
}


def test_what_is_not_as_it_must_be_leaves_no_entry(desk: Desk) -> None:
    before = desk.deployment.acts()

    told = {said: desk.run(*words) for said, words in WRONG.items()}

    assert {done.exit_code for done in told.values()} == {2}
    assert [said for said, done in told.items() if said not in done.stderr] == []
    assert desk.deployment.acts() == before


def test_only_an_officer_with_the_right_makes_one(desk: Desk) -> None:
    before = desk.deployment.acts()

    other, wrong = desk.run(officer="lan"), desk.run(officer="nobody")

    assert (other.exit_code, wrong.exit_code) == (5, 5)
    assert other.stdout == wrong.stdout == ""
    assert desk.deployment.acts() == before


def test_the_number_is_asked_for_and_never_shown(desk: Desk) -> None:
    done = desk.run(person="12345")

    assert done.exit_code == 2
    assert "12 digits" in done.stderr
    assert "12345" not in done.output
