"""What the load left behind: each acknowledged message with one end, one charge, and an entry."""

import csv
import json
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmark.errors import ServiceError
from benchmark.service import LINK, Service
from billing.tables import USAGE
from core.databases import database_url, open_database
from core.db import Database
from journal.sealed import is_sealed
from sms.dispatch import ReplyState
from sms.inbound import State
from sms.tables import INBOUND, OUTBOUND

SETTLE_SECONDS = 30
SAMPLE = 3
_UNFINISHED = (ReplyState.QUEUED, ReplyState.SENDING)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold after the load, and what was found."""

    name: str
    held: bool
    found: str


@dataclass(frozen=True, slots=True)
class End:
    """What one message came to, as the database tells it."""

    state: str
    reply: str | None
    reply_state: str | None


def of(service: Service, accepted: Path) -> list[Check]:
    """Check what a service keeps against what the made-up operator was acknowledged."""
    with accepted.open(encoding="ascii", newline="") as lines:
        due = {row["operator_message_id"]: row["due"] for row in csv.DictReader(lines)}
    found = _looked(service, lambda session: kept(session, due))
    return [*found, _reported(service, due)]


def of_link(service: Service, accepted: int, due: Mapping[str, int]) -> list[Check]:
    """Check what a service keeps of messages that have no ids, by how many there were.

    Shape: *accepted* were acknowledged; *due* says how many replies of each kind were taken over.
    """
    return _looked(service, lambda session: counted(session, accepted, due))


def kept(session: Session, due: Mapping[str, str]) -> list[Check]:
    """Check the whole database; *due* is the reply that each acknowledged message must have."""
    ends = _ends(session)
    return [
        _one_end(due, ends),
        _reply_that_was_due(due, ends),
        _one_charge(_charges(session), ends),
        _sealed(session),
    ]


def counted(session: Session, accepted: int, due: Mapping[str, int]) -> list[Check]:
    """Check the whole database against how many messages and replies there were."""
    ends = _ends(session)
    return [
        _as_many_ends(accepted, ends),
        _as_many_replies(due, ends),
        _one_charge(_charges(session), ends),
        _sealed(session),
    ]


def journal(service: Service) -> Check:
    """Check that the journal verifies from its first entry to its last."""
    try:
        found = json.loads(service.verb("journal", "verify", "--json"))
    except ServiceError as error:
        return Check("journal verifies", held=False, found=str(error))
    return Check("journal verifies", held=True, found=f"{found['size']} entries")


def _looked(service: Service, look: Callable[[Session], list[Check]]) -> list[Check]:
    url = database_url(service.environ.get("TRADAN_DATABASE_URL", "tradan.db"), service.state)
    database = open_database(url)
    try:
        _settle(database)
        return database.read(look)
    finally:
        database.close()


def _settle(database: Database) -> None:
    gives_up_at = time.monotonic() + SETTLE_SECONDS
    while database.read(_unfinished) and time.monotonic() < gives_up_at:
        time.sleep(0.2)


def _unfinished(session: Session) -> int:
    waiting = sa.select(sa.func.count()).where(INBOUND.c.state == State.RECEIVED)
    leaving = sa.select(sa.func.count()).where(OUTBOUND.c.state.in_(_UNFINISHED))
    return session.execute(waiting).scalar_one() + session.execute(leaving).scalar_one()


def _ends(session: Session) -> dict[str, list[End]]:
    replied = INBOUND.outerjoin(OUTBOUND, OUTBOUND.c.inbound_id == INBOUND.c.id)
    rows = session.execute(
        sa.select(
            INBOUND.c.operator_message_id, INBOUND.c.state, OUTBOUND.c.reply, OUTBOUND.c.state
        ).select_from(replied)
    )
    ends: defaultdict[str, list[End]] = defaultdict(list)
    for message_id, state, reply, reply_state in rows:
        ends[message_id].append(End(state, reply, reply_state))
    return dict(ends)


def _one_end(due: Mapping[str, str], ends: Mapping[str, list[End]]) -> Check:
    lost = sum(message_id not in ends for message_id in due)
    doubled = sum(len(found) > 1 for found in ends.values())
    waiting = sum(end.state == State.RECEIVED for found in ends.values() for end in found)
    return Check(
        "every acknowledged message has one end",
        held=not (lost or doubled or waiting),
        found=f"{len(due)} acknowledged, {lost} lost, {doubled} doubled, {waiting} waiting",
    )


def _as_many_ends(accepted: int, ends: Mapping[str, list[End]]) -> Check:
    doubled = sum(len(found) > 1 for found in ends.values())
    waiting = sum(end.state == State.RECEIVED for found in ends.values() for end in found)
    return Check(
        "every acknowledged message has one end",
        held=len(ends) == accepted and not (doubled or waiting),
        found=f"{accepted} acknowledged, {len(ends)} kept, {doubled} doubled, {waiting} waiting",
    )


def _as_many_replies(due: Mapping[str, int], ends: Mapping[str, list[End]]) -> Check:
    told = Counter((end.reply, end.reply_state) for found in ends.values() for end in found)
    wanted = {(reply, ReplyState.ACCEPTED): count for reply, count in due.items() if count}
    found = ", ".join(f"{count} x {reply} {state}" for (reply, state), count in told.most_common())
    return Check("every reply is the one that was due, handed over", told == wanted, found)


def _reply_that_was_due(due: Mapping[str, str], ends: Mapping[str, list[End]]) -> Check:
    others: Counter[str] = Counter()
    for message_id, reply in due.items():
        for end in ends.get(message_id, ()):
            if (end.reply, end.reply_state) != (reply, ReplyState.ACCEPTED):
                others[f"{end.reply} {end.reply_state} instead of {reply}"] += 1
    told = ", ".join(f"{count} x {what}" for what, count in others.most_common(5))
    return Check("every reply is the one that was due, handed over", not others, told or "all")


def _charges(session: Session) -> dict[str, tuple[int, int]]:
    """Return for each direction how many charges there are, and for how many messages."""
    rows = session.execute(
        sa.select(
            USAGE.c.direction, sa.func.count(), sa.func.count(sa.distinct(USAGE.c.message_id))
        ).group_by(USAGE.c.direction)
    )
    return {direction: (charges, messages) for direction, charges, messages in rows}


def _one_charge(charges: Mapping[str, tuple[int, int]], ends: Mapping[str, list[End]]) -> Check:
    handed_over = sum(
        end.reply_state == ReplyState.ACCEPTED for found in ends.values() for end in found
    )
    wanted = {"mo": (len(ends), len(ends)), "mt": (handed_over, handed_over)}
    told = ", ".join(f"{way} {count}" for way, (count, _) in sorted(charges.items()))
    return Check("every message is charged once", charges == wanted, told or "none")


def _sealed(session: Session) -> Check:
    rests = OUTBOUND.c.entry_id.is_not(None)
    count = sa.select(sa.func.count()).select_from(OUTBOUND)
    sealed = session.execute(count.where(rests, is_sealed(OUTBOUND.c.entry_id))).scalar_one()
    entries = session.execute(count.where(rests)).scalar_one()
    found = f"{entries} replies with an entry, {entries - sealed} of them unsealed"
    return Check("every entry behind a reply is sealed", entries > 0 and sealed == entries, found)


def _reported(service: Service, due: Mapping[str, str]) -> Check:
    sample = _some(due)
    try:
        wrong = [one for one in sample if _report(service, one)["reply"] != due[one]]
    except ServiceError as error:
        return Check("`operator report` tells the same", held=False, found=str(error))
    found = f"{len(sample)} asked for, {len(wrong)} told otherwise"
    return Check("`operator report` tells the same", held=bool(sample) and not wrong, found=found)


def _report(service: Service, message_id: str) -> Mapping[str, str]:
    told: Mapping[str, str] = json.loads(
        service.verb("operator", "report", LINK, message_id, "--json")
    )
    return told


def _some(message_ids: Iterable[str]) -> list[str]:
    left = list(message_ids)
    return [left.pop(secrets.randbelow(len(left))) for _ in range(min(SAMPLE, len(left)))]
