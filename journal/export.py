"""Exports: the log up to one checkpoint, or a range of it, for somebody who need not trust us.

The checkpoint is decided first; all that lies below it stands still, so the rest is read a page at
a time while the service goes on. What cannot be made of the database is left out and counted: an
export of damaged data is evidence. Form: docs/journal-format.md.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Database
from journal import layout, published
from journal.entries import Kind
from journal.errors import ExportError, LayoutError
from journal.layout import CHECKPOINT, ENTRIES, Resource
from journal.manifest import MANIFEST, Heading, Manifest
from journal.published import Published
from journal.runs import Run, joined
from journal.sinks import OPENINGS, POLICY, TIMESTAMPS, Sink
from journal.tables import JOURNAL_CHECKPOINT, JOURNAL_ENTRY, JOURNAL_LEAF
from journal.tree import TILE_WIDTH, leaf_hash

_PAGE = 8
_TOKENS_A_PAGE = 64

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Openings:
    """What is disclosed beside the log: how many lines to expect, and what yields them."""

    count: int
    lines: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an export holds: the leaves asked for, and the runs of bundles that are given."""

    published: Published
    first: int
    last: int
    bundles: tuple[Run, ...]

    @property
    def entries(self) -> int:
        """How many leaves stand in the bundles."""
        size = self.published.head.size
        return sum(
            min(size, (high + 1) * TILE_WIDTH) - low * TILE_WIDTH for low, high in self.bundles
        )

    def pages(self, level: int) -> Iterator[list[Resource]]:
        """Yield the bundles, or the tiles of one level, a page of consecutive ones at a time."""
        size = self.published.head.size
        for low, high in self._runs(level):
            for start in range(low, high + 1, _PAGE):
                numbers = range(start, min(start + _PAGE, high + 1))
                yield [Resource(level, n, layout.width_at(level, n, size)) for n in numbers]

    def has(self, resource: Resource) -> bool:
        """Tell whether a tile or bundle belongs to the export."""
        size = self.published.head.size
        return resource.width == layout.width_at(resource.level, resource.n, size) and any(
            low <= resource.n <= high for low, high in self._runs(resource.level)
        )

    def _runs(self, level: int) -> Sequence[Run]:
        size = self.published.head.size
        last = layout.last(level, size)
        if level == ENTRIES:
            return self.bundles
        # The last tile of level 0 is part of every way to the root.
        return joined([*self.bundles, (last, last)]) if level == 0 else ((0, last),)


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export."""

    plan: Plan
    files: int
    openings: int
    missing: int


def decide(
    database: Database, first: int | None = None, last: int | None = None, *, opens: bool = False
) -> Plan:
    """Decide on the newest checkpoint, and what of the log goes out under it.

    Raises: ExportError if the range is none; JournalFault if there is no checkpoint.
    """
    newest = database.read(published.newest)
    size = newest.head.size
    begin, end = first or 0, size - 1 if last is None else last
    if not 0 <= begin <= end < size:
        raise ExportError(f"the journal holds the entries 0 to {size - 1}: name a range in it")
    wanted = (begin // TILE_WIDTH, end // TILE_WIDTH)
    if (begin, end) == (0, size - 1):
        return Plan(newest, begin, end, (wanted,))
    kinds = (Kind.KEY, Kind.ERASE) if opens else (Kind.KEY,)
    beside = [
        (number, number)
        for kind in kinds
        for number in database.read(partial(_bundles_of, kind=kind, size=size))
    ]
    return Plan(newest, begin, end, joined([*beside, wanted]))


def see_fit(database: Database, sink: Sink, plan: Plan) -> None:
    """See that an export can be put there, and continues what is there already.

    Raises: ExportError if not; JournalFault if the database cannot tell.
    """
    sink.see_fit(plan.published.origin)
    before = sink.held(CHECKPOINT)
    if before is None:
        return
    old, head = published.head_of(before.decode(errors="replace")), plan.published.head
    if old is None or not database.read(lambda s: published.continues(s, old, head)):
        raise ExportError(
            "the database does not continue what was exported here before: keep that as it is, "
            "export to another folder, and let `journal compare` tell what happened"
        )


class Export:
    """One export under way."""

    def __init__(self, database: Database, sink: Sink, plan: Plan, progress: Progress) -> None:
        self._database = database
        self._sink = sink
        self._plan = plan
        self._progress = progress
        self._manifest = Manifest()
        self._missing = 0
        self._others: set[str] = set()
        self._done, self._total = 0, plan.entries

    def run(
        self, key: str, *, policy: bytes | None = None, openings: Openings | None = None
    ) -> Exported:
        """Export; *key* is the log key in its written form.

        Raises: ExportError if this is no place for it; OSError.
        """
        plan, head = self._plan, self._plan.published.head
        heading = Heading(
            origin=plan.published.origin,
            key=key,
            head=head,
            first=plan.first,
            last=plan.last,
            bundles=plan.bundles,
        )
        self._total += openings.count if openings else 0
        with closing(self._manifest):
            see_fit(self._database, self._sink, plan)
            self._sink.begin(heading)
            self._bundles()
            for level in layout.levels_of(head.size):
                for page in plan.pages(level):
                    self._tiles(page)
            if policy is not None:
                self._put_other(POLICY, policy)
            self._vouched()
            opened = self._openings(openings) if openings else 0
            self._sink.settle()
            self._put(CHECKPOINT, plan.published.note.encode())
            with self._sink.stream(MANIFEST) as file:
                self._manifest.write(file, heading, openings=opened, missing=self._missing)
            self._sink.end(self._belongs)
        return Exported(plan, self._manifest.files, opened, self._missing)

    def _bundles(self) -> None:
        for page in self._plan.pages(ENTRIES):
            hashes = self._read([_tile_of(each) for each in page])
            held = {each: self._sink.held(each.path) for each in page}
            kept = {each for each in page if _is_over(held[each], hashes.get(_tile_of(each)))}
            fresh = self._read([each for each in page if each not in kept])
            for each in page:
                self._take(each, held[each], held[each] if each in kept else fresh.get(each))
            self._tell(sum(each.width for each in page))

    def _tiles(self, page: list[Resource]) -> None:
        found = self._read(page)
        for each in page:
            self._take(each, self._sink.held(each.path), found.get(each))

    def _take(self, resource: Resource, held: bytes | None, data: bytes | None) -> None:
        """Take a tile or bundle; what an earlier run left stays, and is never written over."""
        if held is None and data is None:
            self._missing += 1
        elif held is None and data is not None:
            self._put(resource.path, data)
        elif held is not None and data in {None, held}:
            self._manifest.add(resource.path, hashlib.sha256(held))
        else:
            raise ExportError(
                f"{resource.path} is not what was exported here before: keep that as it is, export "
                "to another folder, and verify both"
            )

    def _vouched(self) -> None:
        """Give the checkpoints that others vouched for beside the one that is exported."""
        after, size = 0, self._plan.published.head.size
        while rows := self._database.read(partial(_kept, after=after, size=size)):
            for row in rows:
                note = row.note + (row.cosignatures or "")
                self._put_other(f"{TIMESTAMPS}/{row.size}.checkpoint", note.encode())
                if row.timestamp_token is not None:
                    self._put_other(f"{TIMESTAMPS}/{row.size}.tsr", row.timestamp_token)
                after = row.size

    def _openings(self, openings: Openings) -> int:
        digest, count = hashlib.sha256(), 0
        with self._sink.stream(OPENINGS) as file:
            for line in openings.lines():
                file.write(line)
                digest.update(line)
                count += 1
                self._tell(1)
        self._others.add(OPENINGS)
        self._manifest.add(OPENINGS, digest)
        return count

    def _tell(self, more: int) -> None:
        self._done += more
        self._progress(self._done, self._total)

    def _belongs(self, path: str) -> bool:
        resource = layout.parse(path)
        return self._plan.has(resource) if resource else path in self._others

    def _read(self, page: list[Resource]) -> dict[Resource, bytes]:
        return self._database.read(lambda session: published.read(session, page))

    def _put_other(self, path: str, data: bytes) -> None:
        self._others.add(path)
        self._put(path, data)

    def _put(self, path: str, data: bytes) -> None:
        self._sink.put(path, data)
        self._manifest.add(path, hashlib.sha256(data))


def _tile_of(bundle: Resource) -> Resource:
    return Resource(0, bundle.n, bundle.width)


def _is_over(bundle: bytes | None, hashes: bytes | None) -> bool:
    """Tell whether a bundle's leaves are those that a tile is over."""
    if bundle is None or hashes is None:
        return False
    try:
        return b"".join(map(leaf_hash, layout.decode_bundle(bundle))) == hashes
    except LayoutError:
        return False


def _bundles_of(session: Session, kind: Kind, size: int) -> list[int]:
    """Return the numbers of the bundles that hold entries of a kind that few entries are of."""
    # A literal, so that both databases take the partial index of this kind.
    is_of_kind = JOURNAL_ENTRY.c.kind == sa.literal_column(f"'{kind}'")
    wanted = (
        sa.select((JOURNAL_LEAF.c.seq // TILE_WIDTH).label("number"))
        .join(JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_LEAF.c.entry_id)
        .where(is_of_kind, JOURNAL_LEAF.c.seq < size)
        .distinct()
    )
    return [row.number for row in session.execute(wanted)]


def _kept(session: Session, after: int, size: int) -> Sequence[sa.Row[int, str, str, bytes | None]]:
    """Return a page of the checkpoints that were time-stamped, and the last that was cosigned."""
    columns = JOURNAL_CHECKPOINT.c
    cosigned = (
        sa.select(sa.func.max(columns.size))
        .where(columns.cosignatures.is_not(None), columns.size <= size)
        .scalar_subquery()
    )
    wanted = (
        sa.select(columns.size, columns.note, columns.cosignatures, columns.timestamp_token)
        .where(columns.size > after, columns.size <= size)
        .where(sa.or_(columns.timestamp_token.is_not(None), columns.size == cosigned))
        .order_by(columns.size)
        .limit(_TOKENS_A_PAGE)
    )
    return session.execute(wanted).all()
