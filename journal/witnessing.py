"""Has the newest checkpoint cosigned by every witness at once, and keeps what they sign.

The same checkpoint is given again when nothing is new: the fresh time that a witness signs then is
what shows, in the database, that it still stands behind the log.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import log, metrics
from core.clock import Clock
from core.db import Database, dialect_of, locked, upsert
from journal import cosignature, witness_client
from journal.cosignature import Cosignature
from journal.errors import UnreachableError
from journal.policy import Policy, Witness
from journal.stored import StoredTree
from journal.tables import JOURNAL_CHECKPOINT, JOURNAL_WITNESS, TREE_STATE
from journal.witness_client import OtherSize, Post, Refusal

_log = log.get_logger(__name__)
_PATH = "/add-checkpoint"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# With the size we believe it has, with the one it names, and once more if that moved meanwhile.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """How a witness stood when it was last asked: what it cosigned last, and whether it still does.

    Shape: *cosigned_at* is its own time, None before its first cosignature.
    """

    at: datetime
    size: int = 0
    cosigned_at: datetime | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Signed:
    """The checkpoint that is to be cosigned."""

    size: int
    note: str
    signed_at: datetime

    @property
    def text(self) -> str:
        return self.note.rpartition("\n\n")[0] + "\n"


class Witnessing:
    """Asks the witnesses of a policy on behalf of one log."""

    def __init__(self, database: Database, policy: Policy, clock: Clock, post: Post) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock
        self._post = post

    def push(self) -> dict[Witness, Asked]:
        """Have the newest checkpoint cosigned, and say how each witness stands.

        Raises: JournalFault if the database cannot prove what it holds.
        """
        witnesses = self._policy.witnesses
        signed, before = self._database.read(lambda session: (_newest(session), _asked(session)))
        if signed is None or not witnesses:
            return {}
        with ThreadPoolExecutor(len(witnesses), thread_name_prefix="witness") as pool:
            asks = [
                pool.submit(self._ask, one, signed, before.get(_row_key(one)) or Asked(_NEVER))
                for one in witnesses
            ]
        answers = [ask.result() for ask in asks]
        made = [answer for _, answer in answers if isinstance(answer, Cosignature)]
        after = dict(zip(witnesses, (asked for asked, _ in answers), strict=True))
        self._database.write(lambda session: self._keep(session, signed, made, after))
        for witness, asked in after.items():
            _tell(witness, before.get(_row_key(witness)), asked)
        return after

    def standing(self) -> dict[Witness, Asked | None]:
        """Say how each witness stood when it was last asked; None if it never was."""
        return self._database.read(lambda session: standing(session, self._policy))

    def _ask(
        self, witness: Witness, signed: _Signed, before: Asked
    ) -> tuple[Asked, Cosignature | None]:
        """Ask one witness, giving the proof from the size it cosigned last."""
        size = before.size
        outcome: Cosignature | Refusal = Refusal.UNEXPECTED
        for _ in range(_TRIES):
            answer = self._ask_once(witness, signed, size)
            if isinstance(answer, OtherSize):
                size = answer.size
                continue
            outcome = answer
            break
        now = self._clock.now()
        if isinstance(outcome, Cosignature):
            return Asked(now, signed.size, outcome.at), outcome
        # A size beyond ours proves nothing to ask from: the next time it may name another.
        known = size if size <= signed.size else before.size
        return Asked(now, known, before.cosigned_at, outcome), None

    def _ask_once(
        self, witness: Witness, signed: _Signed, size: int
    ) -> Cosignature | OtherSize | Refusal:
        if size > signed.size:
            newest = self._database.read(_newest)
            is_ours = newest is not None and size <= newest.size
            return Refusal.OVERTAKEN if is_ours else Refusal.AHEAD
        proof = self._database.read(lambda session: _proof(session, size, signed.size))
        body = witness_client.request(size, proof, signed.note)
        try:
            reply = self._post((witness.url or "") + _PATH, body)
        except UnreachableError:
            return Refusal.UNREACHABLE
        asked, now = OtherSize(size), self._clock.now()
        return witness_client.judge(reply, witness, signed.text, asked, now)

    def _keep(
        self,
        session: Session,
        signed: _Signed,
        made: Sequence[Cosignature],
        after: Mapping[Witness, Asked],
    ) -> None:
        """Put new cosignatures beside those that are there, and in place of the same witness's."""
        if made:
            # The checkpoint may be gone by now, as a later one of its minute is there.
            add = upsert(dialect_of(session), JOURNAL_CHECKPOINT).on_conflict_do_nothing()
            values = {"size": signed.size, "note": signed.note, "signed_at": signed.signed_at}
            session.execute(add, values)
            here = JOURNAL_CHECKPOINT.c.size == signed.size
            old = sa.select(JOURNAL_CHECKPOINT.c.cosignatures).where(here)
            lines = session.execute(locked(old, session)).scalar_one() or ""
            merged = cosignature.merged(lines, made)
            session.execute(sa.update(JOURNAL_CHECKPOINT).where(here).values(cosignatures=merged))
        _note(session, after)


def standing(session: Session, policy: Policy) -> dict[Witness, Asked | None]:
    """Say how each witness of a policy stood when it was last asked; None if it never was."""
    known = _asked(session)
    return {witness: known.get(_row_key(witness)) for witness in policy.witnesses}


def _newest(session: Session) -> _Signed | None:
    found = session.execute(
        sa.select(
            JOURNAL_CHECKPOINT.c.size, JOURNAL_CHECKPOINT.c.note, JOURNAL_CHECKPOINT.c.signed_at
        ).join(TREE_STATE, TREE_STATE.c.size == JOURNAL_CHECKPOINT.c.size)
    ).one_or_none()
    return None if found is None else _Signed(*found)


def _proof(session: Session, old_size: int, size: int) -> tuple[bytes, ...]:
    return StoredTree(session).consistency(old_size, size)


def _asked(session: Session) -> dict[str, Asked]:
    rows = session.execute(sa.select(JOURNAL_WITNESS))
    return {
        row.key: Asked(
            row.asked_at, row.size, row.cosigned_at, Refusal(row.refusal) if row.refusal else None
        )
        for row in rows
    }


def _note(session: Session, after: Mapping[Witness, Asked]) -> None:
    statement = upsert(dialect_of(session), JOURNAL_WITNESS)
    columns = ("size", "asked_at", "cosigned_at", "refusal")
    put = statement.on_conflict_do_update(
        index_elements=["key"], set_={name: statement.excluded[name] for name in columns}
    )
    rows = [
        {
            "key": _row_key(witness),
            "size": asked.size,
            "asked_at": asked.at,
            "cosigned_at": asked.cosigned_at,
            "refusal": asked.refusal,
        }
        for witness, asked in after.items()
    ]
    session.execute(put, rows)


def _row_key(witness: Witness) -> str:
    return witness.key.public.hex()


def _tell(witness: Witness, before: Asked | None, after: Asked) -> None:
    """Log what has changed about a witness, and raise an alarm if it contradicts us."""
    refusal = after.refusal
    if before is not None and refusal == before.refusal:
        return
    if refusal is None:
        _log.info("witness.cosigns", name=witness.name, size=after.size)
    elif refusal.contradicts:
        _log.error("witness.contradicts", name=witness.name, reason=refusal, size=after.size)
        metrics.ALARMS.labels("witness-contradicts").inc()
    else:
        _log.warning("witness.refuses", name=witness.name, reason=refusal)
