"""`journal auditor`: who may read entry bundles over HTTP."""

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from cli.groups import VerbGroup

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

T = TypeVar("T")

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_NAME = re.compile("[a-z0-9][a-z0-9.-]{0,63}")


@click.group("auditor", cls=VerbGroup, short_help="Let auditors read entries over HTTP.")
def auditor_group() -> None:
    """Let auditors read the journal's entry bundles over HTTP, or no more.

    Everything here holds at once, and leaves an entry.
    """


@auditor_group.command(
    "add",
    short_help="Let one in, and print their token.",
    examples=("python app.py journal auditor add kiem-toan-nha-nuoc > auditor.token",),
)
@click.argument("name")
@_AS_JSON
@pass_service
def add(service: Service, /, *, name: str, as_json: bool) -> None:
    """Let an auditor in; the token is printed this once, and kept nowhere but as its hash."""
    from journal import auditors

    if not _NAME.fullmatch(name):
        raise UsageFault("NAME must be 1 to 64 of a-z, 0-9, dot and hyphen", USAGE)
    by, now = service.person, service.clock.now()
    token = _acting(service, "auditor-add", name, lambda s: auditors.add(s, name, by, now))
    click.echo(json.dumps({"name": name, "token": token}) if as_json else token)
    click.echo(f"{name} shows it as `Authorization: Bearer TOKEN`", err=True)


@auditor_group.command(
    "list",
    short_help="List them.",
    examples=("python app.py journal auditor list --json",),
)
@_AS_JSON
@pass_service
def list_auditors(service: Service, /, *, as_json: bool) -> None:
    """List the auditors, and who let them in."""
    from journal import auditors

    rows = [
        {"name": each.name, "added_by": each.added_by, "added_at": each.added_at.isoformat()}
        for each in service.database.read(auditors.every)
    ]
    if as_json:
        click.echo(json.dumps(rows))
    elif rows:
        click.echo("\n".join("  ".join(row.values()) for row in rows))
    else:
        click.echo("no auditors yet: see `python app.py journal auditor add --help`", err=True)


@auditor_group.command(
    "remove",
    short_help="Let one in no more.",
    examples=("python app.py journal auditor remove kiem-toan-nha-nuoc",),
)
@click.argument("name")
@pass_service
def remove(service: Service, /, *, name: str) -> None:
    """Let an auditor in no more: their token opens nothing from now on."""
    from journal import auditors

    _acting(service, "auditor-remove", name, lambda session: auditors.remove(session, name))
    click.echo(f"{name} is let in no more")


def _acting(service: Service, act: str, name: str, work: "Callable[[Session], T]") -> T:
    from cli import acting
    from journal.errors import AuditorError

    try:
        return acting.perform(service, act, work, {"auditor": name})
    except AuditorError as error:
        raise UsageFault(str(error), NOT_ALLOWED) from error
