"""Orders to erase: what is to go, why, who planned it and who approved it.

An order names leaves or months and nobody. Who approved is believed from the journal, where each
approval is an entry that names the order's digest, and not from the order's row.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import locked
from core.keyring import Keyring, Sealed
from journal import openings
from journal.cover import Part
from journal.entries import Retention
from journal.leaf import canonical
from journal.tables import JOURNAL_ERASURE, JOURNAL_LEAF, JOURNAL_OPEN
from journal.targets import Months

APPROVERS = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refusal(StrEnum):
    """Why an order is not planned, approved or run."""

    NOTHING = "nothing"
    HELD = "held"
    TOO_YOUNG = "too-young"
    UNKNOWN = "unknown"
    ENDED = "ended"
    SAME_PERSON = "same-person"
    APPROVED_ALREADY = "approved-already"
    NOT_APPROVED = "not-approved"
    NOT_AS_APPROVED = "not-as-approved"


class State(StrEnum):
    """How far an order has come."""

    PLANNED = "planned"
    APPROVED = "approved"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be erased.

    Shape: `leaves` as `cover.written`; `counts` says what was there when it was planned;
    `approvals` are people and the entries of their approving.
    """

    id: int = 0
    part: Part
    leaves: str | None = None
    months: Months | None = None
    counts: Mapping[str, int]
    basis: str = field(repr=False)
    reason: str = field(repr=False)
    planned_by: str
    planned_at: datetime
    approvals: tuple[tuple[str, UUID], ...] = ()
    ended_by: str | None = None
    ended_at: datetime | None = None
    is_done: bool = False

    @property
    def state(self) -> State:
        """How far it has come."""
        if self.ended_at is not None:
            return State.DONE if self.is_done else State.CANCELLED
        return State.APPROVED if len(self.approvals) == APPROVERS else State.PLANNED

    def digest(self) -> bytes:
        """Return the digest of all that approvers approve."""
        said = canonical(
            {
                "part": self.part,
                "leaves": self.leaves or "",
                "months": "" if self.months is None else str(self.months),
                "counts": _counts(self.counts),
                "basis": self.basis,
                "reason": self.reason,
                "planned_by": self.planned_by,
                "planned_at": (self.planned_at - _EPOCH) // timedelta(microseconds=1),
            }
        )
        return hashlib.sha256(said).digest()


def add(session: Session, keyring: Keyring, order: Order) -> int:
    """Store a new order and return its number."""
    digest = order.digest()
    why = keyring.encrypt(
        json.dumps([order.basis, order.reason]).encode(),
        "journal",
        table="journal_erasure",
        column="enc_why",
        row=digest,
    )
    row = {
        "part": order.part,
        "leaves": order.leaves,
        "first_month": order.months and order.months.first,
        "last_month": order.months and order.months.last,
        "retention": order.months and order.months.retention,
        "counts": _counts(order.counts),
        "digest": digest,
        "why_key_id": why.key_id,
        "enc_why": why.blob,
        "planned_by": order.planned_by,
        "planned_at": order.planned_at,
        "is_done": False,
    }
    statement = sa.insert(JOURNAL_ERASURE).returning(JOURNAL_ERASURE.c.id)
    number: int = session.execute(statement, row).scalar_one()
    return number


def load(session: Session, keyring: Keyring, number: int) -> Order | None:
    """Load an order and keep others from changing it."""
    wanted = sa.select(JOURNAL_ERASURE).where(JOURNAL_ERASURE.c.id == number)
    row = session.execute(locked(wanted, session)).one_or_none()
    return None if row is None else _order(row, keyring)


def everything(session: Session, keyring: Keyring) -> list[Order]:
    """Load all orders, the newest first."""
    rows = session.execute(sa.select(JOURNAL_ERASURE).order_by(JOURNAL_ERASURE.c.id.desc()))
    return [_order(row, keyring) for row in rows]


def months_done(session: Session) -> list[tuple[Part, Months]]:
    """Return the months that orders have erased, and what of them."""
    wanted = sa.select(JOURNAL_ERASURE).where(
        JOURNAL_ERASURE.c.is_done, JOURNAL_ERASURE.c.first_month.is_not(None)
    )
    return [(Part(row.part), _months(row)) for row in session.execute(wanted)]


def note_approval(session: Session, order: Order, by: str, entry_id: UUID) -> None:
    """Note the next approval of an order."""
    place = "second" if order.approvals else "first"
    _change(session, order, {f"{place}_by": by, f"{place}_entry": entry_id})


def end(session: Session, order: Order, *, by: str, now: datetime, is_done: bool) -> None:
    """End an order, and let go of the leaves it named."""
    values = {"ended_by": by, "ended_at": now, "is_done": is_done, "leaves": None}
    _change(session, order, values)


def is_as_approved(session: Session, keyring: Keyring, order: Order) -> bool:
    """Tell whether sealed entries of these people approve exactly this order."""
    digest = order.digest().hex()
    people = {order.planned_by, *(by for by, _ in order.approvals)}
    return len(people) == APPROVERS + 1 and all(
        _approves(session, keyring, by, entry_id, digest) for by, entry_id in order.approvals
    )


def _approves(session: Session, keyring: Keyring, by: str, entry_id: UUID, digest: str) -> bool:
    wanted = (
        sa.select(JOURNAL_OPEN.c.act_key_id, JOURNAL_OPEN.c.enc_act)
        .join(JOURNAL_LEAF, JOURNAL_LEAF.c.entry_id == JOURNAL_OPEN.c.entry_id)
        .where(JOURNAL_OPEN.c.entry_id == entry_id)
    )
    row = session.execute(wanted).one_or_none()
    act = None if row is None else openings.act(keyring, entry_id, row.act_key_id, row.enc_act)
    if act is None:
        return False
    said = act.payload
    return (act.actor, said.get("act"), said.get("order")) == (by, "erase-approve", digest)


def _change(session: Session, order: Order, values: Mapping[str, object]) -> None:
    session.execute(
        sa.update(JOURNAL_ERASURE).where(JOURNAL_ERASURE.c.id == order.id).values(**values)
    )


def _order(row: sa.Row[Any], keyring: Keyring) -> Order:
    sealed = Sealed(row.why_key_id, row.enc_why)
    why = keyring.decrypt(sealed, table="journal_erasure", column="enc_why", row=row.digest)
    basis, reason = json.loads(why)
    approvals = ((row.first_by, row.first_entry), (row.second_by, row.second_entry))
    return Order(
        id=row.id,
        part=Part(row.part),
        leaves=row.leaves,
        months=None if row.retention is None else _months(row),
        counts=json.loads(row.counts),
        basis=basis,
        reason=reason,
        planned_by=row.planned_by,
        planned_at=row.planned_at,
        approvals=tuple((by, entry_id) for by, entry_id in approvals if by is not None),
        ended_by=row.ended_by,
        ended_at=row.ended_at,
        is_done=row.is_done,
    )


def _months(row: sa.Row[Any]) -> Months:
    return Months(Retention(row.retention), row.first_month, row.last_month)


def _counts(counts: Mapping[str, int]) -> str:
    return json.dumps(counts, sort_keys=True, separators=(",", ":"))
