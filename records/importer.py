"""The import of a file of people: in batches, each with the point from which to go on.

A batch and that point are one commit, so an import that is killed goes on where it stood when the
same file is given again. What stands in the register already is left as it is, so a file that is
imported twice changes nothing the second time.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, dialect_of, upsert
from core.keyring import Keyring
from records import citizens
from records.csv_lines import Refusal
from records.errors import ImportOvertakenError
from records.people_csv import PeopleFile, Row
from records.tables import PEOPLE_IMPORT

BATCH = 1000

_CLASH = "its blind index begins like another citizen's: it cannot be kept beside that one"


@dataclass(frozen=True, slots=True)
class Position:
    """How far an import has come, and what the lines until there did to the register."""

    last_line: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class Outcome:
    """What became of a file, as far as it was read.

    Shape: `reached` may be ahead of `committed` by lines that changed nothing; `resumed_after` is
    the line that an earlier run had reached, 0 if there was none.
    """

    file_digest: str
    is_test: bool
    resumed_after: int = 0
    committed: Position = field(default_factory=Position)
    reached: Position = field(default_factory=Position)
    rows: int = 0
    refused: int = 0
    warnings: Counter[str] = field(default_factory=Counter)


class Importer:
    """Brings files of people into the register.

    Shape: `finish` returns work for the last transaction of an import, so that what it writes
    stands if and only if the import is finished; `refuse` is told of every refused line, `progress`
    after every batch.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        clock: Clock,
        *,
        finish: Callable[[Outcome], Callable[[Session], None]],
        refuse: Callable[[Refusal], None],
        progress: Callable[[Outcome], None],
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._finish = finish
        self._refuse = refuse
        self._progress = progress

    def rehearse(self, file: PeopleFile) -> Outcome:
        """Say what importing *file* would do, and change nothing."""
        outcome = Outcome(file.digest, file.is_test)
        for batch in self._batches(file, outcome):
            drafts = [citizens.draft(self._keyring, row.record) for row in batch]
            self._arrive(batch, self._compare(drafts), outcome)
        return outcome

    def run(self, file: PeopleFile) -> Outcome:
        """Import *file*, from where an earlier run of it stopped.

        Raises: UnavailableError if the database does not take a batch (those before it stay);
        ImportOvertakenError if another run imports the same file; PeopleFileError.
        """
        outcome = Outcome(file.digest, file.is_test)
        begun_at = self._clock.now()
        outcome.committed = self._database.write(lambda s: _begin(s, outcome, begun_at))
        outcome.reached = outcome.committed
        outcome.resumed_after = outcome.committed.last_line
        for batch in self._batches(file, outcome):
            drafts = [citizens.draft(self._keyring, row.record) for row in batch]
            found = self._compare(drafts)
            self._arrive(batch, found, outcome)
            self._commit(found, outcome)
        self._end(outcome)
        return outcome

    def _batches(self, file: PeopleFile, outcome: Outcome) -> Iterator[list[Row]]:
        """Yield the rows that no earlier run has dealt with; the others are only counted."""
        batch: list[Row] = []
        for line in file:
            outcome.rows += 1
            if isinstance(line, Refusal):
                self._turn_away(line, outcome)
                continue
            outcome.warnings.update(line.warnings)
            if line.line > outcome.resumed_after:
                batch.append(line)
            if len(batch) == BATCH:
                yield batch
                self._progress(outcome)
                batch = []
        if batch:
            yield batch
        self._progress(outcome)

    def _compare(self, drafts: list[citizens.Draft]) -> citizens.Comparison:
        return self._database.read(lambda session: citizens.compare(session, drafts))

    def _arrive(self, batch: list[Row], found: citizens.Comparison, outcome: Outcome) -> None:
        before = outcome.reached
        outcome.reached = Position(
            last_line=batch[-1].line,
            added=before.added + len(found.added),
            changed=before.changed + len(found.changed),
            unchanged=before.unchanged + len(found.unchanged),
        )
        clashing = {each.tags[0] for each in found.clashes}
        for row in batch if clashing else ():
            if self._keyring.index("personal_id", row.record.personal_id) in clashing:
                self._turn_away(Refusal(row.line, _CLASH), outcome)

    def _commit(self, found: citizens.Comparison, outcome: Outcome) -> None:
        rows = citizens.seal(self._keyring, [*found.added, *found.changed])
        if not rows:
            return

        def work(session: Session) -> None:
            _advance(session, outcome)
            citizens.put(session, rows, found.stale)

        self._database.write(work)
        outcome.committed = outcome.reached

    def _turn_away(self, refusal: Refusal, outcome: Outcome) -> None:
        outcome.refused += 1
        self._refuse(refusal)

    def _end(self, outcome: Outcome) -> None:
        finish, now = self._finish(outcome), self._clock.now()

        def work(session: Session) -> None:
            _advance(session, outcome, finished_at=now)
            finish(session)

        self._database.write(work)


def _begin(session: Session, outcome: Outcome, now: datetime) -> Position:
    """Find where an unfinished run of the same file stands, or begin a new one."""
    columns = [PEOPLE_IMPORT.c[name] for name in asdict(Position())]
    unfinished = sa.select(*columns).where(
        *_same_file(outcome), PEOPLE_IMPORT.c.finished_at.is_(None)
    )
    if found := session.execute(unfinished).first():
        return Position(*found)
    insert = upsert(dialect_of(session), PEOPLE_IMPORT).values(
        file_digest=outcome.file_digest,
        is_test=outcome.is_test,
        started_at=now,
        finished_at=None,
        **asdict(Position()),
    )
    again = {name: insert.excluded[name] for name in ("started_at", "finished_at")}
    again |= {name: insert.excluded[name] for name in asdict(Position())}
    session.execute(
        insert.on_conflict_do_update(index_elements=["file_digest", "is_test"], set_=again)
    )
    return Position()


def _advance(session: Session, outcome: Outcome, finished_at: datetime | None = None) -> None:
    """Move the point from which to go on, if nobody else has moved it.

    Raises: ImportOvertakenError.
    """
    moved = session.execute(
        sa.update(PEOPLE_IMPORT)
        .where(
            *_same_file(outcome),
            PEOPLE_IMPORT.c.last_line == outcome.committed.last_line,
            PEOPLE_IMPORT.c.finished_at.is_(None),
        )
        .values(finished_at=finished_at, **asdict(outcome.reached))
        .returning(PEOPLE_IMPORT.c.last_line)
    )
    if moved.first() is None:
        raise ImportOvertakenError("another run is importing this file: let it finish")


def _same_file(outcome: Outcome) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        PEOPLE_IMPORT.c.file_digest == outcome.file_digest,
        PEOPLE_IMPORT.c.is_test == outcome.is_test,
    )
