"""A reconciliation from its start to its end: usage out of the database, joined, summed up."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from billing.periods import Period
from billing.reconciliation import comparison, engine, ours, summary
from billing.reconciliation.comparison import Sides
from billing.reconciliation.engine import Engine
from billing.reconciliation.errors import ReconciliationError
from billing.reconciliation.mapping import CdrMapping
from billing.reconciliation.pricing import Pricing
from billing.reconciliation.store import Store
from billing.reconciliation.summary import Summary
from billing.reconciliation.unpacking import Tell
from core.db import Database

_SUMMED = 2


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A month, compared: its summary, and the tables of its records while they are open."""

    summary: Summary
    duck: Engine


@contextmanager
def reconciled(
    database: Database,
    link_ids: Sequence[int],
    store: Store,
    period: Period,
    pricing: Pricing,
    *,
    tell_read: Callable[[int], None],
    tell: Tell,
) -> Iterator[Reconciled]:
    """Compare a period of an operator; what it takes is thrown away at the end.

    Raises: ReconciliationError if nothing was imported, or by another mapping, or no price is in
    force.
    """
    mapping = store.mapping()
    files = _files(store, period, mapping)
    tolerance = mapping.tolerance
    with store.scratch() as folder:
        usage = ours.write(database, link_ids, period, tolerance, folder, tell=tell_read)
        sides = Sides(
            period=period,
            ours=usage,
            theirs=files,
            before=store.files(period.preceding),
            after=store.files(period.following),
            pricing=pricing,
            tolerance=tolerance,
            mapping=mapping.digest,
        )
        with compared(folder, sides, store.operator, tell=tell) as found:
            yield found


@contextmanager
def compared(folder: Path, sides: Sides, operator: str, *, tell: Tell) -> Iterator[Reconciled]:
    """Compare two sides that lie as files; *folder* takes what spills."""
    reads = [sides.ours, *sides.theirs, *sides.before, *sides.after]
    steps = comparison.STEPS + _SUMMED
    with engine.opened(folder, reads, steps=steps, tell=tell) as duck:
        comparison.compare(duck, sides)
        yield Reconciled(summary.read(duck, operator, sides), duck)


def _files(store: Store, period: Period, mapping: CdrMapping) -> list[Path]:
    """Return what is compared; files of the months beside may be older than the mapping."""
    notes = store.notes(period)
    if not notes:
        raise ReconciliationError(
            f"no file of {store.operator} for {period} is imported: `billing import` one"
        )
    if others := [digest for digest, note in notes.items() if note.reading != mapping.reading]:
        raise ReconciliationError(
            f"{len(others)} files of {period} were read by another mapping, {others[0][:8]} for "
            "one: `billing import` them once more"
        )
    return store.files(period)
