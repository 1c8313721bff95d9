"""The lookup log and one message of it: masked, filtered, a page at a time, proved in view."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from console.access.roles import Role
from console.queries import messages
from console.queries.messages import ROWS, Wanted
from journal.journal import Inclusion
from records.register import Record
from sms import receipts
from sms.deliveries import Delivery, News
from sms.links.model import LinkKind
from sms.receipts import Receipt
from sms.tables import INBOUND, LINK
from tests.console.conftest import House
from tests.sms.gateway import TEST, pin_in

PAGE = "/console/messages"
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def looked_up(house: House) -> Record:
    """Have somebody look themselves up."""
    person = house.gateway.person()
    pin = pin_in(house.ask(person.phone, f"DC {person.personal_id}"))
    assert person.full_name.split()[-1].upper()[:1] in house.ask(person.phone, f"XN {pin}")
    return person


def path_of(house: House, serial: int = -1) -> str:
    return f"{PAGE}/{house.gateway.message(serial).id}"


def listed(text: str) -> int:
    return text.count('data-label="Mã tin"')


def test_the_log_shows_what_kind_of_message_came_and_nothing_of_anybody(house: House) -> None:
    person = looked_up(house)

    text = house.entered("lan", Role.VIEWER).get(PAGE)[1]

    assert listed(text) == 2
    assert "Mã xác thực" in text
    assert "Kết quả" in text
    assert f"•••&nbsp;{str(person.phone)[-3:]}" in text
    assert str(person.phone)[-4:] not in text
    assert person.personal_id not in text
    assert person.full_name not in text


def test_a_filter_finds_its_kind_and_says_so_in_the_address(house: House) -> None:
    looked_up(house)
    house.ask("+84987000801", "HD")
    visit = house.entered("lan", Role.VIEWER)

    found = {
        asked: listed(visit.get(f"{PAGE}?{asked}")[1])
        for asked in (
            "command=DC", "reply=HELP", "state=answered", f"link={TEST}", "link=nobody",
            "since=hôm nay", "until=1/1/2020", "since=1/1/2099", "reply=PIN&command=HD",
        )
    }  # fmt: skip

    assert found == {
        "command=DC": 1, "reply=HELP": 1, "state=answered": 3, f"link={TEST}": 3, "link=nobody": 0,
        "since=hôm nay": 3, "until=1/1/2020": 0, "since=1/1/2099": 0, "reply=PIN&command=HD": 0,
    }  # fmt: skip
    assert 'aria-invalid="true"' in visit.get(f"{PAGE}?since=some+day")[1]


def test_a_message_is_found_by_its_receipt_its_code_and_the_operators_id(house: House) -> None:
    looked_up(house)
    visit = house.entered("lan", Role.VIEWER)
    page = visit.get(path_of(house))[1]
    receipt = page.partition("Biên nhận</dt><dd><code>")[2].partition("<")[0]
    theirs = str(house.gateway.message().operator_message_id)

    found = [listed(visit.get(f"{PAGE}?text={text}")[1]) for text in (receipt, theirs, "NOTHING")]

    assert len(receipt) > 6
    assert found == [1, 1, 0]


@ONE_DATABASE
def test_pages_lead_back_and_forth_over_every_message_once(house: House) -> None:
    house.gateway.send_all([(f"+849870{n:05d}", "HD") for n in range(2 * ROWS + 5)])

    def page(**places: UUID | None) -> messages.Listing:
        return house.database.read(
            lambda s: messages.page(
                s, house.keyring, house.journal, Wanted(),
                before=places.get("before"), after=places.get("after"),
            )
        )  # fmt: skip

    first = page()
    second = page(before=first.older)
    third = page(before=second.older)
    back = page(after=third.newer)

    rows = [row.id for each in (first, second, third) for row in each.rows]
    assert len(rows) == len(set(rows)) == 2 * ROWS + 5
    assert (first.newer, third.older) == (None, None)
    assert back.rows == second.rows


def test_a_filter_that_few_match_says_how_far_it_looked_and_leads_on(house: House) -> None:
    house.gateway.send_all([(f"+849870{n:05d}", "HD") for n in range(30)])
    first = house.gateway.message(0)
    chosen = sa.update(INBOUND).where(INBOUND.c.id == first.id).values(command="DC")
    house.database.write(lambda s: s.execute(chosen).close())

    def page(before: UUID | None = None, after: UUID | None = None) -> messages.Listing:
        return house.database.read(
            lambda s: messages.page(
                s, house.keyring, house.journal, Wanted(command="DC"),
                before=before, after=after, looked_at=20,
            )
        )  # fmt: skip

    newest = page()
    rest = page(before=newest.older)
    back = page(after=first.id)

    edge = house.gateway.message(-20).id
    assert (newest.rows, newest.older) == ((), edge)
    assert newest.looked_until == messages.time_of(edge)
    assert [row.id for row in rest.rows] == [first.id]
    assert (rest.older, rest.looked_until) == (None, None)
    assert (back.rows, back.newer) == ((), house.gateway.message(20).id)


def test_a_message_is_told_by_its_stages_with_a_proof_that_was_checked(house: House) -> None:
    person = looked_up(house)
    visit = house.entered("lan", Role.VIEWER)

    status, text = visit.get(path_of(house))

    assert status == 200
    assert "vừa tính lại từ lá đến gốc đã ký" in text
    for step in ("Nhận và lưu", "Xử lý", "Niêm phong", "Giao nhà mạng"):
        assert f"<b>{step}" in text
    assert person.full_name not in text
    assert person.personal_id not in text


PROVED = {
    LinkKind.HTTP: "chữ ký đúng",
    LinkKind.TWILIO: "chữ ký đúng",
    LinkKind.SMPP: "qua phiên đã xác thực",
    LinkKind.KANNEL: "đúng khóa trong địa chỉ",
}


def turn_links(house: House, kind: LinkKind) -> None:
    house.gateway.database.write(lambda s: s.execute(sa.update(LINK).values(kind=kind)))


@ONE_DATABASE
def test_a_message_says_what_its_link_proved(house: House) -> None:
    looked_up(house)
    visit, path = house.entered("lan", Role.VIEWER), path_of(house)

    for kind in LinkKind:
        turn_links(house, kind)
        text = visit.get(path)[1]

        assert [words for words in set(PROVED.values()) if words in text] == [PROVED[kind]]


@ONE_DATABASE
def test_what_the_operator_said_of_the_reply_is_the_last_stage(house: House) -> None:
    looked_up(house)
    visit, (*_, reply) = house.entered("lan", Role.VIEWER), house.gateway.replies()
    before = visit.get(path_of(house))[1]
    link, now = house.gateway.link(TEST), house.clock.now()
    lost = News(Delivery.UNDELIVERED, now, error="30003")
    assert isinstance(reply.id, UUID)
    told = [Receipt(news=lost, reply_id=reply.id)]
    house.database.write(lambda s: receipts.take(s, link, told, now))

    after = visit.get(path_of(house))[1]

    assert "Biên nhận của nhà mạng" not in before
    assert "Biên nhận của nhà mạng" in after
    assert "không tới máy" in after
    assert "<code>30003</code>" in after


@ONE_DATABASE
def test_a_path_that_leads_elsewhere_is_said_in_red(house: House) -> None:
    looked_up(house)
    visit, prove = house.entered("lan", Role.VIEWER), house.journal.inclusion

    def lie(session: Session, entry_id: UUID) -> Inclusion:
        return replace(prove(session, entry_id), leaf_hash=bytes(32))

    house.journal.inclusion = lie  # type: ignore[method-assign]  # somebody changed the leaf

    text = visit.get(path_of(house))[1]

    assert "không dẫn đến gốc đã ký" in text
    assert "vừa tính lại" not in text


@ONE_DATABASE
def test_a_message_whose_text_is_gone_has_no_ending(house: House) -> None:
    looked_up(house)
    house.database.write(lambda s: s.execute(sa.update(INBOUND).values(blob=None)).close())
    visit = house.entered("lan", Role.VIEWER)

    assert "•••" not in visit.get(PAGE)[1]
    assert visit.get(path_of(house))[0] == 200


@ONE_DATABASE
def test_a_message_that_waits_is_told_as_waiting(house: House) -> None:
    house.gateway.send("+84987000801", "HD")

    text = house.entered("lan", Role.VIEWER).get(path_of(house))[1]

    assert "Chờ xử lý" in text
    assert "không có mục nhật ký" in text


@ONE_DATABASE
def test_a_message_that_is_not_there_is_not_shown(house: House) -> None:
    visit = house.entered("lan", Role.VIEWER)

    found = [visit.get(f"{PAGE}/{name}")[0] for name in (uuid4(), "1", "x/acts", "%00")]

    assert found == [404] * 4


@ONE_DATABASE
def test_to_look_is_an_act_with_what_was_asked(house: House) -> None:
    looked_up(house)
    visit = house.entered("lan", Role.VIEWER)
    visit.get(f"{PAGE}?command=DC")
    visit.get(path_of(house))
    house.clock.advance(timedelta(seconds=1))

    text = house.entered("ha", Role.AUDITOR).get("/console/acts")[1]

    assert ">see-log<" in text
    assert "<i>command</i> DC" in text
    assert ">see-message<" in text
    assert "officer:lan" in text
