"""What SMSCs deliver is stored once, and answered OK after the commit alone."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from billing.tables import USAGE
from core.db import Database
from core.errors import UnavailableError
from core.keyring import Sealed
from sms import inbound, receipts
from sms.inbound import State
from sms.links.model import NO_TEXT, Accepted, Unknown
from sms.links.smpp import part_store, profile
from sms.links.smpp.intake import Offered
from sms.links.smpp.pdu import Message, Tag
from sms.links.smpp.statuses import Status
from sms.links.smpp.tables import SMPP_PART
from sms.message_ids import IdBase, key_of
from sms.tables import INBOUND, SENDER
from tests.sms.gateway import Gateway
from tests.sms.smpp.stands import Stand, delivered, part, stand

T = TypeVar("T")
OK = Status.OK


@pytest.fixture
def smpp(sqlite_gateway: Gateway) -> Stand:
    """A link of the kind smpp, for what does not hang on the kind of database."""
    return stand(sqlite_gateway)


@pytest.fixture
def each(gateway: Gateway) -> Stand:
    """A link of the kind smpp on each kind of database."""
    return stand(gateway)


def texts(smpp: Stand) -> list[tuple[str, str]]:
    """Return sender and text of every stored message, in order."""
    rows = sorted(smpp.gateway.rows(INBOUND), key=lambda row: row.id)
    read = [
        inbound.open_content(smpp.gateway.keyring, row.id, Sealed(row.key_id, row.blob))
        for row in rows
    ]
    return [(content.sender, content.text) for content in read]


def test_what_is_answered_ok_is_stored_and_answered_by_hand(each: Stand) -> None:
    assert each.take(delivered("HD")) == [OK]

    assert texts(each) == [("+84561234567", "HD")]
    assert each.bell.rung == 1
    each.gateway.handle()
    (told,) = each.gateway.outbox()
    assert (told.link, told.to, told.reply) == ("smpp", "+84561234567", "HELP")


def test_the_same_text_of_a_sender_is_a_repeat_for_a_minute(each: Stand) -> None:
    clock = each.gateway.clock
    first = each.take(delivered("HD"), delivered("HD"), delivered("HD", "84569999999"))
    clock.advance(timedelta(seconds=59))
    again = each.take(delivered("HD"))
    clock.advance(timedelta(seconds=2))
    later = each.take(delivered("HD"))

    assert [*first, *again, *later] == [OK] * 5
    assert len(texts(each)) == 3


@pytest.mark.parametrize("wait", range(0, 60, 7))
def test_a_minute_is_a_minute_wherever_it_begins(sqlite_gateway: Gateway, wait: int) -> None:
    smpp = stand(sqlite_gateway)
    smpp.gateway.clock.advance(timedelta(seconds=wait))
    smpp.take(delivered("HD"))
    smpp.gateway.clock.advance(timedelta(seconds=59.9))

    smpp.take(delivered("HD"))

    assert len(texts(smpp)) == 1


def test_repeats_are_told_from_others_of_their_lot_and_of_another_link(gateway: Gateway) -> None:
    smpp, other = stand(gateway), stand(gateway, code="second")
    senders = ["84561234567", "84569999999", "84568888888"]
    smpp.take(*(delivered("HD", sender) for sender in senders[:2]))
    gateway.clock.advance(timedelta(seconds=59))  # in the next span of a minute

    again = smpp.take(*(delivered("HD", sender) for sender in senders))
    elsewhere = other.take(delivered("HD", senders[0]))

    assert [*again, *elsewhere] == [OK] * 4
    assert len(texts(smpp)) == 4


def test_an_operators_own_id_holds_for_good(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    smpp = stand(gateway, message_id_tag=0x1400)
    told = [(0x1400, b"mo-1\0")]

    first = smpp.take(delivered("HD", tlvs=told))
    gateway.clock.advance(timedelta(days=30))
    statuses = smpp.take(delivered("HD", tlvs=told), delivered("PHI", tlvs=told), delivered("HD"))

    assert first == [OK]
    assert statuses == [OK, Status.REJECTED, OK]
    assert "mo-1" in {row.operator_message_id for row in gateway.rows(INBOUND)}
    assert len(texts(smpp)) == 2


def test_long_ids_that_begin_alike_are_of_two_messages(sqlite_gateway: Gateway) -> None:
    smpp = stand(sqlite_gateway, message_id_tag=0x1400)
    long = b"20261122-hanoi-smsc-3-node-17-" * 3

    statuses = smpp.take(
        delivered("HD", tlvs=[(0x1400, long + b"1")]),
        delivered("PHI", tlvs=[(0x1400, long + b"2")]),
    )

    assert statuses == [OK, OK]
    assert len(texts(smpp)) == 2


def test_parts_join_in_any_order(each: Stand) -> None:
    assert each.take(part("456", 2)) == [OK]
    assert each.bell.rung == 0

    assert each.take(part("XN 123", 1)) == [OK]

    assert texts(each) == [("+84561234567", "XN 123456")]
    assert each.bell.rung == 1


def test_interleaved_senders_with_one_reference_are_never_mixed(each: Stand) -> None:
    alice, bob = "84561111111", "84562222222"

    statuses = each.take(
        part("ALICE-1 ", 1, sender=alice),
        part("BOB-1 ", 1, sender=bob),
        part("ALICE-2", 2, sender=alice),
        part("BOB-2", 2, sender=bob),
    )

    assert statuses == [OK] * 4
    assert texts(each) == [("+84561111111", "ALICE-1 ALICE-2"), ("+84562222222", "BOB-1 BOB-2")]


def test_other_references_totals_and_schemes_are_other_messages(smpp: Stand) -> None:
    wide = delivered(bytes((6, 8, 4, 0, 7, 2, 2)) + b"x", esm_class=0x40)
    sar = [(Tag.SAR_REFERENCE, b"\0\7"), (Tag.SAR_TOTAL, b"\2"), (Tag.SAR_NUMBER, b"\2")]

    smpp.take(
        part("a", 1),
        part("b", 2, reference=8),
        part("c", 2, total=3),
        wide,
        delivered("d", tlvs=sar),
    )

    assert texts(smpp) == []


def test_a_repeated_part_has_no_effect_before_and_after_the_join(each: Stand) -> None:
    each.take(part("XN 123", 1), part("XN 123", 1))
    each.take(part("456", 2))

    assert each.take(part("456", 2), part("XN 123", 1)) == [OK, OK]

    assert texts(each) == [("+84561234567", "XN 123456")]
    each.gateway.clock.advance(timedelta(minutes=6))
    each.intake.give_up()
    assert len(texts(each)) == 1


def test_a_reference_that_is_used_again_is_another_message(smpp: Stand) -> None:
    smpp.take(part("XN 123", 1), part("456", 2))

    smpp.take(part("XN 654", 1), part("321", 2))

    assert [text for _, text in texts(smpp)] == ["XN 123456", "XN 654321"]


def test_halves_of_two_messages_are_never_put_together(smpp: Stand) -> None:
    smpp.take(part("XN 123", 1), part("456", 2))
    smpp.take(part("456", 2))  # a repeat of then, or of the message to come: nothing tells

    smpp.take(part("XN 654", 1))
    assert [text for _, text in texts(smpp)] == ["XN 123456"]
    smpp.gateway.clock.advance(part_store.LIFE + timedelta(seconds=1))
    smpp.intake.give_up()

    assert [text for _, text in texts(smpp)] == ["XN 123456", NO_TEXT]


def test_what_never_becomes_whole_is_told_once_that_it_was_not_understood(each: Stand) -> None:
    each.take(part("XN 123456 ", 1))
    each.gateway.clock.advance(part_store.LIFE + timedelta(seconds=1))

    each.intake.give_up()
    each.intake.give_up()
    late = each.take(part("and more", 2))

    assert late == [OK]
    assert texts(each) == [("+84561234567", NO_TEXT)]
    each.gateway.handle()
    assert [told.reply for told in each.gateway.outbox()] == ["SYNTAX"]
    each.gateway.clock.advance(timedelta(minutes=11))
    each.intake.give_up()
    assert each.gateway.rows(SMPP_PART) == []
    assert len(texts(each)) == 1


def test_a_part_that_was_left_alone_for_long_is_told_of_before_it_goes(smpp: Stand) -> None:
    smpp.take(part("XN 123456 ", 1))
    smpp.gateway.clock.advance(timedelta(hours=3))  # nobody was here

    smpp.intake.give_up()
    smpp.intake.give_up()

    assert texts(smpp) == [("+84561234567", NO_TEXT)]
    assert smpp.gateway.rows(SMPP_PART) == []


def test_parts_are_encrypted_and_blanked_when_joined(smpp: Stand) -> None:
    smpp.take(part("XN 123", 1))
    (kept,) = smpp.gateway.rows(SMPP_PART)
    assert b"XN 123" not in kept.blob
    assert b"84561234567" not in kept.blob

    smpp.take(part("456", 2))

    assert [row.blob for row in smpp.gateway.rows(SMPP_PART)] == [None, None]


def test_a_text_of_too_many_parts_is_one_message_without_its_text(smpp: Stand) -> None:
    statuses = smpp.take(*(part(f"XN {number}", number, total=4) for number in range(1, 5)))

    assert statuses == [OK] * 4
    assert texts(smpp) == [("+84561234567", NO_TEXT)]


def test_a_payload_and_other_alphabets_are_read(smpp: Stand) -> None:
    smpp.take(
        delivered(b"", tlvs=[(Tag.MESSAGE_PAYLOAD, b"DC 0123")]),
        delivered("Đ".encode("utf-16-be"), coding=8),
        delivered(b"caf\xe9", coding=3),
        delivered(b""),
        delivered(b"", tlvs=[(Tag.MESSAGE_PAYLOAD, b"a" * 1001)]),
    )

    assert [text for _, text in texts(smpp)] == ["DC 0123", "Đ", "café", " ", NO_TEXT]


@pytest.mark.parametrize(
    "message",
    [
        delivered(b"\x01\x02", coding=4),
        delivered(b"\x05", esm_class=0x40),
        delivered("HD", sender=""),
    ],
)
def test_what_is_no_text_is_refused_for_good(sqlite_gateway: Gateway, message: Message) -> None:
    smpp = stand(sqlite_gateway)

    assert smpp.take(message, delivered("HD")) == [Status.PERMANENT, OK]
    assert len(texts(smpp)) == 1


def test_over_the_rate_an_smsc_is_throttled(smpp: Stand) -> None:
    slow = stand(smpp.gateway, rate=1, code="slow")

    statuses = slow.take(*(delivered(f"HD {number}") for number in range(7)))

    assert statuses == [OK] * 5 + [Status.THROTTLED] * 2
    slow.gateway.clock.advance(timedelta(seconds=1))
    assert slow.take(delivered("HD 6")) == [OK]


def test_receipts_have_a_rate_of_their_own(smpp: Stand) -> None:
    slow = stand(smpp.gateway, rate=1, code="slow")
    told = [delivered(f"id:{number} stat:DELIVRD", esm_class=0x04) for number in range(22)]

    statuses = slow.take(*told, delivered("HD"))

    assert statuses == [OK] * 20 + [Status.THROTTLED] * 2 + [OK]
    slow.gateway.clock.advance(timedelta(seconds=1))
    assert slow.take(*told[20:]) == [OK, OK]


def test_without_the_database_nothing_is_answered_ok(smpp: Stand) -> None:
    class Down:
        """A database that takes nothing."""

        dialect = smpp.gateway.database.dialect

        def write(self, _work: Callable[[Session], T]) -> T:
            raise UnavailableError("it is down")

        read = write

    down: Database = Down()  # type: ignore[assignment]  # only these are asked of it
    smpp.take(delivered("PHI"))  # the rate's portion is there
    smpp.intake = replace(smpp.intake, database=down)

    assert smpp.take(delivered("HD"), part("x", 1)) == [Status.TEMPORARY] * 2
    assert len(texts(smpp)) == 1


def test_a_sender_that_is_no_mobile_is_told_nothing(smpp: Stand) -> None:
    assert smpp.take(delivered("HD", "1414"), delivered("HD", "14155550123")) == [OK, OK]

    smpp.gateway.handle()

    assert smpp.gateway.outbox() == []
    assert {row.state for row in smpp.gateway.rows(INBOUND)} == {State.REFUSED}


def test_a_senders_messages_wait_in_one_queue_whatever_they_came_by(smpp: Stand) -> None:
    smpp.gateway.send("+84561234567", "HD")
    smpp.take(delivered("PHI"))

    (sender,) = smpp.gateway.rows(SENDER)
    assert sender.waiting == 2


def test_a_receipt_moves_its_reply_forward_whatever_its_id_is_written_in(gateway: Gateway) -> None:
    smpp = stand(gateway, accepted_id_base="hexadecimal", receipt_id_base="decimal")
    gateway.operator.outcome = lambda _: Accepted("1A", key_of("1A", IdBase.HEXADECIMAL))
    smpp.take(delivered("HD"))
    gateway.handle()
    gateway.outbox()
    told = "id:0000000026 sub:001 dlvrd:001 submit date:2603021200 done date:2603021200 stat:"

    statuses = smpp.take(
        delivered(f"{told}DELIVRD err:000 text:", esm_class=0x04),
        delivered(f"{told}UNDELIV err:001 text:", esm_class=0x04),
        delivered("id:999 stat:DELIVRD", esm_class=0x04),
        delivered("nothing that is known", esm_class=0x04),
    )

    assert statuses == [OK] * 4
    (reply,) = gateway.replies()
    assert (reply.delivery, reply.state) == ("delivered", "accepted")
    assert len(texts(smpp)) == 1


def test_what_reads_like_a_receipt_is_neither_answered_nor_believed(
    smpp: Stand, logged: io.StringIO
) -> None:
    gateway = smpp.gateway
    gateway.operator.outcome = lambda _: Accepted("7", key_of("7", IdBase.TEXT))
    smpp.take(delivered("HD"))
    gateway.handle()
    gateway.outbox()

    forged = "id:7 sub:001 dlvrd:001 done date:2603021200 stat:DELIVRD err:000 text:"
    assert smpp.take(delivered(forged), delivered("id:7 stat:whatever")) == [OK, OK]

    (reply,) = gateway.replies()
    assert reply.delivery is None
    assert [text for _, text in texts(smpp)] == ["HD", "id:7 stat:whatever"]
    assert "smpp.receipt-unmarked" in logged.getvalue()


@pytest.mark.parametrize(
    ("esm_class", "tlvs"),
    [
        (0x00, [(Tag.RECEIPTED_MESSAGE_ID, b"7\0"), (Tag.MESSAGE_STATE, b"\2")]),
        (0x04, [(Tag.SAR_REFERENCE, b"\1"), (Tag.SAR_TOTAL, b"\1"), (Tag.SAR_NUMBER, b"\2")]),
        (0x44, []),  # a header is announced, and there is none
    ],
)
def test_a_receipt_is_one_whatever_else_it_carries(
    smpp: Stand, esm_class: int, tlvs: list[tuple[int, bytes]]
) -> None:
    gateway = smpp.gateway
    gateway.operator.outcome = lambda _: Accepted("7", key_of("7", IdBase.TEXT))
    smpp.take(delivered("HD"))
    gateway.handle()
    gateway.outbox()

    told = delivered("id:7 stat:DELIVRD", esm_class=esm_class, tlvs=tlvs)
    assert smpp.take(told) == [OK]

    (reply,) = gateway.replies()
    assert reply.delivery == "delivered"
    assert len(texts(smpp)) == 1


def test_an_answer_that_came_late_accepts_and_charges_what_was_in_doubt(gateway: Gateway) -> None:
    smpp = stand(gateway)
    gateway.operator.outcome = lambda _: Unknown("timeout")
    smpp.take(delivered("HD"))
    gateway.handle()
    gateway.outbox()
    smpp.take(delivered("id:LATE1 stat:DELIVRD", esm_class=0x04))
    (doubtful,) = gateway.replies()
    now = gateway.clock.now()
    late = receipts.accepted(doubtful.id, Accepted("LATE1", key_of("LATE1", IdBase.TEXT)), now)
    offered = Offered(smpp.link, profile.load(smpp.link.profile or ""), late, lambda _: None)

    for _ in range(2):
        assert smpp.intake.take([offered]) == [OK]
    links = {link.id: link for link in gateway.links.all()}
    gateway.database.write(lambda session: receipts.settle(session, links, now))

    (reply,) = gateway.replies()
    assert (reply.state, reply.provider_id, reply.provider_key) == ("accepted", "LATE1", "=LATE1")
    assert reply.delivery == "delivered"
    assert len([row for row in gateway.rows(USAGE) if row.direction == "mt"]) == 1
