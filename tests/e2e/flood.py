"""Load on a service: posts that nobody signed, and citizens who look themselves up meanwhile."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex

from tests.e2e import wire
from tests.e2e.fake_operator import OK, Mt
from tests.e2e.links import HttpLink, envelope, message, pins_in
from tests.e2e.people import Person

_MOST_CONNECTIONS = 256
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_PATHS = ("/sms/flood/inbound", "/sms/nowhere/inbound", "/sms/flood/status", "/sms/flood/numbers")


@dataclass(slots=True)
class Flood:
    """Posts without a signature at a steady rate, whatever becomes of those before."""

    port: int
    rate: int
    answers: Counter[int] = field(default_factory=Counter)
    sent: int = 0
    seconds: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def per_second(self) -> float:
        """Return how many posts were answered a second."""
        return self.answers.total() / self.seconds

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Flood for as long as this is open."""
        thread = threading.Thread(target=lambda: asyncio.run(self._flow()))
        began = time.monotonic()
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            self.seconds = time.monotonic() - began

    async def _flow(self) -> None:
        began, free = time.monotonic(), asyncio.Semaphore(_MOST_CONNECTIONS)
        idle: list[_Connection] = []
        async with asyncio.TaskGroup() as group:
            while not self._over.is_set():
                due = int((time.monotonic() - began) * self.rate) - self.sent
                for _ in range(due):
                    await free.acquire()
                    group.create_task(self._post(_PATHS[self.sent % len(_PATHS)], idle, free))
                    self.sent += 1
                await asyncio.sleep(0.01)
        for _, writer in idle:
            await _closed(writer)

    async def _post(self, path: str, idle: list[_Connection], free: asyncio.Semaphore) -> None:
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = (
                idle.pop() if idle else await asyncio.open_connection("127.0.0.1", self.port)
            )
            body = b'{"type":"message.received","data":{"id":"%s"}}' % token_hex(8).encode()
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {wire.JSON}\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or b"0"))
            self.answers[int(answer.split(b" ", 2)[1])] += 1
            idle.append((reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            if writer is not None:
                await _closed(writer)
        finally:
            free.release()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@dataclass(slots=True)
class Citizens:
    """People who ask for their records at a steady rate and send each PIN back at once."""

    link: HttpLink
    people: Sequence[Person]
    rate: float
    asked: int = 0
    refused: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def texting(self) -> Iterator[None]:
        """Have them text for as long as this is open."""
        with ThreadPoolExecutor(8) as pool:

            def answered(person: Person) -> Callable[[Mt], int]:
                def hear(mt: Mt) -> int:
                    for pin in pins_in(mt):
                        with suppress(RuntimeError):  # the pool ends with the test
                            pool.submit(self._send, person, f"XN {pin}")
                    return OK

                return hear

            def text() -> None:
                began = time.monotonic()
                for number, person in enumerate(self.people):
                    self._over.wait(max(0.0, began + number / self.rate - time.monotonic()))
                    if self._over.is_set():
                        return
                    self.link.operator.plan(person.phone, answered(person))
                    pool.submit(self._send, person, f"DC {person.personal_id}")
                    self.asked += 1

            thread = threading.Thread(target=text)
            thread.start()
            try:
                yield
            finally:
                self._over.set()
                thread.join()

    def texts_since(self, instant: datetime) -> list[str]:
        """Return what was handed over after an instant."""
        found = [mt for mt in list(self.link.operator.messages) if mt.arrived_at > instant]
        return [mt.text for mt in found]

    def _send(self, person: Person, text: str) -> None:
        with suppress(OSError):
            taken = self.link.post(envelope(message(person.phone, text)))
            self.refused += taken.status // 100 != 2
