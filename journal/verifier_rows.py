"""The verifier's own reading of the database, a page at a time, in SQL that both databases know."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

T = TypeVar("T")
Reader = Callable[[Callable[[Session], Any]], Any]

_MOST_WAITING = 100_000
_MOST_STRAYS = 1000
_MOST_KEYS = 1_000_000
# Entries whose places are looked up in one statement: none of them may take long.
_STRIDE = 50_000
_LOWEST, _HIGHEST = UUID(int=0), UUID(int=2**128 - 1)

_TOP = """
SELECT t.origin, t.size, t.root,
       (SELECT count(*) FROM journal_leaf WHERE seq < 0)
       + (SELECT count(*) FROM journal_leaf WHERE seq >= t.size) AS outside,
       (SELECT max(size) FROM journal_checkpoint) AS highest_checkpoint,
       (SELECT c.note FROM journal_checkpoint c WHERE c.size = t.size) AS note
FROM tree_state t
"""
_NEXT = "SELECT min(seq) FROM journal_leaf WHERE seq >= :start AND seq < :end"
_ENTRIES = """
SELECT l.seq, replace(CAST(l.entry_id AS varchar), '-', '') AS entry_id,
       l.leaf_hash AS sealed_hash, e.leaf, e.leaf_hash, e.kind, e.created_at,
       o.identity_key_id, o.enc_identity, o.act_key_id, o.enc_act,
       o.subject_index, o.actor_index, e.receipt
FROM journal_leaf l
LEFT JOIN journal_entry e ON e.id = l.entry_id
LEFT JOIN journal_open o ON o.entry_id = l.entry_id
WHERE l.seq >= :start AND l.seq < :end
ORDER BY l.seq
"""
_ENTRIES_CLOSED = _ENTRIES.replace(
    "o.enc_identity, o.act_key_id, o.enc_act",
    "substr(o.enc_identity, 1, 0), o.act_key_id, substr(o.enc_act, 1, 0)",
)
# Left to itself, PostgreSQL may read a whole table for each page.
_PAGE_BY_PAGE = {
    "sqlite": (),
    "postgresql": tuple(
        f"SET LOCAL {setting} = off" for setting in ("enable_hashjoin", "enable_mergejoin", "jit")
    ),
}
# The sum keeps SQLite from going through all leaves: it begins with the few entries about keys.
_KEYS = """
SELECT l.seq, e.leaf FROM journal_leaf l JOIN journal_entry e ON e.id = l.entry_id
WHERE e.kind = 'key' AND l.seq + 0 >= :start AND l.seq + 0 < :end ORDER BY l.seq LIMIT :most
"""
_ERASURES = """
SELECT l.seq, e.leaf FROM journal_leaf l JOIN journal_entry e ON e.id = l.entry_id
WHERE e.kind = 'erase' AND l.seq >= :start ORDER BY l.seq LIMIT :most
"""
_WAITING = """
SELECT -1 AS seq, p.entry_id, l.leaf_hash AS sealed_hash, e.leaf, e.leaf_hash, e.kind,
       e.created_at, NULL AS identity_key_id, NULL AS enc_identity, NULL AS act_key_id,
       NULL AS enc_act, NULL AS subject_index, NULL AS actor_index, e.receipt
FROM journal_pending p
LEFT JOIN journal_entry e ON e.id = p.entry_id
LEFT JOIN journal_leaf l ON l.entry_id = p.entry_id
ORDER BY p.entry_id LIMIT :most
"""
_STRIDES = "SELECT id FROM journal_entry WHERE id > :after ORDER BY id LIMIT 1 OFFSET :stride"
_STRAYS = """
SELECT 'entry-outside' AS code, e.id AS entry_id FROM journal_entry e
WHERE e.id > :after AND e.id <= :until
  AND NOT EXISTS (SELECT 1 FROM journal_leaf l WHERE l.entry_id = e.id)
  AND NOT EXISTS (SELECT 1 FROM journal_pending p WHERE p.entry_id = e.id)
UNION ALL
SELECT 'opening-outside', o.entry_id FROM journal_open o
WHERE o.entry_id > :after AND o.entry_id <= :until
  AND NOT EXISTS (SELECT 1 FROM journal_entry e WHERE e.id = o.entry_id)
UNION ALL
SELECT 'entry-repeated', l.entry_id FROM journal_leaf l
WHERE l.entry_id > :after AND l.entry_id <= :until
GROUP BY l.entry_id HAVING count(*) > 1
LIMIT :most
"""
_CHECKPOINTS = """
SELECT size, note FROM journal_checkpoint WHERE size >= :start AND size <= :end ORDER BY size
"""
_TILES = (
    "SELECT level, n, hashes FROM journal_tile WHERE level = :level AND n >= :low AND n <= :high"
)


@dataclass(frozen=True, slots=True)
class Top:
    """What the database claims about its tree, all of one moment."""

    origin: str
    size: int
    root: bytes
    outside: int
    highest_checkpoint: int | None
    note: str | None


class EntryRow(NamedTuple):
    """An entry with its place in the tree and its openings, as far as they are there."""

    seq: int
    entry_id: str
    sealed_hash: bytes
    leaf: bytes | None
    leaf_hash: bytes | None
    kind: str | None
    created_at: int | None
    identity_key_id: int | None
    enc_identity: bytes | None
    act_key_id: int | None
    enc_act: bytes | None
    subject_index: int | None
    actor_index: int | None
    receipt: int | None

    def sealed(self) -> tuple[tuple[int | None, bytes | None], tuple[int | None, bytes | None]]:
        """Return key and ciphertext of the identity and of the act."""
        return (self.identity_key_id, self.enc_identity), (self.act_key_id, self.enc_act)

    def is_short(self) -> bool:
        """Tell whether a key or ciphertext is missing."""
        return None in self[7:11]


class Rows:
    """Reads what there is to verify."""

    def __init__(self, read: Reader) -> None:
        self._read = read

    def top(self) -> Top:
        """Read what the database claims; an empty one claims an empty tree without a name."""
        rows = self._all(_TOP)
        return Top(*rows[0]) if rows else Top("", 0, b"", 0, None, None)

    def next(self, start: int, end: int) -> int | None:
        """Return the first place from *start* up to *end* at which there is a leaf."""
        found: int | None = self._all(_NEXT, start=start, end=end)[0][0]
        return found

    def entries(self, start: int, end: int, *, openings: bool) -> list[EntryRow]:
        """Read the leaves from *start* up to *end*, each with its entry.

        Without *openings* an encrypted part that is there is read as empty.
        """
        statement = sa.text(_ENTRIES if openings else _ENTRIES_CLOSED)

        def work(session: Session) -> list[EntryRow]:
            for setting in _PAGE_BY_PAGE[session.get_bind().dialect.name]:
                session.execute(sa.text(setting))
            found: Any = session.execute(statement, {"start": start, "end": end})
            # Past the library's own rows, which cost as much as the reading.
            return [EntryRow._make(row) for row in found.cursor.fetchall()]

        page: list[EntryRow] = self._read(work)
        return page

    def keys(self, start: int, end: int) -> list[tuple[int, bytes]]:
        """Read the leaves that announce keys, from *start* up to *end*."""
        rows = self._all(_KEYS, start=start, end=end, most=_MOST_KEYS)
        return [(seq, leaf) for seq, leaf in rows]

    def erasures(self, start: int) -> list[tuple[int, bytes]]:
        """Read the leaves from *start* on that may cover openings that are gone."""
        rows = self._all(_ERASURES, start=start, most=_MOST_KEYS)
        return [(seq, leaf) for seq, leaf in rows]

    def waiting(self) -> Iterator[EntryRow]:
        """Read the entries that wait for the sealer."""
        for seq, entry_id, *rest in self._all(_WAITING, most=_MOST_WAITING):
            yield EntryRow(seq, _hex(entry_id), *rest)

    def strays(self, after: UUID = _LOWEST) -> Iterator[tuple[str, str]]:
        """Find entries and openings that belong to no leaf, and leaves that stand twice.

        Only those with an id later than *after* are looked at.
        """
        until, most = after, _MOST_STRAYS
        while until != _HIGHEST and most > 0:
            after = until
            stride = self._by_id(_STRIDES, after=after, stride=_STRIDE)
            until = _uuid(stride[0][0]) if stride else _HIGHEST
            for code, entry_id in self._by_id(_STRAYS, after=after, until=until, most=most):
                yield code, _hex(entry_id)
                most -= 1

    def id_at(self, seq: int) -> UUID:
        """Return the id of the entry of a leaf, the lowest there is if the leaf is missing."""
        rows = self._all("SELECT entry_id FROM journal_leaf WHERE seq = :seq", seq=seq)
        return _uuid(rows[0][0]) if rows else _LOWEST

    def checkpoints(self, start: int, end: int) -> list[tuple[int, str]]:
        """Read the checkpoints over *start* to *end* leaves."""
        return [(size, note) for size, note in self._all(_CHECKPOINTS, start=start, end=end)]

    def tiles(self, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """Read tiles by level and number."""
        numbers: dict[int, list[int]] = {}
        for level, n in places:
            numbers.setdefault(level, []).append(n)
        found = {}
        for level, ns in numbers.items():
            for _, n, hashes in self._all(_TILES, level=level, low=min(ns), high=max(ns)):
                found[level, n] = hashes
        return found

    def _by_id(self, statement: str, **values: UUID | int) -> Sequence[tuple[Any, ...]]:
        ids = [sa.bindparam(n, type_=sa.Uuid) for n, v in values.items() if isinstance(v, UUID)]
        return self._rows(sa.text(statement).bindparams(*ids), values)

    def _all(self, statement: str, **values: int) -> Sequence[tuple[Any, ...]]:
        return self._rows(sa.text(statement), values)

    def _rows(
        self, statement: sa.TextClause, values: Mapping[str, UUID | int]
    ) -> Sequence[tuple[Any, ...]]:
        def work(session: Session) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in session.execute(statement, values)]

        rows: list[tuple[Any, ...]] = self._read(work)
        return rows


def _hex(entry_id: str | UUID) -> str:
    return entry_id.hex if isinstance(entry_id, UUID) else entry_id


def _uuid(entry_id: str | UUID) -> UUID:
    return entry_id if isinstance(entry_id, UUID) else UUID(entry_id)
