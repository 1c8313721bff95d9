"""One bind kept up: connected, bound, watched, and bound again after it was lost.

A connection that fails is tried again after 1, 2, 4 … 60 s; a bind that the SMSC refuses after 30 s
to 10 minutes, because it will not be taken sooner, and hot retries get an account locked.
"""

import asyncio
import hashlib
import re
import secrets
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from sms.links.model import Link
from sms.links.posting import CONNECTED_SECONDS, NotAnsweredError, NotSentError
from sms.links.smpp import pdu, profile
from sms.links.smpp.connection import Connection, Deliver, Timing
from sms.links.smpp.leases import Key
from sms.links.smpp.pdu import Command
from sms.links.smpp.profile import Binding, Profile
from sms.links.smpp.statuses import Status

_LOST_SECONDS = (1.0, 60.0)
_REFUSED_SECONDS = (30.0, 600.0)
# The SMSC has not noticed yet that our last session is gone.
_OCCUPIED_SECONDS = (5.0, 60.0)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class BindRefusedError(Exception):
    """The SMSC does not let us bind."""

    def __init__(self, status: int) -> None:
        super().__init__("the SMSC refused the bind")
        self.status = status


@dataclass(frozen=True, slots=True)
class Wanted:
    """One bind as it is to be: whatever of it changes, it is bound anew."""

    key: Key
    code: str
    profile: Profile
    host: str
    command: Command
    password: str = field(repr=False)

    @property
    def sends(self) -> bool:
        """Whether replies leave by it."""
        return self.command is not Command.BIND_RECEIVER

    @property
    def receives(self) -> bool:
        """Whether messages come by it."""
        return self.command is not Command.BIND_TRANSMITTER


def binds_of(link: Link) -> Iterator[Wanted]:
    """Yield the binds of a link: for each host one, or one for each direction."""
    told = profile.load(link.profile or "")
    commands: tuple[Command, ...] = (Command.BIND_TRANSCEIVER,)
    if told.bind is Binding.TX_RX:
        commands = (Command.BIND_TRANSMITTER, Command.BIND_RECEIVER)
    number = 0
    for host in told.hosts:
        for command in commands:
            key = Key(link.id, number)
            yield Wanted(key, link.code, told, host, command, link.secrets[0])
            number += 1


async def connect(wanted: Wanted, deliver: Deliver, timing: Timing) -> Connection:
    """Connect and bind.

    Raises: NotSentError, NotAnsweredError, BindRefusedError.
    """
    told = wanted.profile
    loop = asyncio.get_running_loop()
    context = tls(told.tls_certificate) if told.tls_certificate else None
    try:
        async with asyncio.timeout(CONNECTED_SECONDS * 5):
            transport, connection = await loop.create_connection(
                lambda: Connection(deliver, timing), wanted.host, told.port, ssl=context
            )
    except ssl.SSLError as error:
        raise NotSentError("certificate") from error
    except (OSError, TimeoutError, UnicodeError) as error:
        raise NotSentError("no-connection") from error
    try:
        if context is not None:
            _see_pinned(transport.get_extra_info("ssl_object"), told.tls_certificate)
        body = pdu.Bind(
            system_id=told.system_id, password=wanted.password, system_type=told.system_type
        )
        answer = await connection.ask(wanted.command, body)
    except BaseException:
        connection.cut()
        raise
    if answer.status != Status.OK or answer.command is Command.GENERIC_NACK:
        connection.cut()
        raise BindRefusedError(answer.status)
    return connection


def pause(failures: int, error: Exception | None) -> float:
    """Say how long to wait before the next try, give or take a fifth.

    Units: seconds.
    """
    shortest, longest = _LOST_SECONDS
    if isinstance(error, BindRefusedError):
        is_occupied = error.status == Status.ALREADY_BOUND
        shortest, longest = _OCCUPIED_SECONDS if is_occupied else _REFUSED_SECONDS
    seconds = min(shortest * 2.0 ** min(max(failures - 1, 0), 10), longest)
    return seconds * (0.8 + secrets.randbelow(401) / 1000)


def reason_of(error: Exception) -> str:
    """Name in a word why a bind is not up."""
    if isinstance(error, BindRefusedError):
        return f"smpp-{error.status:x}"
    return str(error) if isinstance(error, NotSentError | NotAnsweredError) else "broke"


@lru_cache(maxsize=64)
def tls(pem: str) -> ssl.SSLContext:
    """Make a context that trusts these certificates and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The certificate itself is what is agreed on, whatever name it bears and whoever issued it.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=pem)
    return context


def _see_pinned(spoken: ssl.SSLObject, pem: str) -> None:
    pinned = {
        hashlib.sha256(ssl.PEM_cert_to_DER_cert(found)).digest() for found in _PEM.findall(pem)
    }
    shown = spoken.getpeercert(binary_form=True) or b""
    if hashlib.sha256(shown).digest() not in pinned:
        raise NotSentError("certificate")
