"""One connection by itself, with whatever comes in at its other end."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from sms.links.posting import NotAnsweredError
from sms.links.smpp import codec
from sms.links.smpp.connection import Connection, Timing
from sms.links.smpp.pdu import Command, Pdu, Taken
from tests.sms.smpp.stands import delivered

MESSAGE = delivered("Ma PIN: 123456")
QUESTION = codec.encode(Pdu(Command.ENQUIRE_LINK, 1))
Other = socket.socket


def connected(work: Callable[[Connection, Other], Awaitable[None]]) -> None:
    """Do something with a connection and its other end."""

    async def run() -> None:
        ours, theirs = socket.socketpair()
        theirs.settimeout(0)
        with theirs:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(lambda *_: None, Timing()), sock=ours
            )
            await work(connection, theirs)
            connection.cut()

    asyncio.run(run())


def test_an_answer_that_comes_late_is_told_once() -> None:
    async def work(connection: Connection, theirs: Other) -> None:
        told: list[Pdu] = []
        with pytest.raises(NotAnsweredError):
            await connection.ask(Command.SUBMIT_SM, MESSAGE, seconds=0.05, late=told.append)
        (asked,) = codec.cut(bytearray(theirs.recv(4096)))
        sequence = codec.decode(asked).sequence

        late = Pdu(Command.SUBMIT_SM_RESP, sequence, body=Taken("late"))
        strange = Pdu(Command.SUBMIT_SM_RESP, sequence + 1, body=Taken("nobody's"))
        theirs.send(codec.encode(strange) + codec.encode(late) * 2)
        await asyncio.sleep(0.05)

        assert told == [late]

    connected(work)


def test_who_reads_no_answers_is_asked_for_no_more_questions() -> None:
    async def work(connection: Connection, theirs: Other) -> None:
        most = 2**21
        sent = await flood(theirs, 0, most)

        assert sent < most
        answered = 0
        while answered < sent - sent % len(QUESTION):
            answered += len(await asyncio.get_running_loop().sock_recv(theirs, 2**20))
        assert await flood(theirs, sent, 2**16) > 0
        assert not connection.lost.is_set()

    connected(work)


async def flood(theirs: Other, begun: int, most: int) -> int:
    """Ask for signs of life until nothing more is taken; return how many octets were."""
    sent = refused = 0
    while refused < 10 and sent < most:
        try:
            sent += theirs.send((QUESTION * 1024)[(begun + sent) % len(QUESTION) :])
            refused = 0
        except BlockingIOError:
            refused += 1
        await asyncio.sleep(0.005)
    return sent
