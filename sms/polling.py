"""Polls for messages that an operator has and could not hand over, through the same dedupe.

Twilio drops a message when webhook and fallback both fail; its list still has it. Whichever process
finds that a link is due moves the due time on, so one of them asks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import log, metrics
from core.clock import Clock
from core.db import Database, dialect_of, upsert
from core.keyring import Keyring
from sms import inbound
from sms.inbound import Arrival, Receipt
from sms.links.model import Envelope, Link, LinkKind, LinkState
from sms.links.registry import LinkRegistry
from sms.tables import LINK_POLL

EVERY = timedelta(minutes=5)
_LOOKS_BACK = timedelta(hours=24)
# What came in while the last list was made, or was slow to be in it.
_OVERLAP = timedelta(minutes=15)
# What came in just now may be on its way to the webhook.
_ON_ITS_WAY = timedelta(minutes=1)
_AT_ONCE = 256
_log = log.get_logger(__name__)

Fetch = Callable[[Link, datetime], Sequence[Envelope]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """Asks operators for what reached no webhook; *fetch* lists what came in since an instant."""

    database: Database
    keyring: Keyring
    links: LinkRegistry
    clock: Clock
    fetch: Fetch

    def poll(self) -> None:
        """Ask for the messages of every link that is due.

        Raises: what *fetch* raises, for the link that could not be asked, after the others.
        """
        failed: Exception | None = None
        for link in self.links.all():
            if link.kind is LinkKind.TWILIO and link.state is LinkState.ACTIVE:
                try:
                    self._poll(link)
                except Exception as error:  # noqa: BLE001 (the other links are asked all the same)
                    failed = error
        if failed is not None:
            raise failed

    def _poll(self, link: Link) -> None:
        now = self.clock.now()
        since = self.database.write(lambda session: _lease(session, link, now))
        if since is None:
            return
        arrivals = [
            inbound.prepare(self.keyring, link, envelope, now)
            for envelope in self.fetch(link, since)
            if now - envelope.received_at >= _ON_ITS_WAY
        ]
        for start in range(0, len(arrivals), _AT_ONCE):
            _count(link, self._store(arrivals[start : start + _AT_ONCE]))
        self.database.write(lambda session: _seen(session, link, now))

    def _store(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        return self.database.write(lambda session: inbound.store(session, arrivals))


def _lease(session: Session, link: Link, now: datetime) -> datetime | None:
    """Take a link that is due; return from when on to ask, None if it is not due."""
    first = {"link_id": link.id, "due_at": now, "seen_until": None}
    session.execute(upsert(dialect_of(session), LINK_POLL).on_conflict_do_nothing(), first)
    mine = sa.update(LINK_POLL).where(LINK_POLL.c.link_id == link.id, LINK_POLL.c.due_at <= now)
    taken = session.execute(mine.values(due_at=now + EVERY).returning(LINK_POLL.c.seen_until)).all()
    if not taken:
        return None
    seen_until = taken[0].seen_until
    earliest = now - _LOOKS_BACK
    return earliest if seen_until is None else max(earliest, seen_until - _OVERLAP)


def _seen(session: Session, link: Link, until: datetime) -> None:
    this = sa.update(LINK_POLL).where(LINK_POLL.c.link_id == link.id)
    session.execute(this.values(seen_until=until))


def _count(link: Link, receipts: Sequence[Receipt]) -> None:
    new = sum(receipt is Receipt.NEW for receipt in receipts)
    conflicting = sum(receipt is Receipt.CONFLICTING for receipt in receipts)
    metrics.MESSAGES_IN.labels(link.code, "polled").inc(new)
    if new:
        # It had not come by the webhook: somebody should find out why.
        metrics.ALARMS.labels("webhook-missed").inc()
        _log.error("inbound.missed", link=link.code, count=new)
    if conflicting:
        metrics.ALARMS.labels("conflicting-repeat").inc()
        _log.error("inbound.conflicting", link=link.code)
