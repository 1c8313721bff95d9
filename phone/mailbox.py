"""What the made-up phones remember: every text they sent and every text that reached them.

It lies in a file of its own, apart from the service's database: a phone is not part of the service,
and several processes (the page, the terminal, the demo) hold the same phones in their hands.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from core.databases import open_database
from core.db import Instant

# Not core.db.metadata: the service's migrations must not know of these tables.
_metadata = sa.MetaData()
_TEXT = sa.Table(
    "text",
    _metadata,
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("network", sa.String, nullable=False),
    sa.Column("number", sa.String, nullable=False),
    sa.Column("is_sent", sa.Boolean, nullable=False),
    sa.Column("id", sa.String, nullable=False),
    sa.Column("in_reply_to", sa.String),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("encoding", sa.String),
    sa.Column("segments", sa.Integer),
    sa.Column("at", Instant, nullable=False),
    sa.Column("copies", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("microseconds", sa.Integer),
    sa.UniqueConstraint("network", "is_sent", "id"),
    sa.Index("ix_text_number", "number", "network"),
)
_LONGEST_THREAD = 60


@dataclass(frozen=True, slots=True)
class Text:
    """One SMS as a phone keeps it.

    Units: *microseconds* from sending to the gateway's acknowledgement; *status* is that of HTTP,
    0 when the gateway was not reached and None while it is awaited. *copies* counts how often the
    same message was sent or came.
    """

    n: int
    network: str
    number: str
    is_sent: bool
    id: str
    in_reply_to: str | None
    body: str
    encoding: str | None
    segments: int | None
    at: datetime
    copies: int
    status: int | None
    microseconds: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a `message.send` of the gateway says. Source: the operators' contract."""

    id: str
    to: str
    sender: str
    text: str
    encoding: str
    segments: int
    in_reply_to: str


class Mailbox:
    """The phones' memory."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._database = open_database(sa.URL.create("sqlite", database=str(path.absolute())))
        self._database.write(lambda session: _metadata.create_all(session.connection()))

    def note_sent(self, network: str, number: str, message_id: str, body: str, at: datetime) -> int:
        """Keep a text about to be sent, or one more copy of it; return the number of copies."""
        row = {
            "network": network,
            "number": number,
            "is_sent": True,
            "id": message_id,
            "body": body,
            "at": at,
            "copies": 1,
        }
        return self._database.write(lambda session: _keep(session, row))

    def note_acknowledged(
        self, network: str, message_id: str, *, status: int, microseconds: int
    ) -> None:
        """Keep how the gateway answered the text that was sent."""
        sent = sa.and_(_TEXT.c.network == network, _TEXT.c.is_sent, _TEXT.c.id == message_id)
        change = sa.update(_TEXT).where(sent).values(status=status, microseconds=microseconds)
        self._database.write(lambda session: session.execute(change))

    def note_delivered(self, network: str, delivery: Delivery, at: datetime) -> int:
        """Keep a text that came, or one more copy of it; return the number of copies."""
        row = {
            "network": network,
            "number": delivery.to,
            "is_sent": False,
            "id": delivery.id,
            "in_reply_to": delivery.in_reply_to,
            "body": delivery.text,
            "encoding": delivery.encoding,
            "segments": delivery.segments,
            "at": at,
            "copies": 1,
        }
        return self._database.write(lambda session: _keep(session, row))

    def thread(self, network: str, number: str) -> tuple[Text, ...]:
        """Return the newest texts of one phone on one network, the oldest first."""
        mine = sa.and_(_TEXT.c.network == network, _TEXT.c.number == number)
        return self._texts(mine)

    def replies(self, network: str, message_ids: Iterable[str]) -> tuple[Text, ...]:
        """Return what came in answer to these texts, the oldest first."""
        answers = sa.and_(_TEXT.c.network == network, _TEXT.c.in_reply_to.in_(list(message_ids)))
        return self._texts(answers)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _texts(self, wanted: sa.ColumnElement[bool]) -> tuple[Text, ...]:
        newest = sa.select(_TEXT).where(wanted).order_by(_TEXT.c.n.desc()).limit(_LONGEST_THREAD)
        rows = self._database.read(lambda session: session.execute(newest).all())
        return tuple(Text(*row) for row in reversed(rows))


def _keep(session: Session, row: dict[str, object]) -> int:
    once_more = (
        insert(_TEXT)
        .values(row)
        .on_conflict_do_update(
            index_elements=["network", "is_sent", "id"], set_={"copies": _TEXT.c.copies + 1}
        )
        .returning(_TEXT.c.copies)
    )
    copies: int = session.execute(once_more).scalar_one()
    return copies
