"""Pages that show nothing: what they say, and that they say it as pages of the console."""

import pytest

from console.access.roles import Role
from console.access.sessions import IDLE
from tests.console.conftest import FROM_HERE, House
from tests.console.test_guard import ONE_DATABASE

pytestmark = ONE_DATABASE


@pytest.mark.parametrize("path", ["/console/nothing", "/console/control/stop", "/console/acts/1"])
def test_an_address_that_is_none_is_answered_by_a_page_with_the_menu(
    house: House, path: str
) -> None:
    status, page = house.entered("lan", Role.SECURITY_OFFICER).get(path)

    assert status == 404
    assert "Không tìm thấy" in page
    assert 'href="/console/control"' in page


def test_what_a_role_may_not_open_is_said_with_the_menu(house: House) -> None:
    status, page = house.entered("ha", Role.AUDITOR).get("/console/messages")

    assert status == 403
    assert "Vai trò của bạn không mở trang này." in page
    assert 'href="/console/acts"' in page


def test_whoever_comes_back_too_late_learns_that_nothing_was_done(house: House) -> None:
    visit = house.entered("lan", Role.VIEWER)
    house.clock.advance(IDLE)

    answer = visit.client.get("/console/messages", follow_redirects=True)

    assert "Phiên đã hết" in answer.get_data(as_text=True)
    assert "Phiên đã hết" not in house.app.test_client().get("/console/login").text


def test_a_page_that_breaks_tells_nothing_of_how(house: House) -> None:
    visit = house.entered("lan", Role.VIEWER)

    def break_off(*_arguments: object) -> None:
        raise KeyError("a citizen")

    house.links.all = break_off  # type: ignore[method-assign,assignment]  # the registry breaks
    status, page = visit.get("/console/messages")

    assert status == 500
    assert "Trang này hỏng giữa chừng" in page
    assert "citizen" not in page


def test_a_form_that_is_too_long_is_refused_by_a_page(house: House) -> None:
    house.app.config["MAX_CONTENT_LENGTH"] = 1000
    visit = house.entered("lan", Role.SECURITY_OFFICER)

    answer = visit.client.post(
        "/console/control/stop", data={"note": "x" * 2000}, headers=FROM_HERE
    )

    assert answer.status_code == 413
    assert "Không đọc được điều vừa gửi" in answer.text
