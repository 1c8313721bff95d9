"""What the tests of SMPP stand on: links of that kind, and an intake without a network."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sms.limits import Backlog, RateLimit
from sms.links import registry
from sms.links.model import Link, LinkKind
from sms.links.registry import NewLink
from sms.links.smpp import profile
from sms.links.smpp.intake import Intake, Offered
from sms.links.smpp.pdu import Address, Message
from sms.links.smpp.statuses import Status
from sms.notice_rate import NoticeRate
from tests.sms.gateway import Gateway

PASSWORD = "s3cret"
SHORT_CODE = "1414"


@dataclass(slots=True)
class CountingBell:
    """Counts how often it was rung."""

    rung: int = field(default=0)

    def ring(self) -> None:
        """Count."""
        self.rung += 1


@dataclass(slots=True)
class Stand:
    """An intake over a gateway, with one link."""

    gateway: Gateway
    intake: Intake
    link: Link
    bell: CountingBell

    def take(self, *messages: Message) -> list[Status]:
        """Have these taken in one lot."""
        told = profile.load(self.link.profile or "")
        offered = [Offered(self.link, told, message, lambda _: None) for message in messages]
        return self.intake.take(offered)


def add_link(
    gateway: Gateway, port: int = 2775, code: str = "smpp", rate: int = 100, **changes: object
) -> Link:
    """Add a link of the kind smpp that may carry made-up people."""
    told = profile.make({"hosts": ["127.0.0.1"], "port": port, "system_id": "tradan", **changes})
    new = NewLink(
        code=code,
        kind=LinkKind.SMPP,
        url=told.url,
        secret=PASSWORD,
        is_test=True,
        rate=rate,
        assessed_by="tests",
        profile=profile.dump(told),
    )
    now = gateway.clock.now()
    gateway.database.write(lambda s: registry.add(s, gateway.keyring, new, now))
    found = gateway.database.read(lambda s: registry.load(s, gateway.keyring))
    return next(link for link in found if link.code == code)


def stand(gateway: Gateway, rate: int = 100, code: str = "smpp", **changes: object) -> Stand:
    """Make an intake over a gateway."""
    bell = CountingBell()
    intake = Intake(
        database=gateway.database,
        keyring=gateway.keyring,
        links=gateway.links,
        clock=gateway.clock,
        rate=RateLimit(gateway.database, gateway.clock),
        notices=NoticeRate(gateway.clock),
        backlog=Backlog(gateway.database, gateway.clock),
        received=bell,
    )
    return Stand(gateway, intake, add_link(gateway, 2775, code, rate, **changes), bell)


def delivered(
    text: str | bytes,
    sender: str = "84561234567",
    coding: int = 0,
    esm_class: int = 0,
    tlvs: Sequence[tuple[int, bytes]] = (),
) -> Message:
    """Write the deliver_sm of a citizen's message."""
    return Message(
        source=Address(sender, 1, 1),
        destination=Address(SHORT_CODE),
        short_message=text if isinstance(text, bytes) else text.encode("ascii"),
        data_coding=coding,
        esm_class=esm_class,
        tlvs=tuple(tlvs),
    )


def part(
    text: str, number: int, total: int = 2, reference: int = 7, sender: str = "84561234567"
) -> Message:
    """Write the deliver_sm of one part, by an 8-bit reference."""
    header = bytes((5, 0, 3, reference, total, number))
    return delivered(header + text.encode("ascii"), sender, esm_class=0x40)
