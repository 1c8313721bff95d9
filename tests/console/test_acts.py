"""The officers' journal: what officers and operators' people did, for auditors."""

import re
from datetime import timedelta

import pytest

from console.access.roles import Role
from console.acts import Act
from tests.console.conftest import House

PAGE = "/console/acts"
ROWS = 50


def rows(text: str) -> int:
    return text.count('data-label="Việc"')


def test_it_tells_who_did_what_and_that_somebody_looked(house: House) -> None:
    lan, visit = house.entered("lan", Role.SECURITY_OFFICER), house.entered("ha", Role.AUDITOR)
    lan.post("/console/control/stop", what="command:DC", reason="misuse", note="")

    visit.get(PAGE)
    text = visit.get(PAGE)[1]

    assert ">stop<" in text
    assert "officer:lan" in text
    assert text.count(">see-acts<") == 1, "the look before this one"
    assert "command" in text


def test_a_lookup_is_no_act(house: House) -> None:
    person = house.gateway.person()
    house.ask(person.phone, f"DC {person.personal_id}")

    text = house.entered("ha", Role.AUDITOR).get(PAGE)[1]

    assert person.personal_id not in text
    assert str(person.phone) not in text
    assert "phone:" not in text


def test_one_kind_is_told_alone(house: House) -> None:
    lan, visit = house.entered("lan", Role.SECURITY_OFFICER), house.entered("ha", Role.AUDITOR)
    lan.post("/console/control/stop", what="command:DC", reason="misuse", note="")

    controlled, everything = visit.get(f"{PAGE}?kind=control")[1], visit.get(PAGE)[1]
    nonsense = visit.get(f"{PAGE}?kind=lookup")[1]

    assert ">stop<" in controlled
    assert ">see-acts<" not in controlled
    assert rows(controlled) < rows(everything)
    assert ">see-acts<" in nonsense, "lookups are not for auditors of officers"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_pages_lead_to_the_first_act(house: House) -> None:
    visit = house.entered("ha", Role.AUDITOR)
    for _ in range(ROWS + 5):
        house.guard._desk.acts.record(visit.officer(), Act(name="see-acts"))

    newest = visit.get(PAGE)[1]
    older = newest.partition("before=")[2].partition('"')[0]
    rest = visit.get(f"{PAGE}?before={older}")[1]

    assert rows(newest) == ROWS
    assert 0 < rows(rest) < ROWS
    assert ">login<" in rest
    assert 'rel="next"' not in rest
    assert visit.get(f"{PAGE}?before=nonsense")[0] == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_acts_stand_below_their_day(house: House) -> None:
    visit = house.entered("ha", Role.AUDITOR)
    house.clock.advance(timedelta(hours=13))
    visit = house.entered_again(visit)
    house.clock.advance(timedelta(days=1))
    visit = house.entered_again(visit)

    text = visit.get(PAGE)[1]

    days = re.findall(r'scope="rowgroup" colspan="7">([^<]+)<', text)
    assert days == ["Hôm nay · 04/03/2026", "Hôm qua · 03/03/2026", "02/03/2026"]
    assert text.count("<tbody>") == 3
    assert '<time datetime="2026-03-02T05:00:00+00:00">12:00:00</time>' in text
    assert '<time datetime="2026-03-02T18:00:00+00:00">01:00:00</time>' in text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_was_typed_stays_text(house: House) -> None:
    lan, visit = house.entered("lan", Role.VIEWER), house.entered("ha", Role.AUDITOR)
    lan.get("/console/messages?text=<script>alert(1)</script>")

    text = visit.get(PAGE)[1]

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
