"""Messages as the lookup log lists them: a page at a time, masked, never counted.

A page looks at so many messages and no more, whatever the filter: a filter that few match yields a
short page and says how far it looked, instead of reading a year of messages in one go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.errors import DecryptionError
from core.ids import first_uuid7
from core.keyring import Keyring, Sealed
from journal import found, receipts
from journal.journal import Journal
from sms import inbound
from sms.tables import INBOUND, INBOUND_KEY, OUTBOUND

ROWS = 50
LOOKED_AT = 20_000
_SHOWN_DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages; what is None is not asked about.

    Shape: *since* and *until* are instants, the second excluded.
    """

    since: datetime | None = None
    until: datetime | None = None
    link_id: int | None = None
    command: str | None = None
    state: str | None = None
    reply: str | None = None
    ids: frozenset[UUID] | None = None

    @property
    def is_picky(self) -> bool:
        """Tell whether not every message of the time is wanted."""
        return any(
            pick is not None for pick in (self.link_id, self.command, self.state, self.reply)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One message of the log, with nothing of what it says.

    Shape: *ending* is the last three digits of the telephone, while the message is kept.
    """

    id: UUID
    operator_message_id: str
    link_id: int
    stored_at: datetime
    command: str | None
    state: str
    reason: str | None
    ending: str | None
    reply: str | None
    reply_state: str | None
    segments: int | None
    took: timedelta | None
    index: int | None
    is_test: bool | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the log; *older* and *newer* lead on, None where there is nothing more."""

    rows: tuple[Listed, ...]
    older: UUID | None
    newer: UUID | None
    looked_until: datetime | None


def page(
    session: Session,
    keyring: Keyring,
    journal: Journal,
    wanted: Wanted,
    *,
    before: UUID | None = None,
    after: UUID | None = None,
    most: int = ROWS,
    looked_at: int = LOOKED_AT,
) -> Listing:
    """Read the page before a message, after one, or the newest."""
    places, upwards = _places(wanted, before, after), after is not None
    along = INBOUND.c.id.asc() if upwards else INBOUND.c.id.desc()
    edge = None
    if wanted.is_picky:
        ids = sa.select(INBOUND.c.id).where(*places).order_by(along)
        edge = session.execute(ids.offset(looked_at - 1).limit(1)).scalar()
    if edge is not None:
        places.append(INBOUND.c.id <= edge if upwards else INBOUND.c.id >= edge)
    picked = sa.select(INBOUND).where(*places, *_picks(wanted)).order_by(along).limit(most + 1)
    read = session.execute(_answered(picked, upwards=upwards)).all()
    rows = read[:most][::-1] if upwards else read[:most]
    further, looked_until = edge, None
    if len(read) > most:
        further = rows[0 if upwards else -1].id
    elif edge is not None:
        looked_until = time_of(edge)
    if after is None:
        older, newer = further, before and (rows[0].id if rows else before)
    else:
        older, newer = rows[-1].id if rows else after, further
    listed = _listed(session, keyring, journal, rows)
    return Listing(listed, older, newer, looked_until)


def ids_of(
    session: Session, keyring: Keyring, link_ids: Mapping[str, int], text: str
) -> frozenset[UUID]:
    """Find the messages that a receipt, a transaction code or an operator's own id is of."""
    keys = [(number, text) for number in link_ids.values()]
    symbols = receipts.read(text) or receipts.read_code(text)
    if symbols is not None:
        entries = [entry.entry_id for entry in found.by_receipt(session, [symbols])[symbols]]
        for act in found.acts_of(session, keyring, entries).values():
            said = act.payload
            number = link_ids.get(said.get("link", ""))
            if number is not None:
                keys.append((number, said.get("operator_message_id", "")))
    wanted = sa.select(INBOUND_KEY.c.message_id).where(
        sa.tuple_(INBOUND_KEY.c.link_id, INBOUND_KEY.c.operator_message_id).in_(keys)
    )
    return frozenset(session.execute(wanted).scalars())


def time_of(message_id: UUID) -> datetime:
    """Return when a message was stored, from its id (RFC 9562, version 7)."""
    return datetime.fromtimestamp((message_id.int >> 80) / 1000, UTC)


def _places(
    wanted: Wanted, before: UUID | None, after: UUID | None
) -> list[sa.ColumnElement[bool]]:
    """Say which messages a page looks at, by their place in time alone."""
    places = []
    if wanted.since is not None:
        places.append(INBOUND.c.id >= first_uuid7(wanted.since))
    if wanted.until is not None:
        places.append(INBOUND.c.id < first_uuid7(wanted.until))
    if wanted.ids is not None:
        places.append(INBOUND.c.id.in_(wanted.ids))
    if before is not None:
        places.append(INBOUND.c.id < before)
    if after is not None:
        places.append(INBOUND.c.id > after)
    return places


def _picks(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """Say which of the messages that are looked at are wanted."""
    # Asked of one message after the other until the page is full: a join might read every reply.
    answer = sa.select(OUTBOUND.c.reply).where(OUTBOUND.c.inbound_id == INBOUND.c.id)
    picks = (
        (INBOUND.c.link_id, wanted.link_id),
        (INBOUND.c.command, wanted.command),
        (INBOUND.c.state, wanted.state),
        (answer.correlate(INBOUND).scalar_subquery(), wanted.reply),
    )
    return [asked == value for asked, value in picks if value is not None]


def _answered(picked: sa.Select[Any], *, upwards: bool) -> sa.Select[Any]:
    """Join the messages of a page, and no others, with what was answered to them."""
    page = picked.subquery("page")
    rows = sa.select(
        page,
        OUTBOUND.c.reply,
        OUTBOUND.c.state.label("reply_state"),
        OUTBOUND.c.segments,
        OUTBOUND.c.accepted_at,
        OUTBOUND.c.is_test,
    ).outerjoin_from(page, OUTBOUND, OUTBOUND.c.inbound_id == page.c.id)
    return rows.order_by(page.c.id.asc() if upwards else page.c.id.desc())


def _listed(
    session: Session, keyring: Keyring, journal: Journal, rows: Sequence[sa.Row[Any]]
) -> tuple[Listed, ...]:
    indexes = journal.indexes_of(session, [row.entry_id for row in rows if row.entry_id])
    return tuple(
        Listed(
            id=row.id,
            operator_message_id=row.operator_message_id,
            link_id=row.link_id,
            stored_at=row.stored_at,
            command=row.command,
            state=row.state,
            reason=row.reason,
            ending=ending(keyring, row.id, row.key_id, row.blob),
            reply=row.reply,
            reply_state=row.reply_state,
            segments=row.segments,
            took=row.accepted_at - row.stored_at if row.accepted_at else None,
            index=indexes.get(row.entry_id) if row.entry_id else None,
            is_test=row.is_test,
        )
        for row in rows
    )


def ending(keyring: Keyring, message_id: UUID, key_id: int, blob: bytes | None) -> str | None:
    """Return the last digits of a message's telephone, as long as the message is kept."""
    if blob is None:
        return None
    try:
        content = inbound.open_content(keyring, message_id, Sealed(key_id, blob))
    except DecryptionError:
        return None
    return content.sender[-_SHOWN_DIGITS:] or None
