"""What the phones remember."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from phone.mailbox import Delivery, Mailbox
from tests.fakes import NOON

PHONE, OTHER = "+84912345678", "+84912345679"
REPLY = Delivery("out-1", PHONE, "12345", "CSDLDC: Ma xac thuc 482913", "gsm7", 1, "in-1")


def test_a_thread_is_one_phone_on_one_network_in_order(mailbox: Mailbox) -> None:
    mailbox.note_sent("hong-ha", PHONE, "in-1", "DC", NOON)
    mailbox.note_sent("cuu-long", PHONE, "in-1", "elsewhere", NOON)
    mailbox.note_sent("hong-ha", OTHER, "in-2", "somebody else", NOON)
    mailbox.note_delivered("hong-ha", REPLY, NOON + timedelta(seconds=1))

    texts = mailbox.thread("hong-ha", PHONE)

    assert [(text.is_sent, text.body) for text in texts] == [
        (True, "DC"),
        (False, "CSDLDC: Ma xac thuc 482913"),
    ]


def test_the_same_message_again_is_one_text_with_more_copies(mailbox: Mailbox) -> None:
    sent = [mailbox.note_sent("hong-ha", PHONE, "in-1", "DC", NOON) for _ in range(3)]
    came = [mailbox.note_delivered("hong-ha", REPLY, NOON) for _ in range(2)]

    assert (sent, came) == ([1, 2, 3], [1, 2])
    assert [text.copies for text in mailbox.thread("hong-ha", PHONE)] == [3, 2]


def test_what_the_gateway_answered_is_kept_with_the_text(mailbox: Mailbox) -> None:
    mailbox.note_sent("hong-ha", PHONE, "in-1", "DC", NOON)
    before = mailbox.thread("hong-ha", PHONE)[0]

    mailbox.note_acknowledged("hong-ha", "in-1", status=202, microseconds=6100)

    assert (before.status, before.microseconds) == (None, None)
    after = mailbox.thread("hong-ha", PHONE)[0]
    assert (after.status, after.microseconds) == (202, 6100)


def test_replies_are_found_by_what_they_answer(mailbox: Mailbox) -> None:
    mailbox.note_delivered("hong-ha", REPLY, NOON)
    mailbox.note_delivered("hong-ha", replace(REPLY, id="out-2", in_reply_to="in-2"), NOON)

    assert [text.id for text in mailbox.replies("hong-ha", ["in-2", "in-3"])] == ["out-2"]


def test_two_processes_hold_the_same_phones(tmp_path: Path) -> None:
    first, second = Mailbox(tmp_path / "mailbox.db"), Mailbox(tmp_path / "mailbox.db")

    first.note_sent("hong-ha", PHONE, "in-1", "DC", NOON)
    second.note_delivered("hong-ha", REPLY, NOON)

    assert first.thread("hong-ha", PHONE) == second.thread("hong-ha", PHONE)
    assert len(first.thread("hong-ha", PHONE)) == 2
    first.close()
    second.close()


@pytest.mark.parametrize("body", ["", "Nguyễn Thị Phương Thảo 🌾", "a'; DROP TABLE text; --"])
def test_any_text_is_kept_as_it_is(mailbox: Mailbox, body: str) -> None:
    mailbox.note_sent("hong-ha", PHONE, "in-1", body, NOON)

    assert mailbox.thread("hong-ha", PHONE)[0].body == body
