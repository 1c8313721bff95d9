"""What Kannel reports of replies: read by its types, and told apart for nobody."""

from itertools import permutations
from uuid import UUID, uuid4

import sqlalchemy as sa

from sms.deliveries import Delivery
from sms.dispatch import ReplyState
from sms.tables import OUTBOUND
from tests.sms.door import HTTP
from tests.sms.kannel.conftest import CODE, Smsbox
from tests.sms.kannel.test_messages import check_silence
from tests.sms.test_statuses import reply_over
from tests.sms.test_webhook import check_problem


def reply(smsbox: Smsbox, reply_id: UUID) -> sa.Row[tuple[object, ...]]:
    """Return a row of the outbox."""
    query = sa.select(OUTBOUND).where(OUTBOUND.c.id == reply_id)
    return smsbox.door.database.inner.read(lambda s: s.execute(query).one())


TYPES = {
    "1": Delivery.DELIVERED,
    "2": Delivery.UNDELIVERED,
    "4": Delivery.QUEUED,
    "8": Delivery.SENT,
    "16": Delivery.FAILED,
}


def test_each_type_is_a_state(smsbox: Smsbox) -> None:
    now = smsbox.door.clock.now()

    for kind, state in TYPES.items():
        reply_id = reply_over(smsbox.door, CODE)
        check_silence(smsbox.report(id=str(reply_id), type=kind, time=str(int(now.timestamp()))))

        row = reply(smsbox, reply_id)
        assert row.delivery == state
        assert row.delivery_at == now.replace(microsecond=0)
        # Who reports on a reply has it, but for one that never left it.
        was_had = state is not Delivery.FAILED
        assert row.state == (ReplyState.ACCEPTED if was_had else ReplyState.SENDING)


def test_reports_in_any_order_and_twice_end_alike(each: Smsbox) -> None:
    for order in permutations(("8", "4", "1")):
        reply_id = reply_over(each.door, CODE)
        for kind in order * 2:
            check_silence(each.report(id=str(reply_id), type=kind))
        assert reply(each, reply_id).delivery == Delivery.DELIVERED


def test_a_time_that_is_none_or_ahead_is_ours(smsbox: Smsbox) -> None:
    for time in ("", "soon", "99999999999"):
        reply_id = reply_over(smsbox.door, CODE)
        check_silence(smsbox.report(id=str(reply_id), type="1", time=time))
        assert reply(smsbox, reply_id).delivery_at == smsbox.door.clock.now()


def test_whether_a_reply_is_known_does_not_show(smsbox: Smsbox) -> None:
    anothers = reply_over(smsbox.door, HTTP)

    for named in (str(uuid4()), str(anothers), "what", "0" * 100):
        check_silence(smsbox.report(id=named, type="1"))
    check_silence(smsbox.report(id=str(anothers), type="32"))

    assert reply(smsbox, anothers).delivery is None


def test_what_is_no_report_is_a_400(smsbox: Smsbox) -> None:
    for said in (
        {},
        {"id": "x"},
        {"type": "1"},
        {"id": "x", "type": "one"},
        {"id": "", "type": "1"},
    ):
        check_problem(smsbox.report(**said), 400)


def test_a_report_needs_the_secret(smsbox: Smsbox) -> None:
    path = smsbox.path.replace("inbound", "status").rpartition("/")[0]

    check_problem(smsbox.door.client.get(f"{path}?id=x&type=1"), 401)
    check_problem(smsbox.door.client.get(f"{path}/{'0' * 32}?id=x&type=1"), 401)


def test_kannel_tells_nothing_of_numbers(smsbox: Smsbox) -> None:
    path = smsbox.path.replace("inbound", "numbers")

    check_problem(smsbox.door.client.get(f"{path}?id=x"), 400)


def test_a_report_starts_nothing(smsbox: Smsbox) -> None:
    reply_id = reply_over(smsbox.door, CODE)

    for kind in ("16", "2", "4"):
        smsbox.report(id=str(reply_id), type=kind)

    assert reply(smsbox, reply_id).attempt == 1
    assert smsbox.door.stored() == []
