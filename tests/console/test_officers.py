"""Officers and their sessions: added, given roles, shut out, invited anew, logged out."""

import pytest

from console.access import officers, sessions
from console.access.invitations import InvitationKind
from console.access.roles import Role
from tests.console.conftest import FROM_HERE, House, Visit

PAGE = "/console/officers"
ENTER = InvitationKind.ENTER
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def admin(house: House) -> Visit:
    return house.entered("tam", Role.USER_ADMIN)


def sent(visit: Visit, path: str, **form: str | list[str]) -> tuple[int, str]:
    """Send a form and return status and page."""
    answer = visit.client.post(
        f"{PAGE}/{path}", data={"form_token": visit.form_token, **form}, headers=FROM_HERE
    )
    return answer.status_code, answer.get_data(as_text=True)


def test_an_officer_is_added_and_invited_once_and_everything_is_an_act(house: House) -> None:
    visit = admin(house)

    status, text = sent(visit, "add", name="hoa", full_name="Đỗ Thị Hoa", role=["viewer"])
    link = text.partition("/console/invitation/")[2].partition("<")[0]
    again = visit.get(PAGE)[1]

    assert status == 200
    assert len(link) > 30
    assert link not in again
    assert "Đỗ Thị Hoa" in again
    assert "chờ nhận" in again
    invited = house.app.test_client().get(f"/console/invitation/{link}")
    assert "Đỗ Thị Hoa" in invited.get_data(as_text=True)
    acts = house.entered("ha", Role.AUDITOR).get("/console/acts")[1]
    assert ">officer-add<" in acts
    assert "officer:tam" in acts
    assert link not in acts


@ONE_DATABASE
def test_who_is_not_properly_named_is_not_added(house: House) -> None:
    visit = admin(house)
    forms: list[dict[str, str | list[str]]] = [
        {"role": []},
        {"role": ["auditor", "viewer"]},
        {"role": ["emperor"]},
        {"name": "Hoa!"},
        {"name": ""},
        {"name": "tam"},
        {"full_name": " "},
        {"full_name": "x" * 101},
    ]

    for form in forms:
        whole = {"name": "hoa", "full_name": "Hoa", "role": ["viewer"], **form}
        assert sent(visit, "add", **whole)[0] == 409, form
    assert len(house.database.read(officers.everybody)) == 1


def test_another_part_ends_the_session_and_holds_from_then_on(house: House) -> None:
    lan, visit = house.entered("lan", Role.VIEWER), admin(house)
    assert lan.get("/console/messages")[0] == 200

    status, _ = sent(visit, "roles", name="lan", role=["billing-maker"])

    assert status == 303
    assert lan.get("/console/messages")[0] == 303
    house.entered_again(lan)
    assert lan.get("/console/messages")[0] == 403


@ONE_DATABASE
def test_an_officer_is_shut_out_at_once_and_let_in_again(house: House) -> None:
    lan, visit = house.entered("lan", Role.VIEWER), admin(house)

    sent(visit, "lock", name="lan")
    locked = lan.get("/console/")[0], "đã khóa" in visit.get(PAGE)[1]
    sent(visit, "lock", name="lan", undo="1")

    assert locked == (303, True)
    assert lan.get("/console/")[0] == 303, "the session does not come back"
    assert house.entered_again(lan).get("/console/")[0] == 200


@ONE_DATABASE
def test_an_invitation_anew_ends_what_was(house: House) -> None:
    lan, visit = house.entered("lan", Role.VIEWER), admin(house)

    status, text = sent(visit, "invite", name="lan")

    assert status == 200
    assert "/console/invitation/" in text
    assert lan.get("/console/")[0] == 303


@ONE_DATABASE
def test_a_session_is_ended_by_its_row(house: House) -> None:
    lan, visit = house.entered("lan", Role.VIEWER), admin(house)
    now = house.clock.now()
    theirs = [
        login
        for login in house.database.read(lambda s: sessions.in_force(s, now))
        if login.officer.name == "lan"
    ]

    assert str(theirs[0].id) in visit.get(PAGE)[1]
    assert sent(visit, "end", session=str(theirs[0].id))[0] == 303
    assert lan.get("/console/")[0] == 303
    assert sent(visit, "end", session="no session")[0] == 409


@ONE_DATABASE
def test_a_session_is_told_by_the_browser_and_what_it_sent_stays_text(house: House) -> None:
    house.officer("lan", Role.VIEWER)
    sent_as = '"><script>alert(1)</script> (Windows NT 10.0) Chrome/141.0 ' + "x" * 200
    token = house.invited(house.database.read(lambda s: officers.by_name(s, "lan")), ENTER)
    house.app.test_client().post(
        f"/console/invitation/{token}", headers={**FROM_HERE, "User-Agent": sent_as}
    )

    text = admin(house).get(PAGE)[1]

    assert ">Chrome 141 · Windows</span>" in text
    assert "<script>alert" not in text
    assert 'title="&#34;&gt;&lt;script&gt;' in text
    assert "x" * 100 not in text


@ONE_DATABASE
@pytest.mark.parametrize("path", ["roles", "lock", "invite"])
def test_nobody_changes_their_own_account_or_one_that_is_not_there(house: House, path: str) -> None:
    visit = admin(house)

    for name in ("tam", "nobody"):
        assert sent(visit, path, name=name, role=["viewer"])[0] == 409
    assert visit.get(PAGE)[0] == 200


@ONE_DATABASE
def test_who_may_only_look_has_no_forms(house: House) -> None:
    text = house.entered("ha", Role.AUDITOR).get(PAGE)[1]

    assert "<form" not in text.partition("<main")[2]


@ONE_DATABASE
def test_no_secret_of_an_officer_is_on_the_page(house: House) -> None:
    lan = house.entered("lan", Role.VIEWER)
    cookie = lan.client.get_cookie("tradan-console")
    assert cookie is not None

    text = admin(house).get(PAGE)[1]

    assert cookie.value not in text
    assert "argon2" not in text
