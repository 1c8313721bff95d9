"""What operators tell besides messages: what became of replies, and of numbers.

Each is stored and acknowledged like a message, and like any other of its kind: whether we know what
it is about does not show.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from core.db import Database
from sms import receipts
from sms.links import statuses
from sms.links.errors import MalformedError
from sms.links.model import Link, LinkKind, Subject
from sms.problems import Answer
from sms.receipts import Receipt, Taken

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice of a link: the id it is acknowledged by, and what it says."""

    link: Link
    id: str
    receipt: Receipt | None = field(repr=False)


def read(
    link: Link, subject: Subject, signed: str | list[tuple[str, str]], query: str, now: datetime
) -> Notice:
    """Read what a link is seen to have posted.

    Raises: MalformedError; UnauthenticatedError for another account's or number's.
    """
    if subject is not Subject.RECEIPT:
        raise MalformedError("this link tells nothing of the kind")
    if isinstance(signed, str):
        status = statuses.read(signed, now)
    else:
        status = statuses.read_twilio(link, signed, query, now)
    return Notice(link, status.id, status.receipt)


def take(database: Database, told: Sequence[Notice], now: datetime) -> list[Answer]:
    """Take notices in one commit, and word their acknowledgements."""
    links = {notice.link.id: notice.link for notice in told}
    said = {
        key: [n.receipt for n in told if n.link.id == key and n.receipt is not None]
        for key in sorted(links)
    }

    def work(session: Session) -> dict[int, list[Taken]]:
        return {key: receipts.take(session, links[key], said[key], now) for key in said}

    for key, came_to in database.write(work).items():
        receipts.count(links[key], came_to)
    return [_acknowledged(notice) for notice in told]


def _acknowledged(notice: Notice) -> Answer:
    if notice.link.kind is LinkKind.HTTP:
        body = json.dumps({"id": notice.id}, separators=(",", ":"))
        return Answer(200, _JSON, body.encode())
    from sms.links.twilio import ACKNOWLEDGEMENT  # noqa: PLC0415 (loads slowly)

    return Answer(200, "text/xml", ACKNOWLEDGEMENT.encode())
