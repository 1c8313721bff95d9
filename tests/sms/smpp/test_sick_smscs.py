"""SMSCs that are unwell, slow, or sloppy with what SMPP prescribes."""

from sms.links.model import Accepted, Refused
from sms.links.smpp.pdu import Command, Pdu, Taken
from sms.links.smpp.statuses import Status
from tests.sms.smpp.conftest import Bind, Strange
from tests.sms.smpp.stranger import Words, answer, lets_bind

SUBMIT = Command.SUBMIT_SM


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
