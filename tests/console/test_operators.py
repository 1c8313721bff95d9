"""The pages of operators: how each link does, who vouches for it, how it begins and ends."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from billing import tariffs
from console.access.roles import Role
from core.clock import vietnam_day
from records import stops
from records.stops import Order, Scope, StopReason
from sms.links import assessments
from sms.links.model import LinkState
from sms.tables import INBOUND, LINK
from sms.tally import TALLY
from tests.console.conftest import House, Visit
from tests.sms.gateway import REAL, SECRET, TEST

PAGE = f"/console/operators/{TEST}"
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def manager(house: House, name: str = "minh") -> Visit:
    return house.entered(name, Role.OPERATOR_MANAGER)


def later(house: House) -> None:
    """Have changes to links be seen."""
    house.clock.advance(timedelta(seconds=2))


def test_a_link_is_told_with_its_last_messages_and_what_was_accepted(house: House) -> None:
    gateway = house.gateway
    person = gateway.person()
    house.ask(person.phone, f"DC {person.personal_id}")
    minute = house.clock.now().replace(second=0, microsecond=0)
    other = gateway.link(REAL)

    def tally(session: sa.orm.Session) -> None:
        session.execute(
            sa.insert(TALLY),
            {"minute": minute, "link_id": other.id, "command": "DC", "state": "answered",
             "reply": "PIN", "messages": 4321},
        )  # fmt: skip

    house.database.write(tally)
    text = house.entered("lan", Role.VIEWER).get("/console/operators")[1]

    assert text.count("● hoạt động") == 3
    assert "1 / 1" in text
    assert "4.321" in text
    assert "không trong 7 ngày" in text, "the third link carried nothing"
    assert SECRET not in text


def test_steps_follow_from_what_happened_and_from_what_somebody_vouches_for(house: House) -> None:
    visit, gateway = manager(house), house.gateway
    link, now = gateway.link(TEST), house.clock.now()
    assert "Mười bước kết nối · 2/10" in visit.get(PAGE)[1], "a secret and an assessment"

    person = gateway.person()
    house.ask(person.phone, f"DC {person.personal_id}")

    def rehearse(session: sa.orm.Session) -> None:
        tariffs.set_price(session, link.operator, vietnam_day(now), 30_000)
        order = Order(scope=Scope.LINK, key=TEST, reason=StopReason.MAINTENANCE, by="officer:a")
        number = stops.stop(session, order, now)
        assert number is not None
        stops.ask_resume(session, number, by="officer:a", note="", now=now)
        stops.resume(session, number, by="officer:b", now=now)

    house.database.write(rehearse)
    ticked = visit.post(f"{PAGE}/step", step="agreed", note="hợp đồng 12/2026")
    text = visit.get(PAGE)[1]

    assert ticked == (303, PAGE)
    assert "Mười bước kết nối · 7/10" in text
    assert "hợp đồng 12/2026" in text
    assert "officer:minh" in text
    assert SECRET not in text
    assert visit.post(f"{PAGE}/step", step="agreed", undo="1")[0] == 303
    assert "Mười bước kết nối · 6/10" in visit.get(PAGE)[1]
    acts = house.entered("ha", Role.AUDITOR).get("/console/acts")[1]
    assert ">link-step<" in acts
    assert ">link-step-undo<" in acts


@ONE_DATABASE
def test_what_is_seen_or_not_said_is_not_ticked(house: House) -> None:
    visit = manager(house)

    for form in (
        {"step": "heard", "note": "somebody says so"},
        {"step": "nonsense", "note": "x"},
        {"step": "agreed", "note": " "},
        {"step": "agreed", "note": "x" * 201},
    ):
        assert visit.post(f"{PAGE}/step", **form)[0] == 409, form
    assert "2/10" in visit.get(PAGE)[1]


@ONE_DATABASE
def test_a_link_is_disabled_and_enabled(house: House) -> None:
    visit = manager(house)

    visit.post(f"{PAGE}/state")
    later(house)
    disabled = house.links.get(TEST), visit.get(PAGE)[1]
    visit.post(f"{PAGE}/state", undo="1")
    later(house)

    assert disabled[0] is not None
    assert disabled[0].state is LinkState.DISABLED
    assert "đã tắt" in disabled[1]
    assert "Bật lại" in disabled[1]
    link = house.links.get(TEST)
    assert link is not None
    assert link.state is LinkState.ACTIVE


def test_whoever_vouches_says_what_for_and_until_when(house: House) -> None:
    visit, now = manager(house), house.clock.now()
    day = vietnam_day(now + timedelta(days=30))

    done = visit.post(
        f"{PAGE}/assess", evidence="biên bản 12/2026", until=f"{day:%d/%m/%Y}",
        responsible="Phạm Thị Dung",
    )  # fmt: skip
    later(house)

    link = house.gateway.link(TEST)
    newest = house.database.read(lambda s: assessments.of(s, link.id))[0]
    assert done == (303, PAGE)
    assert (newest.by, newest.evidence) == ("officer:minh", "biên bản 12/2026")
    assert newest.responsible == "Phạm Thị Dung"
    assert link.assessed_until == newest.until
    assert timedelta(days=30) < newest.until - now < timedelta(days=31)
    text = visit.get(PAGE)[1]
    assert "biên bản 12/2026" in text
    assert "Phạm Thị Dung" in text
    assert f"✓ đến {day:%d/%m/%Y}" in text


@ONE_DATABASE
def test_whoever_names_nobody_answers_for_the_channel(house: House) -> None:
    visit = manager(house)

    visit.post(f"{PAGE}/assess", evidence="biên bản 12/2026")
    long_name = visit.post(f"{PAGE}/assess", evidence="biên bản 12/2026", responsible="x" * 101)

    link = house.gateway.link(TEST)
    newest = house.database.read(lambda s: assessments.of(s, link.id))[0]
    assert (newest.responsible, long_name[0]) == ("Minh", 409)


@ONE_DATABASE
@pytest.mark.parametrize(
    ("left", "said", "colour"),
    [
        (timedelta(days=31), "", ""),
        (timedelta(days=29), "! đến 31/03/2026 · còn 29 ngày", "warning"),
        (timedelta(days=6), "! đến 08/03/2026 · còn 6 ngày", "danger"),
        (-timedelta(days=1), "✕ hết hạn 01/03/2026", "danger"),
    ],
)
def test_the_end_of_an_assessment_is_warned_of_on_every_page_that_tells_of_links(
    house: House, left: timedelta, said: str, colour: str
) -> None:
    until = house.clock.now() + left
    change = sa.update(LINK).where(LINK.c.code == TEST).values(assessed_until=until)
    house.database.write(lambda s: s.execute(change).close())
    later(house)
    house.clock.at -= timedelta(seconds=2)
    visit = house.entered("lan", Role.VIEWER)

    overview = visit.get("/console/")[1]
    listed, page = visit.get("/console/operators")[1], visit.get(PAGE)[1]

    assert ("Đánh giá kênh <a" in overview) is bool(said)
    assert [said in text for text in (overview, listed, page)] == [True] * 3
    assert f'<p class="state" data-color="{colour}">Đánh giá' in overview or not said


@ONE_DATABASE
def test_an_assessment_without_grounds_or_end_is_none(house: House) -> None:
    visit, before = manager(house), house.gateway.link(TEST).assessed_until

    for form in (
        {"evidence": "short"},
        {"evidence": "x" * 501},
        {"evidence": "long enough for it", "until": "yesterday"},
        {"evidence": "long enough for it", "until": "31/12/2030"},
        {"evidence": "long enough for it", "until": "no day"},
    ):
        assert visit.post(f"{PAGE}/assess", **form)[0] == 409, form
    later(house)
    assert house.gateway.link(TEST).assessed_until == before


def test_two_end_a_link_for_good(house: House) -> None:
    minh, lan = manager(house), house.entered("lan", Role.SECURITY_OFFICER)

    asked = minh.post(f"{PAGE}/ask-ending", reason="hết hợp đồng")
    again = lan.post(f"{PAGE}/ask-ending", reason="another")
    alone = minh.post(f"{PAGE}/end-ending", code=TEST)
    untyped = lan.post(f"{PAGE}/end-ending", code="")
    waiting = minh.get(PAGE)[1]
    later(house)
    before = house.gateway.link(TEST).state
    ended = lan.post(f"{PAGE}/end-ending", code=TEST)
    later(house)

    assert [asked[0], again[0], alone[0], untyped[0], ended[0]] == [303, 409, 409, 409, 303]
    assert before is LinkState.ACTIVE
    assert "Chờ một cán bộ khác" in waiting
    link = house.gateway.link(TEST)
    assert (link.state, link.secrets, link.path_secret) == (LinkState.TERMINATED, (), None)
    text = lan.get(PAGE)[1]
    assert "đã chấm dứt" in text
    assert "officer:minh" in text
    assert "officer:lan" in text
    assert "<form method" not in text.partition("<main")[2]
    acts = house.entered("ha", Role.AUDITOR).get("/console/acts")[1]
    assert ">link-terminate-ask<" in acts
    assert ">link-terminate<" in acts


@ONE_DATABASE
def test_a_link_goes_on_that_somebody_does_not_want_ended(house: House) -> None:
    minh, lan = manager(house), house.entered("lan", Role.SECURITY_OFFICER)
    assert lan.post(f"{PAGE}/keep-ending")[0] == 409

    minh.post(f"{PAGE}/ask-ending", reason="hết hợp đồng")
    kept = lan.post(f"{PAGE}/keep-ending")
    ended = lan.post(f"{PAGE}/end-ending", code=TEST)

    assert (kept[0], ended[0]) == (303, 409)
    assert house.gateway.link(TEST).state is LinkState.ACTIVE


@ONE_DATABASE
def test_a_link_that_is_not_there_is_no_page_and_changes_nothing(house: House) -> None:
    visit = manager(house)

    assert visit.get("/console/operators/nobody")[0] == 404
    assert visit.post("/console/operators/nobody/state")[0] == 409


@ONE_DATABASE
def test_changes_to_a_link_follow_the_second_factor(house: House) -> None:
    visit = manager(house)
    house.clock.advance(timedelta(minutes=6))

    status, where = visit.post(f"{PAGE}/state")

    assert (status, where.partition("?")[0]) == (303, "/console/step-up")
    assert house.gateway.link(TEST).state is LinkState.ACTIVE


@ONE_DATABASE
def test_a_viewer_sees_links_and_changes_none(house: House) -> None:
    text = house.entered("lan", Role.VIEWER).get(PAGE)[1]

    assert "<form method" not in text.partition("<main")[2]


@ONE_DATABASE
def test_without_links_the_list_says_who_adds_them(house: House) -> None:
    def forget(session: sa.orm.Session) -> None:
        for table in ("link_assessment", "link_secret", "link"):
            session.execute(sa.delete(sa.table(table)))

    house.database.write(forget)
    later(house)

    assert "operator add" in house.entered("lan", Role.VIEWER).get("/console/operators")[1]


@ONE_DATABASE
def test_a_message_of_a_link_that_is_gone_spoils_no_list(house: House) -> None:
    def stray(session: sa.orm.Session) -> None:
        session.execute(sa.update(INBOUND).values(link_id=99))

    house.ask("+84987000801", "HD")
    house.database.write(stray)

    assert house.entered("lan", Role.VIEWER).get("/console/operators")[0] == 200
