"""Erasure before the time: planned by one, approved by two others, run with an entry each batch."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from core import ratchet
from core.clock import Clock
from core.db import Database
from core.keyring import Keyring
from journal import cover, erasing, expiry, legal_holds, orders, retention, targets
from journal.cover import Cause, Part
from journal.entries import Draft, Kind, Retention
from journal.journal import Journal
from journal.leaf import Cover, PayloadValue
from journal.orders import Order, Refusal, State
from journal.targets import Months, Tally, Target

# A clock that is behind may still write into the month before.
_SETTLED = timedelta(days=1)


class _StopError(Exception):
    """What is under way must not go on; what this batch did is taken back."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Erasures:
    """Orders to erase openings, from the plan to the end."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        keyring: Keyring,
        clock: Clock,
        *,
        batch: int = erasing.BATCH,
    ) -> None:
        self._database = database
        self._journal = journal
        self._keyring = keyring
        self._clock = clock
        self._batch = batch

    def plan(
        self, target: Target, part: Part, *, basis: str, reason: str, by: str
    ) -> Order | Refusal:
        """Note what would go; nothing goes before two others have approved it."""
        now = self._clock.now()
        months = target if isinstance(target, Months) else None
        if months and months.last >= ratchet.month_of(now - _SETTLED):
            return Refusal.TOO_YOUNG
        found, holds = Tally(), self._database.read(legal_holds.in_force)
        for each in targets.find(self._database, target, part):
            if holds.has(each):
                return Refusal.HELD
            found.add(each)
        if not found.leaves:
            return Refusal.NOTHING
        order = Order(
            part=part,
            leaves=None if months else cover.written(found.leaves),
            months=months,
            counts=found.counts(),
            basis=basis,
            reason=reason,
            planned_by=by,
            planned_at=now,
        )

        said = _why(order, part=str(part), openings=len(found.leaves))

        def work(session: Session) -> tuple[Order | Refusal, UUID]:
            number = orders.add(session, self._keyring, order)
            *_, entry = self._journal.write(session, [_draft(order, "erase-plan", by, said)])
            return orders.load(session, self._keyring, number) or Refusal.UNKNOWN, entry.id

        done, entry_id = self._database.write(work)
        expiry.seal(self._database, self._journal, entry_id)
        return done

    def approve(self, number: int, *, by: str) -> Order | Refusal:
        """Approve an order; whoever planned or approved it already cannot."""

        def refusal(order: Order) -> Refusal | None:
            if order.state is State.APPROVED:
                return Refusal.APPROVED_ALREADY
            people = {order.planned_by, *(approver for approver, _ in order.approvals)}
            return Refusal.SAME_PERSON if by in people else None

        def change(session: Session, order: Order, entry_id: UUID) -> None:
            orders.note_approval(session, order, by, entry_id)

        return self._change(number, "erase-approve", by, refusal, change)

    def cancel(self, number: int, *, by: str) -> Order | Refusal:
        """End an order without erasing anything more."""

        def change(session: Session, order: Order, _: UUID) -> None:
            orders.end(session, order, by=by, now=self._clock.now(), is_done=False)

        return self._change(number, "erase-cancel", by, lambda _: None, change)

    def run(
        self, number: int, *, by: str, progress: Callable[[int], None] = lambda _done: None
    ) -> Order | Refusal:
        """Erase what was approved; interrupted, it goes on where it stopped when run again."""
        order = self._database.write(lambda session: self._ready(session, number))
        if isinstance(order, Refusal):
            return order
        try:
            done = 0
            for wanted in self._batches(order):
                done += self._database.write(
                    partial(self._erase, number=number, wanted=wanted, by=by)
                )
                progress(done)
            self._destroy_keys(order)
        except _StopError as stop:
            return stop.refusal
        finally:
            expiry.seal(self._database, self._journal)
        return self._database.write(partial(self._end, number=number, by=by))

    def all(self) -> list[Order]:
        """Return every order, the newest first."""
        return self._database.read(lambda session: orders.everything(session, self._keyring))

    def _change(
        self,
        number: int,
        act: str,
        by: str,
        refusal: Callable[[Order], Refusal | None],
        change: Callable[[Session, Order, UUID], None],
    ) -> Order | Refusal:
        def work(session: Session) -> tuple[Order | Refusal, UUID | None]:
            order = orders.load(session, self._keyring, number)
            if order is None:
                return Refusal.UNKNOWN, None
            if order.ended_at is not None:
                return Refusal.ENDED, None
            if (why := refusal(order)) is not None:
                return why, None
            *_, entry = self._journal.write(session, [_draft(order, act, by)])
            change(session, order, entry.id)
            changed = orders.load(session, self._keyring, number)
            return changed or Refusal.UNKNOWN, entry.id

        done, entry_id = self._database.write(work)
        if entry_id is not None:
            expiry.seal(self._database, self._journal, entry_id)
        return done

    def _ready(self, session: Session, number: int) -> Order | Refusal:
        """Return an order if it may be run; that two people approved it is read in the journal."""
        order = orders.load(session, self._keyring, number)
        if order is None:
            return Refusal.UNKNOWN
        if order.ended_at is not None:
            return Refusal.ENDED
        if order.state is not State.APPROVED:
            return Refusal.NOT_APPROVED
        if not orders.is_as_approved(session, self._keyring, order):
            return Refusal.NOT_AS_APPROVED
        return order

    def _batches(self, order: Order) -> Iterator[list[int] | list[UUID]]:
        if order.months is not None:
            key_ids = order.months.key_ids(order.part)
            yield from erasing.under_keys(self._database, key_ids, self._batch)
        else:
            yield from targets.batched(cover.leaves_of(order.leaves or ""), self._batch)

    def _erase(self, session: Session, number: int, wanted: list[int] | list[UUID], by: str) -> int:
        order = self._ready(session, number)
        if isinstance(order, Refusal):
            raise _StopError(order)
        load = erasing.of_entries if order.leaves is None else erasing.at_leaves
        standing = load(session, wanted)  # type: ignore[arg-type]  # `_batches` gives what the order names
        found = [each for each in standing if targets.fits(each, order.part, order.months)]
        holds = legal_holds.in_force(session)
        if any(holds.has(each) for each in found):
            raise _StopError(Refusal.HELD)
        if not found:
            return 0
        for part in retention.parts_of(order.part):
            if gone := [each.entry_id for each in found if part in each.parts]:
                erasing.blank(session, gone, part)
        covered = Cover(Cause.ORDER, order.part, cover.written(each.seq for each in found))
        said = _why(
            order,
            planned_by=order.planned_by,
            approved_by=tuple(approver for approver, _ in order.approvals),
            openings=len(found),
        )
        self._journal.write(session, [_draft(order, "erase", by, said, covered)])
        return len(found)

    def _destroy_keys(self, order: Order) -> None:
        """Destroy the keys of erased months here; other machines follow with their expiry."""
        months = order.months
        if months is None or months.retention is not Retention.LOOKUP:
            return  # the keys of acts also open what no order erases: keys' and erasures' entries
        holds = self._database.read(legal_holds.in_force)
        if any(holds.has_month(months.retention, month) for month in months.each()):
            raise _StopError(Refusal.HELD)
        gone = {
            retention.purpose(months.retention, part): list(months.each())
            for part in retention.parts_of(order.part)
        }
        said = {"act": "destroy-keys", "basis": "order", "order": order.digest().hex()}
        expiry.destroy_keys(self._database, self._journal, self._keyring, gone, said)

    def _end(self, session: Session, number: int, by: str) -> Order | Refusal:
        order = self._ready(session, number)
        if isinstance(order, Order):
            orders.end(session, order, by=by, now=self._clock.now(), is_done=True)
            return orders.load(session, self._keyring, number) or Refusal.UNKNOWN
        return order


def _draft(
    order: Order,
    act: str,
    by: str,
    said: Mapping[str, PayloadValue] | None = None,
    covered: Cover | None = None,
) -> Draft:
    return Draft(
        kind=Kind.ADMIN if covered is None else Kind.ERASE,
        retention=Retention.ACT,
        actor=by,
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={"act": act, "order": order.digest().hex(), **(said or {})},
        cover=covered,
    )


def _why(order: Order, **said: PayloadValue) -> dict[str, PayloadValue]:
    return {"basis": order.basis, "reason": order.reason, **said}
