"""What operators tell besides messages: what became of replies, and of numbers.

Each is stored and acknowledged like a message, and like any other of its kind: whether we know what
it is about does not show.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from core import log, metrics
from core.db import Database
from core.keyring import Keyring
from records import number_events
from records.number_events import Arrival
from sms import receipts
from sms.links import kannel, number_notices, statuses
from sms.links.errors import MalformedError
from sms.links.model import Link, LinkKind, Subject
from sms.links.registry import LinkRegistry
from sms.links.statuses import Status
from sms.problems import NOTHING, Answer, refusal
from sms.receipts import Receipt

_JSON = "application/json"
_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice of a link: the id it is acknowledged by, and what it says.

    *said* is None where it is about nothing that could be ours.
    """

    link: Link
    subject: Subject
    id: str
    said: Receipt | Arrival | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Notices:
    """Reads and takes notices."""

    database: Database
    keyring: Keyring
    links: LinkRegistry

    def read(
        self,
        link: Link,
        subject: Subject,
        signed: str | list[tuple[str, str]] | dict[str, object],
        query: str,
        now: datetime,
    ) -> Notice:
        """Read what a link is seen to have posted.

        Raises: MalformedError; UnauthenticatedError for another account's or number's.
        """
        if subject is Subject.RECEIPT:
            status = _status(link, signed, query, now)
            return Notice(link, subject, status.id, status.receipt)
        if not isinstance(signed, str):
            raise MalformedError("a link of this kind tells nothing of numbers")
        notice = number_notices.read(link, signed, now)
        arrival = notice.number and number_events.prepare(
            self.keyring, link.id, notice.event, notice.number
        )
        return Notice(link, subject, notice.event.id, arrival or None)

    def take(self, told: Sequence[Notice], now: datetime) -> list[Answer]:
        """Take notices in one commit, and word their acknowledgements."""
        prefixes = self.links.prefixes()
        reporting = {notice.link.id for notice in told if isinstance(notice.said, Receipt)}
        peers = {each: [peer.id for peer in self.links.peers(each)] for each in reporting}

        def work(session: Session) -> list[str]:
            came_to = dict.fromkeys(range(len(told)), "unknown")
            came_to |= _take_receipts(session, told, peers, now)
            came_to |= _take_events(session, told, prefixes)
            return [came_to[place] for place in range(len(told))]

        came_to = self.database.write(work)
        _count(told, came_to, prefixes)
        return [_acknowledged(notice, result) for notice, result in zip(told, came_to, strict=True)]


def _status(
    link: Link, signed: str | list[tuple[str, str]] | dict[str, object], query: str, now: datetime
) -> Status:
    match signed:
        case str():
            return statuses.read(signed, now)
        case list():
            return statuses.read_twilio(link, signed, query, now)
        case dict():
            return kannel.read_status(signed, now)


def _take_receipts(
    session: Session, told: Sequence[Notice], peers: Mapping[int, Sequence[int]], now: datetime
) -> dict[int, str]:
    said = [
        (place, notice.link, notice.said)
        for place, notice in enumerate(told)
        if isinstance(notice.said, Receipt)
    ]
    came_to: dict[int, str] = {}
    for key, group in groupby(sorted(said, key=lambda one: one[1].id), key=lambda one: one[1].id):
        of_link = list(group)
        link, reported = of_link[0][1], [one[2] for one in of_link]
        taken = receipts.take(session, link, reported, now, peers[key])
        came_to |= {one[0]: result for one, result in zip(of_link, taken, strict=True)}
    return came_to


def _take_events(
    session: Session, told: Sequence[Notice], prefixes: Mapping[str, str]
) -> dict[int, str]:
    said = {
        place: notice.said for place, notice in enumerate(told) if isinstance(notice.said, Arrival)
    }
    taken = number_events.take(session, list(said.values()), prefixes) if said else []
    return dict(zip(said, taken, strict=True))


def _count(told: Sequence[Notice], came_to: Sequence[str], known: Collection[str]) -> None:
    for notice, result in zip(told, came_to, strict=True):
        if notice.subject is Subject.NUMBER:
            _count_event(notice, result, known)
        else:
            receipts.count(notice.link, [receipts.Taken(result)])


def _count_event(notice: Notice, result: str, known: Collection[str]) -> None:
    metrics.NUMBER_EVENTS.labels(notice.link.code, result).inc()
    if result == number_events.Taken.CONFLICTING:
        metrics.ALARMS.labels("conflicting-repeat").inc()
        _log.error("number.conflicting", link=notice.link.code)
    if result == number_events.Taken.NEW and _names_nobody(notice, known):
        metrics.ALARMS.labels("unknown-network").inc()
        _log.warning("number.unknown-network", link=notice.link.code)
    if result == number_events.Taken.TOO_MANY:
        metrics.ALARMS.labels("number-flooded").inc()
        _log.warning("number.too-many", link=notice.link.code)
    if result == number_events.Taken.NOT_SERVED:
        metrics.ALARMS.labels("foreign-number").inc()
        _log.warning("number.not-served", link=notice.link.code)


def _names_nobody(notice: Notice, known: Collection[str]) -> bool:
    """Tell whether a number is said to have gone to a network that no operator here is."""
    said = notice.said
    return isinstance(said, Arrival) and said.event.to is not None and said.event.to not in known


def _acknowledged(notice: Notice, result: str) -> Answer:
    if result == number_events.Taken.CONFLICTING:
        return refusal(409)
    if notice.link.kind is LinkKind.KANNEL:
        return NOTHING
    if notice.link.kind is LinkKind.HTTP:
        body = json.dumps({"id": notice.id}, separators=(",", ":"))
        return Answer(200, _JSON, body.encode())
    from sms.links.twilio import ACKNOWLEDGEMENT  # noqa: PLC0415 (loads slowly)

    return Answer(200, "text/xml", ACKNOWLEDGEMENT.encode())
