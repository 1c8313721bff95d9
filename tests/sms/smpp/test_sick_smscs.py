"""SMSCs that are unwell, slow, or sloppy with what SMPP prescribes."""

import io
from contextlib import suppress

from sms.links.model import Accepted, Refused, Unknown
from sms.links.smpp import codec
from sms.links.smpp.pdu import Command, Pdu, Taken
from sms.links.smpp.statuses import Status
from tests.e2e.waiting import until
from tests.sms.smpp.conftest import QUICK, Bind, Strange
from tests.sms.smpp.stands import delivered
from tests.sms.smpp.stranger import Words, answer, lets_bind

SUBMIT = Command.SUBMIT_SM
BINDS = (Command.BIND_TRANSCEIVER,)


def test_a_host_that_fails_keeps_no_reply_from_the_one_that_is_well(
    bind: Bind, strange: Strange
) -> None:
    def fails(pdu: Pdu) -> Words:
        if pdu.command is SUBMIT:
            return [answer(pdu, Status.SYSTEM_ERROR, Taken())]
        return lets_bind(pdu)

    sick = strange(fails)
    well = strange(lets_bind, host="127.0.0.2", at=sick.port)
    bound = bind(sick.port, hosts=["127.0.0.1", "127.0.0.2"])
    bound.await_bound(2)

    outcomes = [bound.send("Ma PIN: 123456")[0] for _ in range(6)]

    assert outcomes.count(Refused("smpp-8", retryable=True)) == 1
    assert sum(isinstance(one, Accepted) for one in outcomes) == 5
    assert (len(sick.asked(SUBMIT)), len(well.asked(SUBMIT))) == (1, 5)


def test_an_answer_counts_however_it_is_written(bind: Bind, strange: Strange) -> None:
    def sloppy(pdu: Pdu) -> Words:
        if pdu.command is Command.BIND_TRANSCEIVER:
            return [raw(Command.BIND_TRANSCEIVER_RESP, pdu.sequence, b"A" * 20)]
        if pdu.command is SUBMIT:
            return [raw(Command.SUBMIT_SM_RESP, pdu.sequence, b"7" * 70 + b"\0")]
        return lets_bind(pdu)

    bound = bind(strange(sloppy).port)
    bound.await_bound()

    assert bound.send("Ma PIN: 123456") == [Accepted("7" * 64, None)]


def test_the_answer_to_another_question_ends_no_submission(bind: Bind, strange: Strange) -> None:
    def answers(pdu: Pdu) -> Words:
        if pdu.command is SUBMIT:
            other = Pdu(Command.ENQUIRE_LINK_RESP, pdu.sequence)
            return [other, answer(pdu, 0, Taken("1"))]
        return lets_bind(pdu)

    bound = bind(strange(answers).port)
    bound.await_bound()

    assert bound.send("Ma PIN: 123456") == [Accepted("1", "=1")]


def test_a_nack_that_refuses_nothing_leaves_a_reply_in_doubt(bind: Bind, strange: Strange) -> None:
    def answers(pdu: Pdu) -> Words:
        if pdu.command is SUBMIT:
            return [Pdu(Command.GENERIC_NACK, pdu.sequence)]
        return lets_bind(pdu)

    bound = bind(strange(answers).port)
    bound.await_bound()

    assert bound.send("Ma PIN: 123456") == [Unknown("no-answer")]


def test_who_nacks_a_bind_with_ok_is_not_bound_to(
    bind: Bind, strange: Strange, logged: io.StringIO
) -> None:
    bind(strange(lambda pdu: [Pdu(Command.GENERIC_NACK, pdu.sequence)]).port)

    until(lambda: "smpp.bind-refused" in logged.getvalue(), "it is refused")
    assert "smpp.bound" not in logged.getvalue()


def test_what_crosses_our_leave_taking_is_to_come_again(bind: Bind, strange: Strange) -> None:
    def answers(pdu: Pdu) -> Words:
        if pdu.command is Command.UNBIND:
            return [Pdu(Command.DELIVER_SM, 5, body=delivered("HD")), answer(pdu)]
        return lets_bind(pdu)

    smsc = strange(answers)
    bound = bind(smsc.port)
    bound.await_bound()

    bound.sessions.stop()
    bound.sessions.join(10)

    told = smsc.replies(Command.DELIVER_SM)
    assert [(pdu.sequence, pdu.status) for pdu in told] == [(5, Status.TEMPORARY)]


def test_octets_that_trickle_in_are_no_sign_of_life(bind: Bind, strange: Strange) -> None:
    smsc = strange(lambda pdu: lets_bind(pdu) if pdu.command in BINDS else [])
    bound = bind(smsc.port, QUICK)
    bound.await_bound()
    half = iter(codec.encode(Pdu(Command.DELIVER_SM, 1, body=delivered("x" * 200))))

    def is_bound_anew() -> bool:
        with suppress(OSError):
            smsc.say(bytes((next(half),)))
        return len(smsc.asked(Command.BIND_TRANSCEIVER)) > 1

    until(is_bound_anew, "the session is cut")


def raw(command: Command, sequence: int, body: bytes) -> bytes:
    """Write an answer as no rule has it."""
    return codec.HEADER.pack(codec.HEADER.size + len(body), command, 0, sequence) + body
