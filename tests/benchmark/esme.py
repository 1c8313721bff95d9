"""What an SMSC may have bound to it: it answers at once, or as it is told to."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmark.link_rows import Side
from sms.links.smpp import binding, profile
from sms.links.smpp.binding import Wanted
from sms.links.smpp.connection import Connection, Timing
from sms.links.smpp.leases import Key
from sms.links.smpp.pdu import Address, Command, Message
from sms.links.smpp.statuses import Status


@dataclass(slots=True)
class Esme:
    """Answers every message with *status*, and then *copies* times with what `answer` says."""

    answer: Callable[[str, str], str]
    status: Status | None = Status.OK
    copies: int = 1
    after: float = 0.0
    heard: list[tuple[str, str]] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _tasks: set[asyncio.Task[object]] = field(default_factory=set)

    async def serve(self, port: int, bound: threading.Event, end: asyncio.Event) -> None:
        """Bind, and answer until the end."""
        given = {"hosts": ["127.0.0.1"], "port": port, "system_id": str(Side.OURS)}
        told, command = profile.make(given), Command.BIND_TRANSCEIVER
        wanted = Wanted(Key(1, 0), "bench", told, "127.0.0.1", command, "bench")
        connection = await binding.connect(wanted, self._deliver, Timing())
        bound.set()
        await end.wait()
        await connection.unbind()

    def _deliver(self, connection: Connection, sequence: int, message: Message) -> None:
        text, number = message.short_message.decode(), f"+{message.source.value}"
        self.heard.append((number, text))
        if self.status is not None:
            connection.answer_delivery(sequence, self.status)
        if self.status is Status.OK:
            for _ in range(self.copies):
                task = self._loop.create_task(self._reply(connection, message, number, text))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _reply(self, connection: Connection, asked: Message, number: str, text: str) -> None:
        await asyncio.sleep(self.after)
        reply = Message(
            source=Address(asked.destination.value),
            destination=Address(asked.source.value, 1, 1),
            short_message=self.answer(text, number).encode(),
        )
        await connection.ask(Command.SUBMIT_SM, reply)


@contextmanager
def bound(esme: Esme, port: int) -> Iterator[Esme]:
    """Have it bound to the SMSC on *port*."""
    up, end = threading.Event(), asyncio.Event()
    loop = esme._loop
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(esme.serve(port, up, end)), daemon=True
    )
    thread.start()
    assert up.wait(10)
    try:
        yield esme
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        loop.close()
