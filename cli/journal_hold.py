"""`journal hold`: what neither expiry nor an order may erase."""

import json
from functools import partial
from typing import TYPE_CHECKING, TextIO

import click

from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from cli.groups import VerbGroup
from cli.journal_targets import CLASSES, actor_of, checked, month, months_of, subject_of

if TYPE_CHECKING:
    from journal.legal_holds import LegalHold, Scope

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("hold", cls=VerbGroup, short_help="Keep what would expire or be erased.")
def hold_group() -> None:
    """Put openings of the journal under legal hold, for who must produce them.

    What is held neither expires nor is erased by order until the hold is lifted.
    """


@hold_group.command(
    "add",
    short_help="Hold a citizen's entries, or months.",
    examples=(
        'python app.py journal hold add --citizen - --reason "court order 12/2026"',
        'python app.py journal hold add --months 2026-03..2026-05 --reason "inspection"',
    ),
)
@click.option("--citizen", type=click.File(), help="File with a personal number; - asks for it.")
@click.option("--phone", type=click.File(), help="File with a telephone number; - asks for it.")
@click.option("--months", metavar="MONTHS", help="As 2026-03 or 2026-03..2026-05.")
@click.option("--class", "of_class", type=click.Choice(CLASSES), help="Of the months, only this.")
@click.option("--reason", required=True, help="Why, in one line; of no citizen.")
@_AS_JSON
@pass_service
def add(
    service: Service,
    /,
    *,
    citizen: TextIO | None,
    phone: TextIO | None,
    months: str | None,
    of_class: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Put a hold in force and print its number.

    Entries whose identity has expired or was erased are found by nobody, and not held either.
    """
    from cli import acting
    from journal import legal_holds

    why, now = checked("--reason", reason), service.clock.now()
    scope = _scope(service, citizen, phone, months, of_class)
    work = partial(
        legal_holds.add,
        keyring=service.keyring,
        scope=scope,
        reason=why,
        by=service.person,
        now=now,
    )
    number = acting.perform(service, "hold-add", work, {"reason": why, "of": _named(scope)})
    click.echo(json.dumps({"hold": number}) if as_json else f"hold {number} is in force")


@hold_group.command(
    "lift",
    short_help="Let go of a hold.",
    examples=('python app.py journal hold lift 3 --reason "case closed"',),
)
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why, in one line; of no citizen.")
@pass_service
def lift(service: Service, /, *, number: int, reason: str) -> None:
    """Lift a hold; what has expired meanwhile goes with the next run of expiry."""
    from sqlalchemy.orm import Session

    from cli import acting
    from journal import legal_holds

    by, now = service.person, service.clock.now()

    def work(session: Session) -> None:
        if not legal_holds.lift(session, number, by=by, now=now):
            raise UsageFault(f"no hold {number} is in force: `journal hold list`", NOT_ALLOWED)

    said: dict[str, str | int] = {"hold": number, "reason": checked("--reason", reason)}
    acting.perform(service, "hold-lift", work, said)
    click.echo(f"hold {number} is lifted")


@hold_group.command(
    "list",
    short_help="List the holds.",
    examples=("python app.py journal hold list --json",),
)
@click.option("--all", "with_lifted", is_flag=True, help="Also those that were lifted.")
@_AS_JSON
@pass_service
def list_holds(service: Service, /, *, with_lifted: bool, as_json: bool) -> None:
    """List the holds in force: of what, why, by whom; never of which citizen."""
    from journal import legal_holds

    found = service.database.read(partial(legal_holds.everything, keyring=service.keyring))
    shown = [hold for hold in found if with_lifted or hold.lifted_at is None]
    if as_json:
        click.echo(json.dumps([_row(hold) for hold in shown], ensure_ascii=False))
        return
    for hold in shown:
        row = _row(hold)
        lifted = f", lifted {row['lifted_at']} by {hold.lifted_by}" if hold.lifted_at else ""
        click.echo(
            f"{hold.id:>4}  {row['of']:<28} {row['added_at']} by {hold.added_by}: "
            f"{hold.reason}{lifted}"
        )
    if not shown:
        click.echo("nothing is under hold", err=True)


def _scope(
    service: Service,
    citizen: TextIO | None,
    phone: TextIO | None,
    months: str | None,
    of_class: str | None,
) -> "Scope":
    from journal.entries import Retention
    from journal.legal_holds import Scope

    if (months is None) is (citizen is None and phone is None):
        raise UsageFault("hold either a citizen (--citizen, --phone) or --months", USAGE)
    if months is not None:
        first, last = months_of(months)
        return Scope(
            first_month=first, last_month=last, retention=Retention(of_class) if of_class else None
        )
    if of_class is not None:
        raise UsageFault("--class goes with --months", USAGE)
    return Scope(
        subject_index=None if citizen is None else subject_of(service, citizen),
        actor_index=None if phone is None else actor_of(service, phone),
    )


def _named(scope: "Scope") -> str:
    if scope.first_month is None or scope.last_month is None:
        return "a citizen"
    span = f"{month(scope.first_month)}..{month(scope.last_month)}"
    return f"{scope.retention or 'all'} {span}"


def _row(hold: "LegalHold") -> dict[str, object]:
    lifted_at = hold.lifted_at
    return {
        "hold": hold.id,
        "of": _named(hold.scope),
        "reason": hold.reason,
        "added_by": hold.added_by,
        "added_at": f"{hold.added_at:%Y-%m-%dT%H:%M:%SZ}",
        "lifted_by": hold.lifted_by,
        "lifted_at": None if lifted_at is None else f"{lifted_at:%Y-%m-%dT%H:%M:%SZ}",
    }
