"""RECEIVE for SMPP: what SMSCs deliver is stored by the lot, and answered OK after the commit.

The same steps as behind the webhook: the link's rate, its backlog, one commit, then the word to the
operator. What differs is that a deliver_sm seldom has an id. Without one, the same text of the same
sender is a repeat for as long as the link's profile says: what an SMSC sends again because our
answer was lost has no other mark. ADR 0025.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import log, metrics
from core.clock import Clock
from core.db import Database
from core.errors import UnavailableError
from core.keyring import Keyring
from core.prepared import among, prepared
from core.threads import name_thread
from sms import inbound, receipts
from sms.inbound import Arrival
from sms.limits import Backlog, RateLimit
from sms.links.model import Envelope, Link
from sms.links.registry import LinkRegistry
from sms.links.smpp import part_store, reading
from sms.links.smpp.part_store import Joined, Prepared
from sms.links.smpp.pdu import Message
from sms.links.smpp.profile import Profile
from sms.links.smpp.reading import Part, Report, Text, Unmarked, Unreadable
from sms.links.smpp.statuses import Status
from sms.notice_rate import NoticeRate
from sms.signals import Bell
from sms.tables import INBOUND_KEY

_MOST_AT_ONCE = 256
_REPEATS_FOR = timedelta(seconds=60)
_SHORTEST = timedelta(seconds=1)
_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Offered:
    """A deliver_sm, and how it is answered: from any thread; or what a late answer tells."""

    link: Link
    profile: Profile
    message: Message | receipts.Receipt
    answer: Callable[[Status], None]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A whole message, ready to be stored; None: its id is the operator's and holds for good."""

    arrival: Arrival
    repeats_for: timedelta | None


@dataclass(frozen=True, slots=True)
class _Told:
    """What tells a message without an id: its name in this span of time, and in the one before."""

    name: str
    before: str
    since: datetime


@dataclass(frozen=True, slots=True)
class _Written:
    """What a commit came to: for each whole message, and for the receipts of each link."""

    messages: list[inbound.Receipt]
    joined: list[inbound.Receipt]
    reports: dict[int, list[receipts.Taken]]


_Item = _Ready | Prepared | Report
_Kept = dict[int, tuple[Link, _Item]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What storing what SMSCs deliver needs."""

    database: Database
    keyring: Keyring
    links: LinkRegistry
    clock: Clock
    rate: RateLimit
    notices: NoticeRate
    backlog: Backlog
    received: Bell

    def take(self, offered: Sequence[Offered]) -> list[Status]:
        """Store what may be stored, in one commit, and say how each is to be answered."""
        statuses = [Status.TEMPORARY] * len(offered)
        kept: _Kept = {}
        try:
            for place, one in enumerate(offered):
                item = self._prepare(one)
                if isinstance(item, Status):
                    statuses[place] = item
                else:
                    kept[place] = (one.link, item)
            for place in self._refused(offered, kept):
                statuses[place] = Status.THROTTLED
                del kept[place]
            for place, status in self._store(kept).items():
                statuses[place] = status
        except UnavailableError as error:
            _log.error("inbound.not-stored", **log.failure(error))
        except Exception as error:  # noqa: BLE001 (what is not answered OK is delivered again)
            _log.error("smpp.broke", **log.failure(error))
            metrics.ALARMS.labels("smpp-failed").inc()
            if len(offered) > 1:
                # What broke it must not keep the others from being stored.
                return [self.take([one])[0] for one in offered]
        return statuses

    def give_up(self) -> None:
        """Answer the senders of messages whose parts did not all come."""
        now, links = self.clock.now(), {link.id: link for link in self.links.all()}

        def work(session: Session) -> int:
            late = part_store.give_up(session, self.keyring, now)
            ready = [self._joined(links[one.link_id], one, now) for one in late]
            _keep(session, ready, now)
            return len(late)

        if self.database.write(work):
            self.received.ring()

    def _prepare(self, offered: Offered) -> _Item | Status:
        link, profile, now = offered.link, offered.profile, self.clock.now()
        if isinstance(offered.message, receipts.Receipt):
            return Report(offered.message)
        match reading.read(profile, offered.message, now):
            case Text() as text:
                repeats_for = timedelta(seconds=profile.repeat_seconds)
                arrival = self._arrival(link, text, now)
                return _Ready(arrival, None if text.given_id else repeats_for)
            case Part() as part:
                return part_store.prepare(self.keyring, link.id, part, now)
            case Report() as report:
                return report
            case Unmarked():
                _log.warning("smpp.receipt-unmarked", link=link.code)
                return Status.OK
            case Unreadable():
                _log.warning("smpp.unreadable", link=link.code)
                return Status.PERMANENT

    def _arrival(self, link: Link, text: Text, now: datetime) -> Arrival:
        envelope = Envelope(text.given_id or "", text.sender, text.to, text.text, now)
        return inbound.prepare(self.keyring, link, envelope, now)

    def _joined(self, link: Link, joined: Joined, now: datetime) -> _Ready:
        text = Text(sender=joined.sender, to=joined.to, text=joined.text)
        return _Ready(self._arrival(link, text, now), _REPEATS_FOR)

    def _refused(self, offered: Sequence[Offered], kept: _Kept) -> list[int]:
        """Say what is over what its link may hand over now; receipts have a rate of their own."""
        asking = [place for place, (_, item) in kept.items() if not isinstance(item, Report)]
        allowed = self.rate.spend([kept[place][0] for place in asking])
        over = [
            place
            for place, is_allowed in zip(asking, allowed, strict=True)
            if not is_allowed or self.backlog.is_full(kept[place][0])
        ]
        # Late answers are as many as we have asked for.
        told = [place for place in kept if isinstance(kept[place][1], Report)]
        told = [place for place in told if isinstance(offered[place].message, Message)]
        return over + [place for place in told if not self.notices.spend(kept[place][0])]

    def _store(self, kept: _Kept) -> dict[int, Status]:
        if not kept:
            return {}
        now = self.clock.now()
        written = self.database.write(lambda session: self._write(session, kept, now))
        if inbound.Receipt.NEW in (*written.messages, *written.joined):
            self.received.ring()
        links = {link.id: link for link, _ in kept.values()}
        for link_id, taken in written.reports.items():
            receipts.count(links[link_id], taken)
        statuses = dict.fromkeys(kept, Status.OK)
        whole = [place for place, (_, item) in kept.items() if isinstance(item, _Ready)]
        for place, came_to in zip(whole, written.messages, strict=True):
            statuses[place] = _acknowledge(kept[place][0], came_to)
        return statuses

    def _write(self, session: Session, kept: _Kept, now: datetime) -> _Written:
        links = {link.id: link for link, _ in kept.values()}
        items = [item for _, item in kept.values()]
        whole = [item for item in items if isinstance(item, _Ready)]
        parts = [item for item in items if isinstance(item, Prepared)]
        joined = [
            self._joined(links[one.link_id], one, now)
            for one in part_store.store(session, self.keyring, parts)
        ]
        came_to = _keep(session, [*whole, *joined], now)
        reports: dict[int, list[receipts.Taken]] = {}
        for link_id, link in sorted(links.items()):
            told = [
                item.receipt
                for of_link, item in kept.values()
                if of_link.id == link_id and isinstance(item, Report) and item.receipt is not None
            ]
            if told:
                reports[link_id] = receipts.take(session, link, told, now)
        return _Written(came_to[: len(whole)], came_to[len(whole) :], reports)


def _keep(session: Session, ready: Sequence[_Ready], now: datetime) -> list[inbound.Receipt]:
    return inbound.store(session, _named(session, ready, now)) if ready else []


def _named(session: Session, ready: Sequence[_Ready], now: datetime) -> list[Arrival]:
    """Give those messages an id that have none: the one of a repeat's first, or a new one."""
    told = {one.arrival.id: _told_by(one, now) for one in ready if one.repeats_for is not None}
    known: dict[tuple[int, str], datetime] = {}
    if told:
        links = sorted({one.arrival.link_id for one in ready})
        rows = session.execute(
            _KNOWN, {"links": links, "names": [each.before for each in told.values()]}
        )
        known = {(row.link_id, row.operator_message_id): row.received_at for row in rows}
    named: list[Arrival] = []
    for arrival in (one.arrival for one in ready):
        if (each := told.get(arrival.id)) is None:
            named.append(arrival)
            continue
        first_at = known.get((arrival.link_id, each.before))
        is_repeat = first_at is not None and first_at > each.since
        named.append(replace(arrival, operator_message_id=each.before if is_repeat else each.name))
    return named


def _told_by(one: _Ready, now: datetime) -> _Told:
    span = max(one.repeats_for or _SHORTEST, _SHORTEST)
    number = int(now.timestamp() / span.total_seconds())
    text = f"smpp-{one.arrival.content_tag.hex()[:32]}"
    return _Told(f"{text}-{number:x}", f"{text}-{number - 1:x}", now - span)


def _acknowledge(link: Link, came_to: inbound.Receipt) -> Status:
    metrics.MESSAGES_IN.labels(link.code, came_to.name.lower()).inc()
    if came_to is inbound.Receipt.CONFLICTING:
        metrics.ALARMS.labels("conflicting-repeat").inc()
        _log.error("inbound.conflicting", link=link.code)
        return Status.REJECTED
    return Status.OK


class Desk:
    """The thread that stores what was offered, as much at once as has come meanwhile."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._offered: queue.SimpleQueue[Offered | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="smpp-store", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def offer(self, offered: Offered) -> None:
        """Have a deliver_sm stored and answered."""
        self._offered.put(offered)

    def end(self, seconds: float) -> None:
        """Answer what was offered, and end."""
        self._offered.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        name_thread("smpp-store")
        while (first := self._offered.get()) is not None:
            lot = [first]
            while len(lot) < _MOST_AT_ONCE and not self._offered.empty():
                following = self._offered.get()
                if following is None:
                    self._offered.put(None)
                    break
                lot.append(following)
            for one, status in zip(lot, self._intake.take(lot), strict=True):
                one.answer(status)


_KNOWN = prepared(
    sa.select(
        INBOUND_KEY.c.link_id, INBOUND_KEY.c.operator_message_id, INBOUND_KEY.c.received_at
    ).where(
        among(INBOUND_KEY.c.link_id, "links"), among(INBOUND_KEY.c.operator_message_id, "names")
    )
)
