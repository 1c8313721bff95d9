"""Caps: how much an officer may look at, what is counted, and what happens then."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

from console.access import meter
from console.access.roles import Role
from console.queries.messages import ROWS
from core.errors import UnavailableError
from journal.entries import Draft, Kind, Retention
from tests.console.conftest import FROM_HERE, House, Visit
from tests.console.test_guard import ONE_DATABASE
from tests.console.test_reveals import asked, told
from tests.sms.gateway import stranger

Enter = Callable[..., Visit]
NEWS = {"HX-Request": "true"}


def rows(page: str) -> int:
    return page.count('href="/console/messages/')


def acts_on(page: str) -> int:
    return page.count('data-label="Việc"')


def news_of(page: str) -> str:
    """Return where a live page asks for news."""
    found = re.search(r'hx-get="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


def older(page: str) -> str | None:
    found = re.search(r'rel="next" href="([^"]+)"', page)
    return html.unescape(found[1]) if found else None


def fill(house: House, count: int) -> None:
    house.gateway.send_all([(stranger(each), "HD") for each in range(count)])


@ONE_DATABASE
def test_who_pages_through_two_thousand_rows_is_stopped(house: House, enter: Enter) -> None:
    fill(house, meter.ROWS.most + ROWS)
    lan, address, shown = enter("lan", Role.VIEWER), "/console/messages", 0
    while True:
        status, page = lan.get(address)
        if status != 200:
            break
        shown += rows(page)
        address = older(page) or ""
        house.clock.advance(timedelta(seconds=2))

    assert (status, shown) == (429, 2000)
    assert rows(page) == 0
    assert "Hôm nay bạn đã xem 2.000 dòng" in page
    assert lan.get("/console/messages")[0] == 429
    assert [each["cap"] for each in told(house) if each.get("act") == "cap-reached"] == ["rows"]
    assert lan.get("/console/control")[0] == 200
    house.clock.advance(timedelta(hours=12))
    assert house.entered_again(lan).get("/console/messages")[0] == 200


@ONE_DATABASE
def test_who_pages_through_two_thousand_acts_is_stopped(house: House, enter: Enter) -> None:
    draft = Draft(
        kind=Kind.ADMIN, retention=Retention.ACT, actor="officer:lan", actor_index=None,
        subject=None, subject_index=None, payload={"act": "see-log", "rows": 50},
    )  # fmt: skip
    made = house.journal.prepare([draft] * (meter.ROWS.most + ROWS))
    house.database.write(lambda session: house.journal.append(session, made))
    ha, address, shown = enter("ha", Role.AUDITOR), "/console/acts", 0
    while True:
        status, page = ha.get(address)
        if status != 200:
            break
        shown += acts_on(page)
        address = older(page) or ""
        house.clock.advance(timedelta(seconds=2))

    assert (status, shown, acts_on(page)) == (429, 2000, 0)
    assert "Hôm nay bạn đã xem 2.000 dòng" in page
    assert ha.get("/console/acts")[0] == 429
    looks = [each["act"] for each in told(house) if each["actor"] == "officer:ha"]
    assert (looks[0], looks.count("see-acts")) == ("cap-reached", 40)
    house.clock.advance(timedelta(hours=12))
    assert house.entered_again(ha).get("/console/acts")[0] == 200


@ONE_DATABASE
def test_the_news_of_an_open_page_are_counted_and_not_journalled_again(
    house: House, enter: Enter
) -> None:
    fill(house, 3)
    lan = enter("lan", Role.VIEWER)
    page = lan.get("/console/messages?live=1")[1]
    entries = len(told(house))
    house.spend(lan.officer(), meter.ROWS, meter.ROWS.most - 3 - 2)
    fill(house, 2)

    first = lan.client.get(news_of(page), headers=NEWS)
    second = lan.client.get(news_of(first.get_data(as_text=True)), headers=NEWS)
    fill(house, 1)
    third = lan.client.get(news_of(second.get_data(as_text=True)), headers=NEWS)

    assert [each.status_code for each in (first, second, third)] == [200, 200, 429]
    assert rows(second.get_data(as_text=True)) == 5
    assert third.headers["HX-Refresh"] == "true"
    assert [each.get("act") for each in told(house)[:-entries]] == ["cap-reached"]


@ONE_DATABASE
def test_nobody_reads_the_log_as_news_of_a_page_that_was_never_open(
    house: House, enter: Enter
) -> None:
    fill(house, 3)
    lan = enter("lan", Role.VIEWER)
    open_page = news_of(lan.get("/console/messages?live=1")[1])
    entries = len(told(house))

    for address in (
        open_page.replace("mark=", "mark=0"),
        f"{open_page}&before=ffffffff-ffff-7fff-bfff-ffffffffffff",
        f"{open_page}&command=HD",
        "/console/messages",
    ):
        lan.client.get(address, headers=NEWS)

    assert [each["act"] for each in told(house)[:-entries]] == ["see-log"] * 4


@ONE_DATABASE
def test_sixty_pages_a_minute_and_the_switch_always(house: House, enter: Enter) -> None:
    lan = enter("lan", Role.SECURITY_OFFICER)
    house.spend(lan.officer(), meter.requests(60), 58)

    answers = [lan.get("/console/messages")[0] for _ in range(3)]
    stopped = lan.post("/console/control/stop", what="service", reason="security")
    news = lan.client.get("/console/messages", headers=NEWS).status_code
    out = lan.post("/console/logout")[0]
    house.clock.advance(timedelta(minutes=1))

    assert answers == [200, 200, 429]
    assert stopped[0] == 303
    assert "stopped=" in stopped[1]
    assert (news, out) == (200, 303)
    assert house.entered_again(lan).get("/console/messages")[0] == 200


@ONE_DATABASE
def test_a_page_that_asks_for_its_news_keeps_no_session_alive(house: House, enter: Enter) -> None:
    lan = enter("lan", Role.VIEWER)
    answers = []

    for _ in range(4):
        house.clock.advance(timedelta(minutes=3))
        answers.append(lan.client.get("/console/messages", headers=NEWS).status_code)

    assert answers == [200, 200, 200, 401]


@ONE_DATABASE
def test_two_hundred_messages_a_day(house: House, enter: Enter) -> None:
    _person, message_id = asked(house)
    lan = enter("lan", Role.VIEWER)
    house.spend(lan.officer(), meter.DETAILS, meter.DETAILS.most - 1)

    last = lan.get(f"/console/messages/{message_id}")[0]
    over, page = lan.get(f"/console/messages/{message_id}")

    assert (last, over) == (200, 429)
    assert "Hôm nay bạn đã mở 200 tin" in page
    assert "m-0" not in page


@ONE_DATABASE
def test_five_searches_a_minute(house: House, enter: Enter) -> None:
    lan = enter("lan", Role.VIEWER)

    answers = [lan.get(f"/console/messages?text=m-{each}")[0] for each in range(6)]

    assert answers == [200] * 5 + [429]


@ONE_DATABASE
def test_what_cannot_be_counted_is_not_shown(house: House, enter: Enter) -> None:
    fill(house, 1)
    lan = enter("lan", Role.VIEWER)

    def fail(*_arguments: object) -> None:
        raise UnavailableError

    house.guard._desk.meter._database.write = fail  # type: ignore[method-assign,assignment]  # the database takes nothing
    status, page = lan.get("/console/messages")

    assert status == 503
    assert rows(page) == 0


@ONE_DATABASE
def test_the_back_button_shows_nothing_after_logout(house: House, enter: Enter) -> None:
    _person, message_id = asked(house)
    lan = enter("lan", Role.INVESTIGATOR)
    for path in ("/console/messages", f"/console/messages/{message_id}", "/console/reveals"):
        assert lan.client.get(path).headers["Cache-Control"] == "no-store"

    answer = lan.client.post(
        "/console/logout", data={"form_token": lan.form_token}, headers=FROM_HERE
    )

    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert lan.get(f"/console/messages/{message_id}")[0] == 303
