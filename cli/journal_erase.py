"""`journal erase`: openings erased before their time, by three officers, and those that expired."""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

import click

from cli.confirming import confirmed
from cli.context import Service, pass_service
from cli.groups import OptionIn, VerbGroup
from cli.journal_targets import CLASSES, checked, month
from cli.progress import Progress

if TYPE_CHECKING:
    from journal.erasures import Erasures
    from journal.expiry import Expiry

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_YES = click.option("--yes", is_flag=True, help="Do not ask.")
_OFFICER = click.option(
    "--officer", "name", required=True, help="Who does it; password and code are asked."
)
_WHAT = "What, one of"
_PLAN_CITIZEN = """\
python app.py journal erase plan --citizen - --officer lan \\
  --basis "Law 91/2025, article 14" --reason "case 12/2026\""""
_PLAN_MONTH = """\
python app.py journal erase plan --months 2026-03 --class lookup --officer lan \\
  --basis "decision 7/2026" --reason "made by a test of the operator\""""


@click.group("erase", cls=VerbGroup, short_help="Erase openings, by order or by age.")
def erase_group() -> None:
    """Erase what entries say, and never the entries: the journal verifies on.

    One officer plans, two others approve, anybody runs. What expired by its class goes by itself.
    """


@erase_group.command(
    "plan",
    short_help="Say what would go, for others to approve.",
    examples=(_PLAN_CITIZEN, _PLAN_MONTH),
)
@click.option(
    "--citizen",
    cls=OptionIn,
    section=_WHAT,
    type=click.File(),
    help="Entries about a citizen: file with the personal number, - asks for it.",
)
@click.option(
    "--phone",
    cls=OptionIn,
    section=_WHAT,
    type=click.File(),
    help="What was asked from a telephone: file with the number; goes with --citizen or alone.",
)
@click.option("--months", cls=OptionIn, section=_WHAT, help="As 2026-03 or 2026-03..2026-05.")
@click.option(
    "--entry",
    "entries",
    cls=OptionIn,
    section=_WHAT,
    multiple=True,
    type=click.IntRange(0),
    help="Number of a leaf; may be given again.",
)
@click.option("--class", "of_class", type=click.Choice(CLASSES), help="Of the months, this class.")
@click.option(
    "--part",
    type=click.Choice(["identity", "all"]),
    default="identity",
    show_default=True,
    help="Who it was about, or what was done as well.",
)
@click.option("--basis", required=True, help="The law or decision it rests on.")
@click.option("--reason", required=True, help="Case number and the like; of no citizen.")
@_OFFICER
@_AS_JSON
@pass_service
def plan(service: Service, /, *, name: str, as_json: bool, **options: object) -> None:
    """Find what would go, and keep the plan for two others to approve; nothing goes yet."""
    from cli.journal_orders import target_of, tell
    from console.access.roles import Right
    from journal.cover import Part

    basis, reason = (checked(f"--{each}", str(options[each])) for each in ("basis", "reason"))
    target, part = target_of(service, options), Part(str(options["part"]))
    by = confirmed(service, name, Right.PLAN_ERASURE, "plan an erasure").actor
    order = _erasures(service).plan(target, part, basis=basis, reason=reason, by=by)
    tell(order, as_json=as_json)


@erase_group.command(
    "approve",
    short_help="Agree to a plan; two officers must.",
    examples=("python app.py journal erase approve 3 --officer minh",),
)
@click.argument("number", type=int)
@_OFFICER
@_YES
@_AS_JSON
@pass_service
def approve(service: Service, /, *, number: int, name: str, yes: bool, as_json: bool) -> None:
    """Agree to exactly what the plan says; whoever planned or approved it already cannot."""
    from cli.journal_orders import ask, tell
    from console.access.roles import Right

    erasures = _erasures(service)
    ask(erasures, number, "Approve this?", yes=yes)
    officer = confirmed(service, name, Right.APPROVE_ERASURE, "approve an erasure")
    tell(erasures.approve(number, by=officer.actor), as_json=as_json)


@erase_group.command(
    "run",
    short_help="Erase what two officers approved.",
    examples=("python app.py journal erase run 3", "python app.py journal erase run 3 --yes"),
)
@click.argument("number", type=int)
@_YES
@_AS_JSON
@pass_service
def run(service: Service, /, *, number: int, yes: bool, as_json: bool) -> None:
    """Erase, with an entry that covers each batch; interrupted, run it again to go on.

    May be run while the service runs. There is no way back but a backup, and after a restore
    `journal erase again` erases it once more.
    """
    from cli.journal_orders import ask, tell

    erasures = _erasures(service)
    order = ask(erasures, number, "Erase this for ever?", yes=yes)
    with Progress("entries", order.counts["leaves"], service.clock) as progress:
        done = erasures.run(
            number, by=service.person, progress=lambda count: progress.tell(count, count)
        )
    tell(done, as_json=as_json)


@erase_group.command(
    "cancel",
    short_help="Drop a plan.",
    examples=("python app.py journal erase cancel 3",),
)
@click.argument("number", type=int)
@_AS_JSON
@pass_service
def cancel(service: Service, /, *, number: int, as_json: bool) -> None:
    """Drop a plan; what was erased already stays erased."""
    from cli.journal_orders import tell

    tell(_erasures(service).cancel(number, by=service.person), as_json=as_json)


@erase_group.command(
    "list",
    short_help="List the plans.",
    examples=("python app.py journal erase list --json",),
)
@_AS_JSON
@pass_service
def list_orders(service: Service, /, *, as_json: bool) -> None:
    """List the plans, what became of them, and by whom."""
    from cli.journal_orders import describe, row_of

    found = _erasures(service).all()
    if as_json:
        click.echo(json.dumps([row_of(order) for order in found], ensure_ascii=False))
        return
    for order in found:
        describe(order)
    if not found:
        click.echo("nothing was planned yet", err=True)


@erase_group.command(
    "again",
    short_help="After a restore: erase what came back.",
    examples=("python app.py journal erase again",),
)
@_AS_JSON
@pass_service
def again(service: Service, /, *, as_json: bool) -> None:
    """Erase once more what was erased or has expired, and a backup brought back."""
    from journal.returned import erase_again

    count = erase_again(service.database, service.journal)
    expired = _expiry(service).run(whole=True)
    if as_json:
        click.echo(json.dumps({"erased": count, "expired": expired.openings}))
    else:
        click.echo(f"erased again: {count} entries; expired: {expired.openings} openings")


@erase_group.command(
    "status",
    short_help="Show this machine's month keys.",
    examples=("python app.py journal erase status",),
)
@_AS_JSON
@pass_service
def status(service: Service, /, *, as_json: bool) -> None:
    """Show from which month on openings can still be read here, and what should be gone."""
    from journal import retention

    now, rows = service.clock.now(), []
    for kind, part, purpose in retention.chains():
        chain = service.keyring.month_keys.chains()[purpose]
        expired = chain.readable(retention.expired_through(kind, part, now))
        rows.append((kind, part, chain.start, sorted(chain.kept), sorted(expired)))
    if as_json:
        names = ("class", "part", "from", "kept", "expired")
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows]))
        return
    for kind, part, start, kept, expired_ones in rows:
        click.echo(
            f"{kind:<7} {part:<9} readable from {month(start)}"
            f"{_listed('; also', kept)}{_listed('; HAS EXPIRED:', expired_ones)}"
        )


def _listed(word: str, months: Collection[int]) -> str:
    return f"{word} {', '.join(map(month, months))}" if months else ""


def _erasures(service: Service) -> "Erasures":
    from journal.erasures import Erasures

    return Erasures(service.database, service.journal, service.keyring, service.clock)


def _expiry(service: Service) -> "Expiry":
    from journal.expiry import Expiry

    return Expiry(service.database, service.journal, service.keyring, service.clock)
