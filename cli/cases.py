"""`case`: what citizens said is wrong in what they were told (SAI), for officers."""

import json
from typing import TYPE_CHECKING

import click

from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from cli.groups import VerbGroup
from cli.journal_targets import checked

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from records.cases import Case

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("case", cls=VerbGroup)
def case_group() -> None:
    """Correction cases that citizens opened by SMS. What is shown names nobody."""


@case_group.command(
    "list",
    short_help="List the open cases.",
    examples=("python app.py case list", "python app.py case list --all --json"),
)
@click.option("--all", "closed_too", is_flag=True, help="The closed ones too.")
@_AS_JSON
@pass_service
def list_cases(service: Service, /, *, closed_too: bool, as_json: bool) -> None:
    """List the cases, the oldest first, each with the receipt of the reply it is about."""
    from journal import found
    from records import cases

    def read(session: "Session") -> "tuple[list[Case], dict[UUID, str]]":
        listed = cases.listed(session, closed_too=closed_too)
        return listed, found.receipts_of(session, [case.entry_id for case in listed])

    listed, receipts = service.database.read(read)
    rows = [_row(case, receipts.get(case.entry_id)) for case in listed]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        ended = f"  closed {row['closed_at']} by {row['closed_by']}: {row['closed_reason']}"
        click.echo(
            f"{row['case']}  {row['opened_at']}  {row['receipt']}"
            f"{ended if row['closed_at'] else ''}"
        )
    if not rows:
        click.echo("no case is open" if not closed_too else "there is no case", err=True)


@case_group.command(
    "close",
    short_help="Close a case.",
    examples=('python app.py case close 7K3M-9QT7 --reason "corrected at the commune office"',),
)
@click.argument("number")
@click.option("--reason", required=True, help="What came of it; of no citizen.")
@_AS_JSON
@pass_service
def close_case(service: Service, /, *, number: str, reason: str, as_json: bool) -> None:
    """Close a case for good, with an entry; its code sent again is told that it is closed."""
    from cli.acting import perform
    from records import cases
    from records.cases import CaseState

    read = cases.read_number(number)
    if read is None:
        raise UsageFault(
            "this is no case number, or one symbol of it is mistyped: `case list`", USAGE
        )
    told, now = checked("--reason", reason), service.clock.now()

    def work(session: "Session") -> None:
        case = cases.close(session, read, reason=told, by=service.person, now=now)
        if case is None:
            raise UsageFault("there is no such case: `case list --all`", NOT_ALLOWED)
        if case.state is CaseState.CLOSED:
            raise UsageFault("the case is closed already: `case list --all`", NOT_ALLOWED)

    perform(service, "case-close", work, {"case": read, "reason": told})
    click.echo(
        json.dumps({"case": read, "state": CaseState.CLOSED}) if as_json else f"closed {read}"
    )


def _row(case: "Case", receipt: str | None) -> dict[str, object]:
    closed_at = case.closed_at
    return {
        "case": case.number,
        "state": case.state,
        "opened_at": f"{case.opened_at:%Y-%m-%dT%H:%M:%SZ}",
        "receipt": receipt,
        "closed_at": None if closed_at is None else f"{closed_at:%Y-%m-%dT%H:%M:%SZ}",
        "closed_by": case.closed_by,
        "closed_reason": case.closed_reason,
    }
