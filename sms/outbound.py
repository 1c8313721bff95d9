"""SEND: claims sealed replies, hands them to their operators, and records what came of it.

A claim licenses a start for one second. Each start is checked against the stop file of this machine
and each outcome is written under the claim's number, so that a sender that was asleep meanwhile
changes nothing.
"""

import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from billing import usage
from billing.usage import Direction, Usage
from core import log, metrics
from core.clock import Clock
from core.db import Database
from core.errors import UnavailableError
from core.keyring import Keyring
from core.settings import Route
from journal.journal import Journal
from records import stop_file
from sms import attempts, dispatch, outbox
from sms.carrier import Carrier
from sms.dispatch import Claimed, NotStarted, ReplyState, Result
from sms.lanes import Gate, Lanes
from sms.links.model import Accepted, Link, LinkKind, LinkState, Outcome, Outgoing, Refused, Unknown
from sms.links.registry import LinkRegistry
from sms.pacing import Pacer
from sms.routes import Routes
from sms.signals import Pace, Signal

LICENCE_SECONDS = 1.0
_TROUBLE_SECONDS = 1.0
_EXPIRE_SECONDS = 1.0
_log = log.get_logger(__name__)


class Sender(Protocol):
    """One protocol's way of handing a reply over."""

    async def send(self, link: Link, outgoing: Outgoing, now: datetime) -> Outcome:
        """Offer a reply once and say what is known of it afterwards."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


class Looker(Protocol):
    """One protocol's way of finding out what came of a send, where sending again makes a double."""

    async def look(self, link: Link, outgoing: Outgoing) -> Accepted | Refused | None:
        """Look whether the operator has a reply that may have been sent; None if it has not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What handing one reply over needs."""

    keyring: Keyring
    journal: Journal
    links: LinkRegistry
    senders: Mapping[LinkKind, Sender]
    clock: Clock
    state_dir: Path
    lookers: Mapping[LinkKind, Looker] = field(default_factory=dict)

    async def deliver(
        self, claimed: Claimed, link: Link | None, licensed_until: float
    ) -> Outcome | NotStarted:
        """Start the reply if it still may be, and say what came of it."""
        content = dispatch.open_content(self.keyring, claimed)
        if link is None or link.state is not LinkState.ACTIVE:
            return NotStarted()
        if claimed.is_test and not link.is_test:
            return Refused("made-up-person", retryable=False)
        outgoing = Outgoing(
            id=str(claimed.id),
            to=content.to,
            sender=content.sender,
            text=content.text,
            encoding=claimed.encoding,
            segments=claimed.segments,
            expires_at=claimed.expires_at,
            in_reply_to=content.in_reply_to,
            created_at=claimed.created_at,
        )
        looker = self.lookers.get(link.kind) if claimed.unknowns else None
        if looker is not None and (found := await looker.look(link, outgoing)):
            return found
        now = self.clock.now()
        if claimed.discloses and (not link.is_assessed(now) or stop_file.is_there(self.state_dir)):
            return NotStarted()
        # The last thing before the first byte: the licence to start may have run out meanwhile.
        if self.clock.monotonic() > licensed_until or now >= claimed.expires_at:
            return NotStarted()
        return await self.senders[link.kind].send(link, outgoing, now)

    def close(self) -> None:
        """Let go of every connection; call in the event loop that they belong to."""
        for sender in self.senders.values():
            sender.close()


class Dispatcher:
    """Keeps so many replies under way at once, and commits outcomes and claims together."""

    def __init__(
        self,
        database: Database,
        delivery: Delivery,
        clock: Clock,
        wake: Signal,
        *,
        at_once: int,
        gate: Gate | None = None,
        route: Route = Route.INBOUND,
    ) -> None:
        self._database = database
        self._delivery = delivery
        self._clock = clock
        self._wake = wake
        self._at_once = at_once
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._under_way = 0
        self._lanes = Lanes(at_once, gate)
        self._route = route
        self._routes = Routes(delivery.links)
        self._pacer = Pacer(database, delivery.links, clock)
        self._unwritten: list[Result] = []
        self._expired_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop, then send what may go now, and record what is under way."""
        pace, busy = Pace(self._clock), True
        carrier = Carrier(self._came_back, self._delivery.close)
        while not stop.is_set() or busy or self._under_way or self._unwritten:
            try:
                busy = self._round(carrier)
            except UnavailableError as error:
                _log.error("send.database-unavailable", **log.failure(error))
                self._pause(stop)
                continue
            except Exception as error:  # noqa: BLE001 (the loop outlives any one fault)
                _log.error("send.failed", **log.failure(error))
                metrics.ALARMS.labels("send-failed").inc()
                self._pause(stop)
                continue
            if busy:
                pace.worked()
            else:
                self._wake.wait(pace.seconds())
        carrier.end()

    def _pause(self, stop: threading.Event) -> None:
        # While draining, the event is set and would be waited for no more.
        if stop.is_set():
            threading.Event().wait(_TROUBLE_SECONDS)
        else:
            stop.wait(_TROUBLE_SECONDS)

    def _round(self, carrier: Carrier) -> bool:
        """Write what came back and claim as many more; tell whether there may be more to claim."""
        self._collect()
        free = self._at_once - self._under_way
        now, licensed_until = self._clock.now(), self._clock.monotonic() + LICENCE_SECONDS
        results = self._unwritten
        expires = self._clock.monotonic() - self._expired_at >= _EXPIRE_SECONDS
        if not results and free == 0 and not expires:
            return False

        rooms = self._lanes.rooms(self._pacer.rooms() if free else {})

        def work(session: Session) -> list[Claimed]:
            if results:
                self._record(session, results, now)
            if expires:
                outbox.expire(session, now)
            claimed = self._claim(session, now, free, rooms) if free else []
            # Every worker adds to these rows: last of all, they are held for the commit alone, and
            # nobody who holds them waits for a reply that another holds.
            attempts.add(session, attempts.count(results, self._routes.are_shared), now)
            return claimed

        claimed = self._database.write(work)
        self._unwritten = []
        if expires:
            self._expired_at = self._clock.monotonic()
        _count(results, now, self._delivery.links)
        linked = [(one, self._delivery.links.by_id(one.link_id)) for one in claimed]
        for one in claimed:
            self._under_way += 1
            self._lanes.started(one.link_id, one.segments)
            self._pacer.started(one.link_id, one.segments)
        deliver = self._delivery.deliver
        carrier.carry([(one, deliver(one, link, licensed_until)) for one, link in linked])
        return bool(claimed) and len(claimed) == free

    def _claim(
        self, session: Session, now: datetime, free: int, rooms: Mapping[int, int]
    ) -> list[Claimed]:
        may, route = self._delivery.journal.obstacle(session, now) is None, self._route
        return outbox.claim(session, now, limit=free, may_disclose=may, rooms=rooms, route=route)

    def _record(self, session: Session, results: Sequence[Result], now: datetime) -> None:
        outbox.record(session, results, now, self._routes.elsewhere(session, results, now))
        usage.record(session, _usage(results, now, self._delivery.links))

    def _collect(self) -> None:
        while True:
            try:
                result = self._results.get_nowait()
            except queue.Empty:
                return
            self._unwritten.append(result)
            self._under_way -= 1
            self._lanes.ended(result.claimed.link_id, result.outcome)

    def _came_back(self, results: Sequence[Result]) -> None:
        for result in results:
            self._results.put(result)
        self._wake.ring()


def _usage(results: Sequence[Result], now: datetime, links: LinkRegistry) -> list[Usage]:
    return [
        Usage(
            message_id=result.claimed.id,
            link_id=result.claimed.link_id,
            direction=Direction.MT,
            operator_message_id=result.outcome.provider_id,
            segments=result.claimed.segments,
            encoding=result.claimed.encoding,
            at=now,
            status=ReplyState.ACCEPTED,
            reply_class=result.claimed.reply,
            is_test=_is_test(links, result.claimed.link_id),
            answers=result.claimed.inbound_id,
        )
        for result in results
        if isinstance(result.outcome, Accepted)
    ]


def _is_test(links: LinkRegistry, link_id: int) -> bool:
    link = links.by_id(link_id)
    return link is not None and link.is_test


def _code(links: LinkRegistry, link_id: int) -> str:
    link = links.by_id(link_id)
    return link.code if link else "unknown"


def _count(results: Sequence[Result], now: datetime, links: LinkRegistry) -> None:
    for result in results:
        name = type(result.outcome).__name__.lower()
        metrics.SENT.labels(_code(links, result.claimed.link_id), name).inc()
        if isinstance(result.outcome, Accepted):
            waited = now - _made_at(result.claimed.inbound_id)
            metrics.ANSWER_SECONDS.observe(max(waited.total_seconds(), 0.0))
        elif isinstance(result.outcome, Refused | Unknown):
            _log.warning(
                "reply.not-accepted",
                message_id=result.claimed.inbound_id,
                reply_id=result.claimed.id,
                reason=result.outcome.reason,
                attempt=result.claimed.attempt,
                outcome=name,
            )


def _made_at(message_id: UUID) -> datetime:
    """Read from a message's id when it was accepted (RFC 9562: milliseconds, then chance)."""
    return datetime.fromtimestamp((message_id.int >> 80) / 1000, UTC)
