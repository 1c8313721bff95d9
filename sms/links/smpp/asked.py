"""What an SMSC was asked: an answer ends only the question that it answers.

Answers are told apart by their sequence and by their command; a question that is not waited for any
more can be answered late, for a while.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sms.links.posting import NotAnsweredError
from sms.links.smpp.pdu import RESPONSE, Command, Pdu

LATE_SECONDS = 60.0

Late = Callable[[Pdu], None]


@dataclass(frozen=True, slots=True)
class _Question:
    command: Command
    answer: "asyncio.Future[Pdu]"
    late: Late | None

    def is_answered_by(self, pdu: Pdu) -> bool:
        return pdu.command in {Command.GENERIC_NACK, self.command | RESPONSE}


class Questions:
    """The questions of one connection that wait for an answer, and those that did."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[int, _Question] = {}
        self._late: dict[int, tuple[float, Late]] = {}

    def ask(
        self, sequence: int, command: Command, late: Late | None = None
    ) -> "asyncio.Future[Pdu]":
        """Wait for an answer; *late* is told one of its kind that comes after the wait is over."""
        answer: asyncio.Future[Pdu] = self._loop.create_future()
        self._waiting[sequence] = _Question(command, answer, late)
        return answer

    def end(self, sequence: int) -> None:
        """Wait no more."""
        now = self._loop.time()
        while self._late and now > (first := next(iter(self._late.items())))[1][0]:
            del self._late[first[0]]
        asked = self._waiting.pop(sequence, None)
        if asked is not None and asked.late is not None and asked.answer.cancelled():
            self._late[sequence] = (now + LATE_SECONDS, asked.late)

    def take(self, pdu: Pdu) -> bool:
        """Take an answer in; tell whether somebody waited for it."""
        asked = self._waiting.get(pdu.sequence)
        if asked is not None and asked.is_answered_by(pdu) and not asked.answer.done():
            asked.answer.set_result(pdu)
            return True
        if pdu.command is Command.SUBMIT_SM_RESP and pdu.sequence in self._late:
            until, late = self._late.pop(pdu.sequence)
            if self._loop.time() <= until:
                late(pdu)
        return False

    def lose(self) -> None:
        """Tell all who wait that no answer will come."""
        for asked in self._waiting.values():
            if not asked.answer.done():
                asked.answer.set_exception(NotAnsweredError("connection-lost"))
                asked.answer.exception()  # whoever waits may have gone
        self._waiting.clear()
        self._late.clear()

    def waiting(self) -> "Collection[asyncio.Future[Pdu]]":
        """Return what is waited for."""
        return [asked.answer for asked in self._waiting.values()]
