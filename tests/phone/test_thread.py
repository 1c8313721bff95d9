"""A thread as it is shown."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone import thread
from phone.inside import Inside, Sealing
from phone.mailbox import Text
from sms import segments
from tests.fakes import NOON

MS = timedelta(milliseconds=1)
SENT = Text(
    n=1, network="hong-ha", number="+84912345678", is_sent=True, id="in-1", in_reply_to=None,
    body="DC 999185000101", encoding=None, segments=None, at=NOON, copies=1, status=202,
    microseconds=6000,
)  # fmt: skip
CAME = replace(
    SENT, n=2, is_sent=False, id="out-1", in_reply_to="in-1", body="CSDLDC", at=NOON + 40 * MS
)
SEALING = Sealing(0, b"", "", 1, b"", (), holds=True, sealed_at=NOON + 20 * MS)
INSIDE = Inside(
    "in-1", "DC", "answered", "issued", NOON, NOON + 5 * MS, NOON + 20 * MS, "PIN", "accepted",
    "gsm7", 1, NOON + 45 * MS, 30000, SEALING,
)  # fmt: skip


def named(exchange: thread.Exchange) -> list[str]:
    return [stage.name for stage in exchange.stages]


def test_a_text_stands_with_its_replies_and_its_inside() -> None:
    stray = replace(CAME, id="out-9", in_reply_to="in-9")

    (exchange,) = thread.exchanges([SENT, CAME, stray], {"in-1": INSIDE})

    assert (exchange.sent, exchange.replies, exchange.inside) == (SENT, (CAME,), INSIDE)
    assert exchange.took == 40 * MS
    assert exchange.acknowledged_after == 6 * MS


def test_the_stages_come_in_order_with_the_time_between_them() -> None:
    (exchange,) = thread.exchanges([SENT, CAME], {"in-1": INSIDE})

    assert named(exchange) == ["received", "stored", "handled", "sealed", "arrived", "handed"]
    assert [stage.after for stage in exchange.stages] == [
        None, 5 * MS, 15 * MS, 0 * MS, 20 * MS, 5 * MS,
    ]  # fmt: skip


def test_a_stage_without_a_time_of_its_own_leaves_no_gap_in_the_others() -> None:
    unknown = replace(INSIDE, sealing=replace(SEALING, sealed_at=None))

    (exchange,) = thread.exchanges([SENT, CAME], {"in-1": unknown})

    after = {stage.name: stage.after for stage in exchange.stages}
    assert (after["sealed"], after["arrived"]) == (None, 20 * MS)


def test_a_text_that_is_only_on_its_way_has_one_stage() -> None:
    (exchange,) = thread.exchanges([replace(SENT, status=None, microseconds=None)], {})

    assert named(exchange) == ["received"]
    assert (exchange.took, exchange.price) == (None, None)


def test_the_price_counts_the_segments_that_were_sent() -> None:
    long = replace(SENT, body="Đ" * 71)

    (exchange,) = thread.exchanges([long], {"in-1": INSIDE})

    assert (exchange.length.segments, exchange.price) == (2, 60000)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("CSDLDC: Ma xac thuc 482913, hieu luc 5 phut. Tra loi: XN 482913. Khong", "XN 482913"),
        ("CSDLDC: Your code is 004211, valid 5 min. Reply: PIN 004211. Give", "PIN 004211"),
        ("CSDLDC: NGUYEN MINH SON, nam. Ma GD 482913. Sai: den Cong an cap xa", None),
        ("Soan XN ma-6-so", None),
    ],
)
def test_an_answer_is_offered_only_where_the_newest_reply_asks_for_one(
    body: str, answer: str | None
) -> None:
    older = replace(CAME, body="Tra loi: XN 111111.")

    assert thread.answer_in([older, SENT, replace(CAME, body=body)]) == answer


def test_the_code_of_the_newest_reply_that_has_one_is_offered() -> None:
    older = replace(
        CAME, body="CSDLDC: NGUYEN MINH SON, nam. Ma GD 7F3K92. Sai: den Cong an cap xa"
    )
    newer = replace(CAME, body="CSDLDC: The journal has no access. Ref 6DK221")
    without = replace(CAME, body="CSDLDC: Soan DC so-dinh-danh")

    assert thread.code_in([SENT, older, without]) == "7F3K92"
    assert thread.code_in([older, newer, SENT]) == "6DK221"
    assert thread.code_in([SENT, without]) is None


@given(st.text(max_size=400))
def test_a_text_never_fills_more_than_its_segments_hold(body: str) -> None:
    measured = segments.measure(body)

    assert measured.units <= thread.room(measured)
