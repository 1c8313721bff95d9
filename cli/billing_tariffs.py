"""`billing tariff`: prices brought in from a file, listed, and checked."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.context import Service, pass_service
from cli.exits import DIFFERENT, USAGE, UsageFault
from cli.groups import VerbGroup

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from billing.tariff_file import Plan, Row
    from billing.tariffs import Tariff
    from journal.leaf import PayloadValue

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLUMNS = (
    "operator", "short_code", "direction", "encoding", "valid_from", "valid_to", "price_hundredths",
    "vat_bp", "share_bp",
)  # fmt: skip
_IMPORT_HELP = """Set prices from a CSV FILE, for billing makers; all of it or nothing.

A price is of an operator, short code (* for any), direction (mo, mt) and encoding (gsm7, ucs2,
any), from a day to a day of Viet Nam; with no last day, until another begins. It is in hundredths
of a dong a part, VAT included; VAT and our share are in basis points, 0 where they are left out.

\b
  operator,short_code,direction,encoding,valid_from,valid_to,price_hundredths,vat_bp,share_bp
  viettel,*,mo,any,2026-12-01,,50000,1000,4300

A price without an end is ended by the next that begins. Overlaps and gaps are refused with their
lines. Prices of days that are over are changed with --correct alone, and so are days of months
that were sent given a first one: what that changes in closed months becomes a correction in the
next. Giving the same file again changes nothing.

\b
Examples:
  python app.py billing tariff import tariffs.csv --dry-run
  python app.py billing tariff import tariffs.csv --officer lan
"""


@click.group("tariff", cls=VerbGroup)
def tariff_group() -> None:
    """Set, list and check the prices of operators, for billing makers."""


@tariff_group.command("import", short_help="Set prices from a CSV file.", help=_IMPORT_HELP)
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--correct", is_flag=True, help="Change prices of days that are over, too.")
@click.option("--officer", "name", help="Who does it; password and code are asked.")
@_AS_JSON
@pass_service
def import_command(
    service: Service,
    /,
    *,
    file: Path,
    dry_run: bool,
    correct: bool,
    name: str | None,
    as_json: bool,
) -> None:
    """Read the file, say what it would change, and change it unless told not to."""
    from billing import tariff_file
    from billing.errors import TariffFileError
    from core.clock import vietnam_day

    if name is None and not dry_run:
        raise UsageFault("--officer says who sets prices; --dry-run changes none", USAGE)
    today = vietnam_day(service.clock.now())
    with file.open("rb") as source:
        content = source.read(tariff_file.LARGEST + 1)
    operators = {link.operator for link in service.links.all()}
    try:
        rows = tariff_file.read(content, operators)
        if name is None or dry_run:
            plan = service.database.read(lambda s: _plan(s, rows, today, correct=correct))
        else:
            plan = _imported(service, name, content, rows, today, correct=correct)
    except TariffFileError as error:
        told = "\n".join(f"  line {n}: {why}" if n else f"  {why}" for n, why in error.faults)
        raise UsageFault(
            f"{file.name} is not taken, and nothing was changed:\n{told}", USAGE
        ) from error
    counts = {each: getattr(plan, each) for each in ("added", "ended", "corrected", "unchanged")}
    if as_json:
        click.echo(json.dumps({**counts, "dry_run": dry_run}))
    else:
        shown = ", ".join(f"{count} {word}" for word, count in counts.items())
        click.echo(f"{'would be: ' if dry_run else ''}{shown}")


@tariff_group.command(
    "list",
    short_help="List the prices.",
    examples=(
        "python app.py billing tariff list",
        "python app.py billing tariff list --operator viettel --on 2026-12-01",
    ),
)
@click.option("--operator", metavar="NAME", help="Of this operator alone.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="In force on this day.")
@_AS_JSON
@pass_service
def list_command(
    service: Service, /, *, operator: str | None, day: "datetime | None", as_json: bool
) -> None:
    """List every price that was set, with its days."""
    from billing import tariffs

    on = day.date() if day else None
    known = service.database.read(tariffs.load).all
    rows = [
        _shown(each)
        for each in known
        if operator in (None, each.operator) and (on is None or each.holds_on(on))
    ]
    if as_json:
        click.echo(json.dumps(rows))
    elif rows:
        click.echo("  ".join(_COLUMNS))
        for row in rows:
            click.echo("  ".join("-" if row[name] is None else str(row[name]) for name in _COLUMNS))
    else:
        click.echo("no price is set: see `python app.py billing tariff import --help`", err=True)


@tariff_group.command(
    "check",
    short_help="Say which operators have no price, or will have none.",
    examples=("python app.py billing tariff check",),
)
@_AS_JSON
@pass_service
def check_command(service: Service, /, *, as_json: bool) -> None:
    """Say which operators have no price of messages to us today, and which prices end unfollowed.

    Ends 0 where there are none, else 4.
    """
    from billing import tariffs
    from billing.tariff_file import unfollowed
    from core.clock import vietnam_day
    from sms.links.model import LinkState

    known, today = service.database.read(tariffs.load), vietnam_day(service.clock.now())
    operators = {
        link.operator for link in service.links.all() if link.state is not LinkState.TERMINATED
    }
    found = [
        {"operator": operator, "problem": "no price of messages to us is in force"}
        for operator in sorted(operators)
        if known.to_citizen(operator, today) is None
    ] + [
        {"operator": each.operator, "problem": f"the price from {each.valid_from} ends on "
         f"{each.valid_to}, and none follows"}
        for each in unfollowed(known.all, today)
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(found))
    else:
        for each in found:
            click.echo(f"{each['operator']}: {each['problem']}")
    if found:
        sys.exit(DIFFERENT)


def _plan(session: "Session", rows: "list[Row]", today: "date", *, correct: bool) -> "Plan":
    from billing import statements, tariff_file, tariffs

    known, sent = tariffs.load(session).all, statements.sent_months(session)
    return tariff_file.plan(known, rows, today, correct=correct, sent=sent)


def _imported(
    service: Service, name: str, content: bytes, rows: "list[Row]", today: "date", *, correct: bool
) -> "Plan":
    import hashlib

    from billing import tariffs
    from cli import acting
    from cli.confirming import confirmed
    from console.access.roles import Right

    # What would be refused anyway is refused before a password is asked.
    service.database.read(lambda s: _plan(s, rows, today, correct=correct))
    officer = confirmed(service, name, Right.MAKE_STATEMENTS, "set prices")

    def work(session: "Session") -> "tuple[Plan, dict[str, PayloadValue] | None]":
        plan = _plan(session, rows, today, correct=correct)
        if not plan.changes:
            return plan, None
        tariffs.store(session, tariffs.load(session).all, plan.after)
        return plan, {
            "act": "tariff-import",
            "file_digest": hashlib.sha256(content).hexdigest(),
            "added": plan.added,
            "ended": plan.ended,
            "corrected": plan.corrected,
        }

    return acting.perform_told(service, officer.actor, work)


def _shown(tariff: "Tariff") -> dict[str, object]:
    told = asdict(tariff)
    told["valid_from"] = tariff.valid_from.isoformat()
    told["valid_to"] = tariff.valid_to and tariff.valid_to.isoformat()
    return told
