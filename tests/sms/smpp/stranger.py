"""Whoever answers where an SMSC should be: it says what a test wants, in its own time."""

import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sms.links.smpp import codec
from sms.links.smpp.pdu import RESPONSE, Body, Bound, Command, Empty, Pdu, Taken

Words = Sequence[Pdu | bytes]


@dataclass(slots=True)
class Stranger:
    """Listens where an SMSC should, says what a test wants, and keeps what it is told."""

    answers: Callable[[Pdu], Words]
    greets: tuple[Pdu, ...] = ()
    host: str = "127.0.0.1"
    at: int = 0
    heard: list[Pdu] = field(default_factory=list)
    _door: socket.socket = field(default_factory=socket.socket)
    _lines: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin to listen."""
        self._door.bind((self.host, self.at))
        self._door.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._door.getsockname()[1])

    def asked(self, command: Command) -> list[Pdu]:
        """Return what it was asked of a kind."""
        return [pdu for pdu in self.heard if pdu.command is command]

    def replies(self, command: Command) -> list[Pdu]:
        """Return what was answered to PDUs of a kind."""
        return [pdu for pdu in self.heard if pdu.command == command | RESPONSE]

    def say(self, *words: Pdu | bytes) -> None:
        """Say something of its own accord."""
        self._lines[-1].sendall(_octets(words))

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._door.accept()
                self._speak(line)

    def _speak(self, line: socket.socket) -> None:
        buffer = bytearray()
        self._lines.append(line)
        with line, suppress(OSError):
            line.sendall(_octets(self.greets))
            while data := line.recv(4096):
                buffer += data
                for pdu in map(codec.decode, codec.cut(buffer)):
                    self.heard.append(pdu)
                    line.sendall(_octets(self.answers(pdu)))


def answer(pdu: Pdu, status: int = 0, body: Body | None = None) -> Pdu:
    """Answer a PDU."""
    return Pdu(Command(pdu.command | RESPONSE), pdu.sequence, status, body or Empty())


def lets_bind(pdu: Pdu) -> list[Pdu]:
    """Answer what an SMSC answers to whoever may bind, and take all that is submitted."""
    if pdu.command is Command.BIND_TRANSCEIVER:
        return [answer(pdu, 0, Bound("smsc"))]
    if pdu.command is Command.SUBMIT_SM:
        return [answer(pdu, 0, Taken(str(pdu.sequence)))]
    return [answer(pdu)] if pdu.command in {Command.UNBIND, Command.ENQUIRE_LINK} else []


def _octets(words: Words) -> bytes:
    return b"".join(one if isinstance(one, bytes) else codec.encode(one) for one in words)
