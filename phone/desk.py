"""What the phone's page is made from: the phones, the networks, and a view of the inside.

The page sees the service from both sides: as an operator does, over a socket, and through its
tables, for what happened inside.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from core.clock import Clock
from core.settings import Bind, Settings
from phone.inside import Inside
from phone.links import LinkFolder
from phone.mailbox import Mailbox
from phone.network import Link, Network
from phone.subscribers import Subscriber

LOOPBACK = "127.0.0.1"
PAGE_FOLDER = "phone/networks"
MAILBOX_FILE = "phone/mailbox.db"
UNNAMED_SHORT_CODE = "12345"
_ANYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 (what a listener is bound to, not bound here)


class Observer(Protocol):
    """Tells what the service knows of made-up people and of their messages."""

    def subscribers(self) -> tuple[Subscriber, ...]:
        """Return the invented people whose phones may be held."""
        ...

    def insides(self, network: str, message_ids: Collection[str]) -> Mapping[str, Inside]:
        """Return what happened to messages, by the network's ids for them."""
        ...


def gateway_at(bind: Bind) -> str:
    """Return the URL at which a service that listens on *bind* is reached from this machine."""
    return f"http://{Bind(_ANYWHERE.get(bind.host, bind.host), bind.port)}"


@dataclass(slots=True)
class Desk:
    """Everything that a request to the page needs."""

    observer: Observer
    mailbox: Mailbox
    folder: LinkFolder
    gateway: str
    short_code: str
    clock: Clock
    # A text goes out after the request that brought it, which needs no second thread of the server.
    _couriers: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(4, thread_name_prefix="phone"), repr=False
    )
    _subscribers: tuple[Subscriber, ...] = ()
    _networks: dict[Link, Network] = field(default_factory=dict, repr=False)

    def networks(self) -> Mapping[str, Network]:
        """Return the made-up networks by their codes."""
        return {code: self._network(link) for code, link in self.folder.links().items()}

    def subscribers(self) -> tuple[Subscriber, ...]:
        """Return the people whose phones may be held; they are asked for until there are some."""
        if not self._subscribers:
            self._subscribers = self.observer.subscribers()
        return self._subscribers

    def send(self, network: Network, number: str, text: str, message_id: str) -> None:
        """Keep a text as sent and have it carried to the gateway."""
        network.note(number, text, message_id)
        self._couriers.submit(network.hand_over, number, text, message_id)

    def close(self) -> None:
        """See every text carried that was sent."""
        self._couriers.shutdown()

    def _network(self, link: Link) -> Network:
        held = self._networks.get(link)
        if held is None:
            held = self._networks[link] = Network(
                link,
                self.gateway,
                short_code=self.short_code,
                mailbox=self.mailbox,
                clock=self.clock,
            )
        return held


def open_desk(settings: Settings, observer: Observer, clock: Clock) -> Desk:
    """Lay out the desk of one deployment."""
    return Desk(
        observer=observer,
        mailbox=Mailbox(settings.state_dir / MAILBOX_FILE),
        folder=LinkFolder(settings.state_dir / PAGE_FOLDER),
        gateway=gateway_at(settings.bind),
        short_code=settings.short_code or UNNAMED_SHORT_CODE,
        clock=clock,
    )
