"""What a load leaves behind is held against what was acknowledged, on both databases."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmark.checks import counted, kept
from billing.tables import USAGE
from core.db import Database
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF
from sms.dispatch import ReplyState
from sms.inbound import State
from sms.tables import INBOUND, OUTBOUND
from tests.fakes import NOON

DUE = {"m-1": "PIN", "m-2": "RESULT"}
ONE_END, AS_DUE, ONE_CHARGE, SEALED = range(4)


def _charge(session: Session, message_id: UUID, direction: str) -> None:
    session.execute(
        sa.insert(USAGE).values(
            message_id=message_id, link_id=1, direction=direction, segments=1, encoding="gsm7",
            at=NOON, day="2026-03-02", status="accepted", is_test=True,
        )
    )  # fmt: skip


def _entry(session: Session, *, number: int, sealed: bool) -> UUID:
    entry_id = uuid4()
    session.execute(
        sa.insert(JOURNAL_ENTRY).values(
            id=entry_id, kind="lookup", leaf=b"{}", leaf_hash=entry_id.bytes * 2, created_at=NOON
        )
    )
    if sealed:
        session.execute(
            sa.insert(JOURNAL_LEAF).values(
                seq=number, entry_id=entry_id, leaf_hash=entry_id.bytes * 2
            )
        )
    return entry_id


def _message(
    session: Session,
    message_id: str,
    reply: str,
    *,
    state: State = State.ANSWERED,
    reply_state: ReplyState = ReplyState.ACCEPTED,
    charged: bool = True,
    sealed: bool = True,
) -> None:
    inbound, outbound = uuid4(), uuid4()
    entry_id = _entry(session, number=int(message_id[2:]), sealed=sealed)
    session.execute(
        sa.insert(INBOUND).values(
            id=inbound, link_id=1, operator_message_id=message_id, key_id=1, received_at=NOON,
            stored_at=NOON, state=state, attempts=1, entry_id=entry_id,
        )
    )  # fmt: skip
    session.execute(
        sa.insert(OUTBOUND).values(
            id=outbound, inbound_id=inbound, link_id=1, reply=reply, priority=1, discloses=False,
            is_test=True, key_id=1, encoding="gsm7", segments=1, entry_id=entry_id,
            state=reply_state, attempt=1, unknowns=0, created_at=NOON, next_at=NOON,
            expires_at=NOON,
        )
    )  # fmt: skip
    _charge(session, inbound, "mo")
    if charged:
        _charge(session, outbound, "mt")


def _held(database: Database) -> list[bool]:
    return [check.held for check in database.read(lambda session: kept(session, DUE))]


def test_a_load_that_came_to_its_ends_passes_every_check(database: Database) -> None:
    database.write(lambda session: _message(session, "m-1", "PIN"))
    database.write(lambda session: _message(session, "m-2", "RESULT"))

    assert _held(database) == [True, True, True, True]


@pytest.mark.parametrize(
    ("failing", "second"),
    [
        ({ONE_END}, {"state": State.RECEIVED}),
        ({AS_DUE}, {"reply": "QUOTA"}),
        ({AS_DUE, ONE_CHARGE}, {"reply_state": ReplyState.EXPIRED}),
        ({ONE_CHARGE}, {"charged": False}),
        ({SEALED}, {"sealed": False}),
    ],
)
def test_a_message_that_came_to_something_else_fails_its_check(
    database: Database, failing: set[int], second: dict[str, object]
) -> None:
    options = {"reply": "RESULT", **second}
    database.write(lambda session: _message(session, "m-1", "PIN"))
    database.write(lambda session: _message(session, "m-2", **options))  # type: ignore[arg-type]  # a table of options

    held = _held(database)

    assert {number for number, good in enumerate(held) if not good} == failing


def test_a_message_that_was_acknowledged_and_is_not_there_is_lost(database: Database) -> None:
    database.write(lambda session: _message(session, "m-1", "PIN"))

    (check, *_) = database.read(lambda session: kept(session, DUE))

    assert not check.held
    assert check.found == "2 acknowledged, 1 lost, 0 doubled, 0 waiting"


@pytest.mark.parametrize(
    ("failing", "accepted", "due"),
    [
        (set(), 2, {"PIN": 1, "RESULT": 1}),
        ({ONE_END}, 3, {"PIN": 1, "RESULT": 1}),
        ({AS_DUE}, 2, {"PIN": 2}),
        ({AS_DUE}, 2, {"PIN": 1, "RESULT": 1, "HELP": 1}),
    ],
)
def test_messages_without_ids_are_held_against_how_many_there_were(
    database: Database, failing: set[int], accepted: int, due: dict[str, int]
) -> None:
    database.write(lambda session: _message(session, "m-1", "PIN"))
    database.write(lambda session: _message(session, "m-2", "RESULT"))

    found = database.read(lambda session: counted(session, accepted, due))

    assert {number for number, check in enumerate(found) if not check.held} == failing
