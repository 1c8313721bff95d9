"""Stopping and resuming by the console, for everything that can be stopped."""

import time
from datetime import timedelta

import pytest

from console.access.roles import Role
from journal import acts
from journal.entries import Kind
from records import stops
from records.stops import Stop
from tests.console.conftest import House, Visit
from tests.sms.gateway import OTHER, TEST, Gateway

# What is stopped: whose message gets DOWN, and whose goes on.
SCOPES = {
    "service": (("DC", TEST), None),
    "disclosure": (("DC", TEST), ("HD", TEST)),
    f"operator:{TEST}": (("DC", TEST), ("DC", OTHER)),
    f"link:{TEST}": (("DC", TEST), ("DC", OTHER)),
    "command:DC": (("DC", TEST), ("KHOA", TEST)),
}


@pytest.fixture
def lan(house: House) -> Visit:
    """An officer at the switch."""
    return house.entered("lan", Role.SECURITY_OFFICER)


@pytest.fixture
def minh(house: House) -> Visit:
    """Another officer who may resume."""
    return house.entered("minh", Role.APPROVER)


def ordered(visit: Visit, what: str = "service", **form: str) -> str:
    """Stop something and return the number of the stop."""
    _, place = visit.post("/console/control/stop", **{"what": what, "reason": "security", **form})
    assert "stopped=" in place
    return place.rpartition("=")[2]


def standing(house: House) -> list[Stop]:
    return house.database.read(stops.standing)


def says(gateway: Gateway, word: str, code: str) -> str | None:
    """Have somebody text a command who has never texted before; return the kind of reply."""
    person = gateway.person()
    number = "" if word == "HD" else f" {person.personal_id}"
    # Whom a made-up person texts is told by the row of the outbox: it leaves on a test link alone.
    gateway.send(person.phone, f"{word}{number}", code=code)
    gateway.handle()
    newest = max(gateway.replies(), key=lambda row: row.id)
    return str(newest.reply)


@pytest.mark.parametrize("what", SCOPES)
def test_one_stops_and_two_resume(house: House, lan: Visit, minh: Visit, what: str) -> None:
    (stopped, elsewhere), gateway = SCOPES[what], house.gateway
    before = says(gateway, *stopped)

    number = ordered(lan, what, note="một cuộc gọi lạ")
    while_stopped = says(gateway, *stopped)
    beside = elsewhere and says(gateway, *elsewhere)
    alone = [
        lan.post("/console/control/resume", stop=number)[0],
        lan.post("/console/control/ask", stop=number, note="đã kiểm tra")[0],
        lan.post("/console/control/resume", stop=number)[0],
    ]
    still = says(gateway, *stopped)
    lifted, _ = minh.post("/console/control/resume", stop=number)

    assert (before, while_stopped, still) == ("PIN", "DOWN", "DOWN")
    assert beside != "DOWN"
    assert (alone, lifted) == ([409, 303, 409], 303)
    assert standing(house) == []
    assert says(gateway, *stopped) == "PIN"


def test_each_step_is_in_the_journal_under_who_took_it(
    house: House, lan: Visit, minh: Visit
) -> None:
    number = ordered(lan)
    lan.post("/console/control/ask", stop=number, note="đã kiểm tra")
    minh.post("/console/control/refuse", stop=number)
    minh.post("/console/control/ask", stop=number, note="đã kiểm tra")
    lan.post("/console/control/resume", stop=number)

    told = house.database.read(lambda s: acts.page(s, house.keyring, 50, kind=Kind.CONTROL))

    assert [(each.act.actor, each.act.payload["act"]) for each in told[::-1] if each.act] == [
        ("officer:lan", "stop"),
        ("officer:lan", "resume-ask"),
        ("officer:minh", "resume-refuse"),
        ("officer:minh", "resume-ask"),
        ("officer:lan", "resume"),
    ]


def test_who_resumes_has_shown_the_device_of_late_and_who_stops_need_not(
    house: House, lan: Visit
) -> None:
    house.clock.advance(timedelta(minutes=6))

    number = ordered(lan)
    status, place = lan.post("/console/control/ask", stop=number, note="đã kiểm tra")

    assert (status, place.partition("?")[0]) == (303, "/console/step-up")
    assert standing(house)[0].resume_asked_by is None


@pytest.mark.parametrize(
    "form",
    [
        {"what": "link:nowhere"},
        {"what": "command:"},
        {"what": "service:x"},
        {"what": ""},
        {"reason": "journal-fault"},
        {"reason": ""},
        {"note": "x" * 501},
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_cannot_be_stopped_is_not(house: House, lan: Visit, form: dict[str, str]) -> None:
    asked = {"what": "service", "reason": "security", **form}

    status, _ = lan.post("/console/control/stop", **asked)

    assert status == 409
    assert standing(house) == []


@pytest.mark.parametrize("number", ["", "x", "-1", "0", "999", "99999999999999999999", "١"])
@pytest.mark.parametrize("what", ["ask", "resume", "refuse"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_stop_that_is_none_is_not_lifted(
    house: House, lan: Visit, number: str, what: str
) -> None:
    status, _ = lan.post(f"/console/control/{what}", stop=number, note="đã kiểm tra")

    assert status == 409


def test_a_session_that_nobody_touched_for_a_while_still_stops(house: House, lan: Visit) -> None:
    house.clock.advance(timedelta(minutes=9))
    began = time.monotonic()

    ordered(lan)

    assert time.monotonic() - began < 2
