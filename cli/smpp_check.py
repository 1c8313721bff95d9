"""What `operator test` looks at on an SMPP link: whether each of its SMSCs lets us bind."""

import asyncio

from sms.links.model import Link
from sms.links.posting import NotAnsweredError, NotSentError
from sms.links.smpp import binding
from sms.links.smpp.binding import BindRefusedError, Wanted
from sms.links.smpp.connection import Connection, Timing
from sms.links.smpp.pdu import Message
from sms.links.smpp.statuses import Status

_HINTS = {
    "no-connection": "cannot be reached: see host and port, and that a firewall lets us out",
    "certificate": "shows another certificate than the one agreed on",
    "timeout": "took the connection and did not answer within 5 s",
    "connection-lost": "broke the connection off",
}


def look(link: Link) -> tuple[bool, str]:
    """Bind for a moment, beside what `run` has bound, and say how that went."""
    told = [asyncio.run(_try(wanted)) for wanted in binding.binds_of(link)]
    return all(ok for ok, _ in told), "; ".join(dict.fromkeys(says for _, says in told))


async def _try(wanted: Wanted) -> tuple[bool, str]:
    try:
        connection = await binding.connect(wanted, _send_again, Timing())
    except BindRefusedError as error:
        if error.status == Status.ALREADY_BOUND:
            return True, f"{wanted.host} has a session of ours already"
        hint = "compare system id and password with the operator"
        return False, f"{wanted.host} refused the bind (0x{error.status:x}): {hint}"
    except (NotSentError, NotAnsweredError) as error:
        return False, f"{wanted.host} {_HINTS.get(str(error), str(error))}"
    await connection.unbind()
    return True, f"{wanted.host} let us bind"


def _send_again(connection: Connection, sequence: int, _message: Message) -> None:
    connection.answer_delivery(sequence, Status.TEMPORARY)
