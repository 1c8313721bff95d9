"""Reveals: one asks, another grants, it shows once, and each step is in the journal before."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from console import reveals
from console.access import meter
from console.access.meter import Cap
from console.access.roles import Role
from console.queries.masked import without_pin
from core import metrics
from core.errors import UnavailableError
from journal import acts
from journal.errors import JournalError
from records.register import Record
from sms.tables import INBOUND
from tests.console.conftest import FROM_HERE, House, Visit
from tests.console.test_guard import ONE_DATABASE
from tests.sms.gateway import pin_in

WHY = {
    "reason": "người dân khiếu nại không nhận được trả lời",
    "case": "12/2026",
    "receiver": "Công an phường Cửa Nam",
}
Enter = Callable[..., Visit]


def asked(house: House, text: str = "DC {}") -> tuple[Record, UUID]:
    """Have a citizen send a message, and return its sender and its id."""
    person = house.gateway.person()
    house.ask(person.phone, text.format(person.personal_id))
    return person, house.gateway.message().id


def ask(visit: Visit, message_id: UUID, *parts: str, **why: str) -> int:
    form = {"form_token": visit.form_token, **WHY, **why, "part": list(parts)}
    answer = visit.client.post(
        f"/console/messages/{message_id}/reveal",
        data=form,
        headers=FROM_HERE,
    )
    return answer.status_code


def alarms() -> float:
    found: float = metrics.ALARMS.labels("console-much-looked-at")._value.get()
    return found


def newest(house: House, message_id: UUID) -> str:
    now = house.clock.now()
    return str(house.database.read(lambda s: reveals.of_message(s, message_id, now))[0].id)


def told(house: House) -> list[dict[str, object]]:
    """Return what the journal has of officers' acts, the newest first."""
    found = house.database.read(lambda s: acts.page(s, house.keyring, 50))
    return [
        {"actor": each.act.actor, "about": each.about_somebody, **each.act.payload}
        for each in found
        if each.act is not None and each.index is not None
    ]


def show(visit: Visit, reveal: str) -> tuple[int, str]:
    answer = visit.client.post(
        f"/console/reveals/{reveal}/show",
        data={"form_token": visit.form_token},
        headers=FROM_HERE,
    )
    return answer.status_code, answer.get_data(as_text=True)


def test_one_asks_another_grants_and_it_shows_once(house: House, enter: Enter) -> None:
    person, message_id = asked(house)
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)

    assert ask(minh, message_id, "number", "person", "text") == 303
    reveal = newest(house, message_id)
    waits = lan.get("/console/reveals")[1]
    granted = lan.post(f"/console/reveals/{reveal}/grant")[0]
    status, page = show(minh, reveal)
    again, empty = show(minh, reveal)

    assert WHY["reason"] in waits
    assert str(person.phone) not in waits
    assert granted == 303
    assert status == 200
    assert str(person.phone) in page
    assert person.personal_id in page
    assert f"DC {person.personal_id}" in page
    assert person.full_name not in page
    assert again == 409
    assert person.personal_id not in empty


def test_each_step_is_an_entry_and_the_last_is_the_citizens_to_know(
    house: House, enter: Enter
) -> None:
    person, message_id = asked(house)
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)
    ask(minh, message_id, "number")
    reveal = newest(house, message_id)
    lan.post(f"/console/reveals/{reveal}/grant")
    show(minh, reveal)

    steps = [each for each in told(house) if str(each.get("act")).startswith("reveal-")][::-1]

    assert [(step["act"], step["actor"], step["about"]) for step in steps] == [
        ("reveal-ask", "officer:minh", False),
        ("reveal-grant", "officer:lan", False),
        ("reveal-show", "officer:minh", True),
    ]
    assert {step["reveal"] for step in steps} == {reveal}
    assert steps[2]["reason"] == WHY["reason"]
    assert person.personal_id not in json.dumps(steps)
    house.clock.advance(timedelta(minutes=1))
    pin = pin_in(house.ask(person.phone, f"NK {person.personal_id}"))
    assert "CA P. Cua Nam, xem tin nhan" in house.ask(person.phone, f"XN {pin}")


def test_of_two_who_look_at_once_one_sees(house: House, enter: Enter) -> None:
    person, message_id = asked(house)
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)
    ask(minh, message_id, "person")
    reveal = newest(house, message_id)
    lan.post(f"/console/reveals/{reveal}/grant")
    cookie = minh.client.get_cookie("tradan-console")
    assert cookie is not None
    form, both = minh.form_token, [house.app.test_client() for _ in range(2)]

    def look(client: FlaskClient) -> str:
        client.set_cookie("tradan-console", cookie.value)
        answer = client.post(
            f"/console/reveals/{reveal}/show", data={"form_token": form}, headers=FROM_HERE
        )
        return answer.get_data(as_text=True)

    with ThreadPoolExecutor(2) as pool:
        seen = [person.personal_id in page for page in pool.map(look, both)]

    assert sorted(seen) == [False, True]
    assert sum(each.get("act") == "reveal-show" for each in told(house)) == 1


@ONE_DATABASE
def test_what_is_not_kept_any_more_is_said_to_be_gone(house: House, enter: Enter) -> None:
    person, message_id = asked(house)
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)
    ask(minh, message_id, "number", "text")
    reveal = newest(house, message_id)
    lan.post(f"/console/reveals/{reveal}/grant")
    house.database.write(lambda s: s.execute(sa.update(INBOUND).values(blob=None)))

    page = show(minh, reveal)[1]

    assert str(person.phone) in page, "the journal keeps it longer"
    assert "không còn giữ" in page
    assert f"DC {person.personal_id}" not in page


@ONE_DATABASE
def test_who_has_not_shown_the_second_factor_lately_is_sent_to_it(
    house: House, enter: Enter
) -> None:
    _person, message_id = asked(house)
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)
    ask(minh, message_id, "number")
    reveal = newest(house, message_id)
    house.clock.advance(timedelta(minutes=6))

    page = lan.get("/console/reveals")[1]
    status, leads = lan.post(f"/console/reveals/{reveal}/grant")

    assert "/console/step-up?back=/console/reveals" in page
    assert "/grant" not in page
    assert (status, leads[:16]) == (303, "/console/step-up")


@ONE_DATABASE
def test_only_what_was_asked_for_is_shown(house: House, enter: Enter) -> None:
    person, message_id = asked(house)
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)
    ask(minh, message_id, "number")
    reveal = newest(house, message_id)
    lan.post(f"/console/reveals/{reveal}/grant")

    page = show(minh, reveal)[1]

    assert str(person.phone) in page
    assert person.personal_id not in page


@ONE_DATABASE
def test_nobody_grants_their_own_nor_sees_what_another_asked(house: House, enter: Enter) -> None:
    _person, message_id = asked(house)
    both = enter("minh", Role.INVESTIGATOR, Role.APPROVER)
    other = enter("hoa", Role.INVESTIGATOR, Role.APPROVER)
    ask(both, message_id, "number")
    reveal = newest(house, message_id)

    own = both.post(f"/console/reveals/{reveal}/grant")[0]
    early = show(both, reveal)[0]
    other.post(f"/console/reveals/{reveal}/grant")
    stolen = show(other, reveal)[0]

    assert (own, early, stolen) == (409, 409, 409)
    assert show(both, reveal)[0] == 200


@ONE_DATABASE
@pytest.mark.parametrize(
    ("pause", "status"),
    [(reveals.SHOWN_WITHIN - timedelta(seconds=1), 200), (reveals.SHOWN_WITHIN, 409)],
)
def test_what_is_granted_shows_for_a_quarter_of_an_hour(
    house: House, enter: Enter, pause: timedelta, status: int
) -> None:
    _person, message_id = asked(house)
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)
    ask(minh, message_id, "number")
    reveal = newest(house, message_id)
    lan.post(f"/console/reveals/{reveal}/grant")
    house.clock.advance(pause)
    again = house.entered_again(minh)

    assert show(again, reveal)[0] == status


@ONE_DATABASE
def test_what_was_refused_or_waited_too_long_shows_nothing(house: House, enter: Enter) -> None:
    _person, message_id = asked(house)
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)
    ask(minh, message_id, "number")
    refused = newest(house, message_id)
    lan.post(f"/console/reveals/{refused}/refuse")
    ask(minh, message_id, "number")
    late = newest(house, message_id)
    house.clock.advance(reveals.DECIDED_WITHIN)

    minh, lan = house.entered_again(minh), house.entered_again(lan)

    assert lan.post(f"/console/reveals/{late}/grant")[0] == 409
    assert [show(minh, each)[0] for each in (refused, late)] == [409, 409]


@ONE_DATABASE
@pytest.mark.parametrize(
    "wrong",
    [{"reason": "too short"}, {"reason": "x" * 201}, {"case": " "}, {"receiver": "\x00" * 9}],
)
def test_who_does_not_say_why_is_refused(house: House, enter: Enter, wrong: dict[str, str]) -> None:
    _person, message_id = asked(house)
    minh = enter("minh", Role.INVESTIGATOR)

    assert ask(minh, message_id, "number", **wrong) == 409
    assert ask(minh, message_id) == 409
    assert ask(minh, message_id, "number") == 303
    assert ask(minh, message_id, "number") == 409


@ONE_DATABASE
def test_ids_that_are_guessed_lead_nowhere(house: House, enter: Enter) -> None:
    nobody = UUID("01890000-0000-7000-8000-000000000000")
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)

    assert ask(minh, nobody, "number") == 409
    assert minh.get(f"/console/messages/{nobody}")[0] == 404
    assert lan.post(f"/console/reveals/{nobody}/grant")[0] == 409
    assert show(minh, str(nobody))[0] == 409


@ONE_DATABASE
@pytest.mark.parametrize("error", [JournalError, UnavailableError])
def test_what_cannot_be_journalled_is_not_shown(
    house: House, enter: Enter, error: type[Exception]
) -> None:
    person, message_id = asked(house)
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)
    ask(minh, message_id, "number", "person", "text")
    reveal = newest(house, message_id)
    lan.post(f"/console/reveals/{reveal}/grant")
    right, prepare = minh.form_token, house.journal.prepare

    def fail(*_arguments: object) -> None:
        raise error

    house.journal.prepare = fail  # type: ignore[method-assign,assignment]  # the journal takes nothing
    status, page = show(minh, reveal)
    house.journal.prepare = prepare  # type: ignore[method-assign]  # and takes again

    assert right
    assert status == 503
    assert str(person.phone) not in page
    assert person.personal_id not in page
    assert show(minh, reveal)[0] == 200, "what was not shown is not used up"


@ONE_DATABASE
def test_scripts_in_a_text_and_in_a_name_stay_text(house: House, enter: Enter) -> None:
    _person, message_id = asked(house, "<script>alert(1)</script> DC {}")
    minh, lan = enter("minh", Role.INVESTIGATOR), enter("lan", Role.APPROVER)
    ask(minh, message_id, "text", receiver='"><img src=x onerror=alert(2)>')
    reveal = newest(house, message_id)
    waits = lan.get("/console/reveals")[1]
    lan.post(f"/console/reveals/{reveal}/grant")

    page = show(minh, reveal)[1]

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<img" not in re.sub(r'<img src="/console/static[^>]*>', "", waits)


@ONE_DATABASE
def test_nobody_asks_more_than_fifty_times_a_day_and_twenty_alarm(
    house: House, enter: Enter
) -> None:
    _person, message_id = asked(house)
    minh, before = enter("minh", Role.INVESTIGATOR), alarms()
    house.spend(minh.officer(), meter.REVEALS, 19)
    quiet = alarms() - before

    status = ask(minh, message_id, "number")
    loud = alarms() - before
    house.spend(minh.officer(), meter.REVEALS, 30)
    over = ask(minh, asked(house)[1], "number")
    house.clock.advance(timedelta(hours=12))
    tomorrow = ask(house.entered_again(minh), message_id, "number")

    assert (status, over, tomorrow) == (303, 429, 303)
    assert (quiet, loud, alarms() - before) == (0, 1, 2)
    assert [each["cap"] for each in told(house) if each.get("act") == "cap-reached"] == ["reveals"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("XN 482913", "XN ••••••"),
        ("ma 48 29 13", "ma •• •• ••"),
        ("xn ４８２９１３", "xn ••••••"),
        ("DC 001085123456", "DC 001085123456"),
        ("DC 001085123456 482913", "DC 001085123456 ••••••"),
        ("HD", "HD"),
    ],
)
def test_what_may_be_a_pin_is_hidden(text: str, shown: str) -> None:
    assert without_pin(text) == shown


def test_a_cap_counts_by_day_and_by_minute(house: House, enter: Enter) -> None:
    officer, cap = enter("minh", Role.VIEWER).officer(), Cap("tests", 3, is_daily=False)

    house.spend(officer, cap, 3)
    refused = house.is_refused(officer, cap)
    house.clock.advance(timedelta(minutes=1))

    assert refused
    assert not house.is_refused(officer, cap)
