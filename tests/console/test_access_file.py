"""Access files: who looked at one record, told to who may know, and journalled before."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from console.access import meter
from console.access.roles import Role
from core.keyring import row_id
from journal.entries import Draft, Kind, Retention, ToldAs
from journal.errors import JournalError
from records import citizens
from records.register import Record
from tests.console.conftest import FROM_HERE, House, Visit
from tests.console.test_guard import ONE_DATABASE
from tests.console.test_reveals import WHY, told
from tests.sms.gateway import pin_in

Enter = Callable[..., Visit]
NOBODY = "001085123456"


def open_file(visit: Visit, who: object, **form: str) -> tuple[int, str]:
    data = {"form_token": visit.form_token, "who": str(who), **WHY, **form}
    answer = visit.client.post("/console/access-file", data=data, headers=FROM_HERE)
    return answer.status_code, html.unescape(answer.get_data(as_text=True))


def looked_up(house: House) -> Record:
    """Have a citizen look up their own record."""
    person = house.gateway.person()
    pin = pin_in(house.ask(person.phone, f"DC {person.personal_id}"))
    house.ask(person.phone, f"XN {pin}")
    return person


def embargoed(house: House, person: Record) -> str:
    """Write an access that the citizen may not know of yet, and return its receipt."""
    draft = Draft(
        kind=Kind.ADMIN,
        retention=Retention.ACT,
        actor="officer:binh",
        actor_index=None,
        subject=f"person:{person.personal_id}",
        subject_index=row_id(house.keyring.index("personal_id", person.personal_id)),
        payload={"act": "journal-open", "receiver": "Cục Cảnh sát hình sự", "reason": "án 7"},
        told_as=ToldAs.ACCESS,
        embargo_until=house.clock.now() + timedelta(days=30),
    )
    made = house.journal.prepare([draft])
    house.database.write(lambda s: house.journal.append(s, made))
    house.gateway.seal()
    return made[0].receipt


def rows(page: str) -> list[str]:
    body = re.search(r"<tbody>(.*)</tbody>", page, re.DOTALL)
    return re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL) if body else []


@pytest.mark.parametrize("by", ["personal_id", "phone"])
def test_who_looked_is_told_and_the_looking_is_told_too(
    house: House, enter: Enter, by: str
) -> None:
    person = looked_up(house)
    minh = enter("minh", Role.INVESTIGATOR)

    status, page = open_file(minh, getattr(person, by))

    assert status == 200
    first, second = rows(page)
    assert "Công an phường Cửa Nam" in first
    assert f"{WHY['reason']} ({WHY['case']})" in first
    assert "Công dân, bằng SMS" in second
    assert "hồ sơ" in second
    assert person.personal_id not in page
    assert str(person.phone) not in page
    assert person.full_name not in page
    (entry,) = (each for each in told(house) if each.get("act") == "access-file")
    assert (entry["about"], entry["case"], entry["copy"]) == (True, WHY["case"], "citizen")
    house.clock.advance(timedelta(minutes=1))
    pin = pin_in(house.ask(person.phone, f"NK {person.personal_id}"))
    assert "CA P. Cua Nam, trich luc nhat ky" in house.ask(person.phone, f"XN {pin}")


@ONE_DATABASE
def test_what_is_under_embargo_shows_to_who_may_see_it_and_is_marked(
    house: House, enter: Enter
) -> None:
    person = looked_up(house)
    receipt = embargoed(house, person)
    minh = enter("minh", Role.INVESTIGATOR)
    lan = enter("lan", Role.INVESTIGATOR, Role.SECURITY_OFFICER)

    for_citizen = open_file(minh, person.personal_id)[1]
    not_minh = open_file(minh, person.personal_id, copy="internal")[0]
    also_for_citizen = open_file(lan, person.personal_id)[1]
    internal = open_file(lan, person.personal_id, copy="internal")[1]
    house.clock.advance(timedelta(days=31))
    later = open_file(house.entered_again(minh), person.personal_id)[1]

    assert receipt not in for_citizen
    assert receipt not in also_for_citizen
    assert not_minh == 409
    assert receipt in internal
    assert "chưa báo đến" in internal
    assert "officer:binh" in internal
    assert "KHÔNG GIAO CHO CÔNG DÂN" in internal
    assert "officer:" not in for_citizen
    assert receipt in later
    assert "chưa báo đến" not in later


@ONE_DATABASE
def test_an_unknown_citizen_has_a_file_like_one_whom_nobody_looked_at(
    house: House, enter: Enter
) -> None:
    known, minh = house.gateway.person(), enter("minh", Role.INVESTIGATOR)

    def shape(who: object) -> str:
        page = open_file(minh, who)[1]
        main = page.split("<main")[1]
        return re.sub(r"<svg.*?</svg>|[0-9a-f]{64}|[0-9A-Z]{4}(-[0-9A-Z]{4}){3}|\d", "", main)

    shapes = shape(known.personal_id), shape(NOBODY)
    house.clock.advance(timedelta(minutes=1))
    unknown_phone = open_file(minh, "+84563000000")

    assert shapes[0] == shapes[1]
    assert unknown_phone[0] == 200
    assert "Nhật ký không có lần truy cập nào" in unknown_phone[1]


@ONE_DATABASE
def test_of_those_who_share_a_number_one_is_chosen(house: House, enter: Enter) -> None:
    person = looked_up(house)
    other = replace(house.gateway.person(), phone=person.phone)
    citizens.store(house.database, house.keyring, [other])
    minh = enter("minh", Role.INVESTIGATOR)
    both = sorted([person.personal_id, other.personal_id])

    choice = open_file(minh, person.phone)[1]
    chosen = open_file(minh, person.phone, which=str(both.index(person.personal_id)))[1]
    wrong = open_file(minh, person.phone, which="7")[1]

    assert [each[-3:] in choice for each in both] == [True, True]
    assert not any(each in choice for each in both)
    assert rows(choice) == []
    assert len(rows(chosen)) == 2
    assert "Mở hồ sơ của ai?" in wrong
    assert sum(each.get("act") == "access-choice" for each in told(house)) == 2


@ONE_DATABASE
def test_nobody_is_found_by_a_part_or_without_a_reason(house: House, enter: Enter) -> None:
    minh = enter("minh", Role.INVESTIGATOR)

    answers = [
        open_file(minh, who, **form)[0]
        for who, form in (
            ("00108512345", {}), ("001085%", {}), ("0912", {}), ("' OR 1=1 --", {}), ("", {}),
            (NOBODY, {"reason": "because"}), (NOBODY, {"case": ""}), (NOBODY, {"receiver": ""}),
        )
    ]  # fmt: skip

    assert answers == [409] * 8
    assert f'value="{NOBODY}"' not in minh.get(f"/console/access-file?who={NOBODY}")[1]
    assert not any(each.get("act") == "access-file" for each in told(house))


@ONE_DATABASE
def test_a_name_that_is_a_script_stays_text(house: House, enter: Enter) -> None:
    minh = enter("minh", Role.INVESTIGATOR)
    data = {"form_token": minh.form_token, "who": NOBODY, **WHY}
    data |= {"receiver": "<script>alert(1)</script>", "case": "\"'><b onclick=x>"}

    page = minh.client.post("/console/access-file", data=data, headers=FROM_HERE)
    text = page.get_data(as_text=True)

    assert "<script>alert" not in text
    assert "<b onclick" not in text
    assert "&lt;script&gt;alert(1)" in text


@ONE_DATABASE
def test_no_file_opens_that_cannot_be_journalled(house: House, enter: Enter) -> None:
    person, minh = looked_up(house), enter("minh", Role.INVESTIGATOR)

    def fail(*_arguments: object) -> None:
        raise JournalError

    house.journal.prepare = fail  # type: ignore[method-assign,assignment]  # the journal takes nothing
    status, page = open_file(minh, person.personal_id)

    assert status == 503
    assert rows(page) == []


@ONE_DATABASE
def test_searches_and_files_have_caps(house: House, enter: Enter) -> None:
    minh = enter("minh", Role.INVESTIGATOR)

    answers = [open_file(minh, NOBODY)[0] for _ in range(6)]
    house.clock.advance(timedelta(minutes=1))
    house.spend(minh.officer(), meter.FILES, meter.FILES.most - 5)

    assert answers == [200] * 5 + [429]
    assert open_file(minh, NOBODY)[0] == 429
