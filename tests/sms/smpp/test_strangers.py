"""T14 on SMPP: whoever answers where an SMSC should be, and is none of the operator's."""

from sms.links.smpp.pdu import Bind as BindBody
from sms.links.smpp.pdu import Bound, Command, Pdu, Taken
from sms.links.smpp.statuses import Status
from sms.tables import INBOUND
from tests.e2e.waiting import until
from tests.sms.smpp.conftest import Bind, Strange
from tests.sms.smpp.stands import PASSWORD, delivered
from tests.sms.smpp.stranger import Stranger, answer

BIND, SUBMIT = Command.BIND_TRANSCEIVER, Command.SUBMIT_SM
FORGED = delivered("XN 482913")


def test_t14_what_comes_before_the_bind_is_answered_is_refused_and_not_kept(
    bind: Bind, strange: Strange
) -> None:
    def answers(pdu: Pdu) -> list[Pdu]:
        forged = Pdu(Command.DELIVER_SM, 2, body=FORGED)
        return [forged, answer(pdu, 0, Bound("smsc"))] if pdu.command is BIND else []

    stranger = strange(answers, Pdu(Command.DELIVER_SM, 1, body=FORGED))
    bound = bind(stranger.port)
    bound.await_bound()

    until(lambda: len(stranger.replies(Command.DELIVER_SM)) == 2, "both are answered")
    told = [(pdu.sequence, pdu.status) for pdu in stranger.replies(Command.DELIVER_SM)]
    assert told == [(1, Status.WRONG_BIND_STATE), (2, Status.WRONG_BIND_STATE)]
    assert bound.gateway.rows(INBOUND) == []


def test_t14_who_refuses_the_bind_is_heard_no_further(bind: Bind, strange: Strange) -> None:
    def answers(pdu: Pdu) -> list[Pdu]:
        forged = Pdu(Command.DELIVER_SM, 1, body=FORGED)
        return [answer(pdu, 0x0E, Bound()), forged] if pdu.command is BIND else []

    stranger = strange(answers)
    bound = bind(stranger.port)

    until(lambda: stranger.heard, "a bind is tried")
    until(lambda: not bound.sessions.roster.widths()[bound.link.id].under_way, "it is not bound")
    assert {pdu.status for pdu in stranger.replies(Command.DELIVER_SM)} <= {Status.WRONG_BIND_STATE}
    assert bound.gateway.rows(INBOUND) == []


def test_t14_nobody_binds_to_us_and_nothing_is_submitted_to_us(
    bind: Bind, strange: Strange
) -> None:
    asked = (
        Pdu(Command.BIND_TRANSCEIVER, 1, body=BindBody(system_id="smsc", password="guess")),
        Pdu(SUBMIT, 2, body=FORGED),
    )

    def answers(pdu: Pdu) -> list[Pdu]:
        return [answer(pdu, 0, Bound("smsc")), *asked] if pdu.command is BIND else []

    stranger = strange(answers, *asked)
    bound = bind(stranger.port)
    bound.await_bound()

    until(lambda: len(nacks(stranger)) == 4, "each is refused")
    assert set(nacks(stranger)) == {Status.INVALID_COMMAND}
    assert bound.gateway.rows(INBOUND) == []
    first = next(pdu.body for pdu in stranger.heard if pdu.command is BIND)
    assert isinstance(first, BindBody)
    assert first.password == PASSWORD


def nacks(stranger: Stranger) -> list[int]:
    """Return the statuses of what was refused without a name."""
    return [pdu.status for pdu in stranger.heard if pdu.command is Command.GENERIC_NACK]


def test_t14_an_answer_that_nobody_asked_for_ends_no_submission(
    bind: Bind, strange: Strange
) -> None:
    def answers(pdu: Pdu) -> list[Pdu]:
        if pdu.command is BIND:
            return [answer(pdu, 0, Bound("smsc"))]
        if pdu.command is SUBMIT:
            forged = Pdu(Command.SUBMIT_SM_RESP, pdu.sequence + 1000, body=Taken("forged"))
            return [forged, answer(pdu, 0x58, Taken())]
        return []

    bound = bind(strange(answers).port)
    bound.await_bound()

    (outcome,) = bound.send("Ma PIN: 123456")

    assert "forged" not in repr(outcome)
    assert "smpp-58" in repr(outcome)
