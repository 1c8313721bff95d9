"""How `journal erase` shows an order, asks about it, and says why it is refused."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO, cast

import click

from cli.context import Service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from cli.journal_targets import actor_of, month, months_of, subject_of
from journal.orders import Order, Refusal

if TYPE_CHECKING:
    from journal.erasures import Erasures
    from journal.targets import Target

_REFUSED: Mapping[Refusal, str] = {
    Refusal.NOTHING: "there is nothing of it to erase: it was erased, has expired, or never was",
    Refusal.HELD: "some of it is under legal hold: `journal hold list`",
    Refusal.TOO_YOUNG: "a month can be erased from the second day after its end",
    Refusal.UNKNOWN: "there is no such plan: `journal erase list`",
    Refusal.ENDED: "the plan is done, or was dropped: `journal erase list`",
    Refusal.SAME_PERSON: "who planned or approved it cannot approve it: ask another officer",
    Refusal.APPROVED_ALREADY: "two officers have approved it: `journal erase run` is next",
    Refusal.NOT_APPROVED: "two officers must approve it first: `journal erase approve`",
    Refusal.NOT_AS_APPROVED: (
        "what the database says of the plan is not what the journal says was approved: somebody "
        "wrote to journal_erasure; cancel the plan, and find out who"
    ),
}


def target_of(service: Service, options: Mapping[str, object]) -> "Target":
    """Read what a plan is about.

    Raises: UsageFault.
    """
    from journal.entries import Retention
    from journal.targets import Leaves, Months, People

    citizen, phone = options["citizen"], options["phone"]
    months, entries, of_class = options["months"], options["entries"], options["of_class"]
    given = [bool(citizen or phone), months is not None, bool(entries)]
    if given.count(True) != 1 or (months is None) is not (of_class is None):
        raise UsageFault(
            "plan one of: --citizen and --phone, --months with --class, or --entry", USAGE
        )
    if isinstance(months, str):
        return Months(Retention(str(of_class)), *months_of(months))
    if isinstance(entries, tuple) and entries:
        return Leaves(entries)
    return People(
        subjects=[subject_of(service, cast("TextIO", citizen))] if citizen else [],
        actors=[actor_of(service, cast("TextIO", phone))] if phone else [],
    )


def tell(done: Order | Refusal, *, as_json: bool) -> None:
    """Show what became of an order.

    Raises: UsageFault if it was refused.
    """
    if isinstance(done, Refusal):
        raise UsageFault(_REFUSED[done], NOT_ALLOWED)
    if as_json:
        click.echo(json.dumps(row_of(done), ensure_ascii=False))
    else:
        describe(done)


def ask(erasures: "Erasures", number: int, question: str, *, yes: bool) -> Order:
    """Show an order that is to be approved or run, and go on only if that is wanted.

    Raises: UsageFault if there is none; click.Abort.
    """
    found = [order for order in erasures.all() if order.id == number]
    if not found:
        raise UsageFault(_REFUSED[Refusal.UNKNOWN], NOT_ALLOWED)
    if not yes:
        describe(found[0], err=True)
        click.confirm(question, abort=True, err=True)
    return found[0]


def describe(order: Order, *, err: bool = False) -> None:
    """Show an order as people read it."""
    counts = order.counts
    kinds = ", ".join(
        f"{count} {name.removeprefix('kind ')}"
        for name, count in sorted(counts.items())
        if name.startswith("kind ")
    )
    what = "who it was about" if order.part == "identity" else "everything they say"
    span = f"{month(counts['first_month'])} to {month(counts['last_month'])}"
    whole = f" (all of {order.months})" if order.months else ""
    lines = [
        f"plan {order.id}: {order.state}",
        f"  erases    {what}, in {counts['leaves']} entries of {span}: {kinds}{whole}",
        f"  basis     {order.basis}",
        f"  reason    {order.reason}",
        f"  planned   {order.planned_by}, {order.planned_at:%Y-%m-%d %H:%M:%SZ}",
        *(f"  approved  {by}" for by, _ in order.approvals),
    ]
    if order.ended_at:
        lines.append(f"  ended     {order.ended_by}, {order.ended_at:%Y-%m-%d %H:%M:%SZ}")
    click.echo("\n".join(lines), err=err)


def row_of(order: Order) -> dict[str, object]:
    """Return an order as JSON tells it."""
    ended_at = order.ended_at
    return {
        "plan": order.id,
        "state": order.state,
        "part": order.part,
        "months": None if order.months is None else str(order.months),
        "leaves": order.leaves,
        "counts": order.counts,
        "basis": order.basis,
        "reason": order.reason,
        "planned_by": order.planned_by,
        "planned_at": f"{order.planned_at:%Y-%m-%dT%H:%M:%SZ}",
        "approved_by": [by for by, _ in order.approvals],
        "ended_by": order.ended_by,
        "ended_at": None if ended_at is None else f"{ended_at:%Y-%m-%dT%H:%M:%SZ}",
    }
