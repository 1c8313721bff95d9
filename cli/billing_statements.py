"""`billing open`, `send`, `list` and `show`: statements as they are made."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.billing_acts import account_of, perform, period_of
from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, UsageFault
from cli.groups import Verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from billing.lines import Line
    from billing.periods import Period
    from billing.statements import Done, Statement
    from console.access.officers import Officer

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
OPERATOR = click.option("--operator", metavar="NAME", required=True, help="Whose.")
OFFICER = click.option(
    "--officer", "name", required=True, help="Who does it; password and code are asked."
)


@click.command(
    "open",
    cls=Verb,
    examples=("python app.py billing open 2026-10 --operator viettel --officer lan",),
)
@click.argument("period")
@OPERATOR
@OFFICER
@AS_JSON
@pass_service
def open_command(
    service: Service, /, *, period: str, operator: str, name: str, as_json: bool
) -> None:
    """Make a statement of a month as a draft, or make the draft anew, for billing makers.

    It is counted from usage at the prices in force, with corrections of months that are closed.
    What the operator has found to differ may be made anew too.
    """
    from billing import drafts, statements
    from billing.acts import Act
    from console.access.roles import Right

    account, month, now = account_of(service, operator), period_of(period), service.clock.now()

    def prepare() -> "Callable[[Session, Officer], Done]":
        # Counted before anything is locked: a large month must not make messages wait.
        found = service.database.read(lambda s: drafts.compute(s, account, month))

        def work(session: "Session", officer: "Officer") -> "Done":
            return statements.open_draft(session, operator, month, found.lines, officer.actor, now)

        return work

    done = perform(service, name, Right.MAKE_STATEMENTS, Act.OPEN, prepare)
    tell(done.statement, as_json=as_json)


@click.command(
    "send",
    cls=Verb,
    examples=("python app.py billing send 2026-10 --operator viettel --officer lan",),
)
@click.argument("period")
@OPERATOR
@OFFICER
@AS_JSON
@pass_service
def send_command(
    service: Service, /, *, period: str, operator: str, name: str, as_json: bool
) -> None:
    """Fix the lines of a draft, counted once more, for billing makers; `export` writes them.

    The month has to be over, and everything that was carried has to have a price.
    """
    from billing import drafts, statements
    from billing.acts import Act
    from console.access.roles import Right

    account, month, now = account_of(service, operator), period_of(period), service.clock.now()

    def prepare() -> "Callable[[Session, Officer], Done]":
        found = service.database.read(lambda s: drafts.compute(s, account, month))

        def work(session: "Session", officer: "Officer") -> "Done":
            return statements.send(
                session, operator, month, found.lines, officer.actor, now, beside=found.beside
            )

        return work

    done = perform(service, name, Right.MAKE_STATEMENTS, Act.SEND, prepare)
    tell(done.statement, as_json=as_json)


@click.command(
    "list",
    cls=Verb,
    examples=("python app.py billing list", "python app.py billing list --operator viettel"),
)
@click.option("--operator", metavar="NAME", help="Of this operator alone.")
@AS_JSON
@pass_service
def list_command(service: Service, /, *, operator: str | None, as_json: bool) -> None:
    """List the statements with their states, the newest month first."""
    from billing import statements

    found = service.database.read(lambda s: statements.listed(s, operator))
    if as_json:
        click.echo(json.dumps([shape(each) for each in found]))
    elif found:
        for each in found:
            tell(each, as_json=False)
    else:
        click.echo("no statement yet: see `python app.py billing open --help`", err=True)


@click.command(
    "show",
    cls=Verb,
    examples=("python app.py billing show 2026-10 --operator viettel --json",),
)
@click.argument("period")
@OPERATOR
@AS_JSON
@pass_service
def show_command(service: Service, /, *, period: str, operator: str, as_json: bool) -> None:
    """Show a statement with its lines, as they were made."""
    statement, kept = load(service, operator, period_of(period))
    if as_json:
        click.echo(json.dumps({**shape(statement), "lines": [asdict(line) for line in kept]}))
        return
    tell(statement, as_json=False)
    for line in kept:
        terms = line.terms
        of = f" of {terms.corrects}" if terms.corrects else ""
        click.echo(
            f"  {terms.section}{of}  {terms.direction} {terms.encoding} {terms.short_code or '-'}  "
            f"{terms.rating} from {terms.valid_from or '-'}  {line.messages} messages  "
            f"{line.parts} parts  {dong(line.amount)} "
            f"(VAT {dong(line.vat)}, ours {dong(line.share)})"
        )


def load(service: Service, operator: str, period: "Period") -> "tuple[Statement, tuple[Line, ...]]":
    """Return a statement and its lines.

    Raises: UsageFault if there is none.
    """
    from billing import kept_lines, statements

    def read(session: "Session") -> "tuple[Statement, tuple[Line, ...]] | None":
        found = statements.find(session, operator, period)
        return None if found is None else (found, kept_lines.load(session, found.id))

    found = service.database.read(read)
    if found is None:
        raise UsageFault(
            f"there is no statement of {operator} for {period}: see `billing open`", NOT_ALLOWED
        )
    return found


def shape(statement: "Statement") -> dict[str, object]:
    """Shape a statement for programs."""
    from datetime import datetime

    told = asdict(statement)
    del told["id"]
    told["period"] = str(statement.period)
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in told.items()
    }


def tell(statement: "Statement", *, as_json: bool) -> None:
    """Say in one line, or in JSON, how a statement stands."""
    if as_json:
        click.echo(json.dumps(shape(statement)))
        return
    click.echo(
        f"{statement.period}  {statement.operator}  {statement.state}  "
        f"net to us {dong(statement.net_hundredths)}  {statement.digest[:16]}"
    )


def dong(hundredths: int) -> str:
    """Write a sum of money with its hundredths."""
    sign, value = "-" if hundredths < 0 else "", abs(hundredths)
    return f"{sign}{value // 100:,}.{value % 100:02} VND"
