"""`journal key`: the keys that sign the journal's checkpoints, one after another."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import click

from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from cli.groups import VerbGroup

if TYPE_CHECKING:
    from journal.log_keys import LogKeys
    from journal.rotation import Rotation

T = TypeVar("T")

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_YES = click.option("--yes", is_flag=True, help="Do not ask.")
_LONGEST = 200


@click.group("key", cls=VerbGroup, short_help="Change the key that signs the log.")
def key_group() -> None:
    """Change the key that signs the journal's checkpoints, under the eyes of those who verify.

    On one machine `rotate` alone does it. With several: `prepare` on one, copy the file to KEYS_DIR
    of all others, then `rotate`.
    """


@key_group.command(
    "list",
    short_help="Show the keys in force.",
    examples=("python app.py journal key list --json",),
)
@_AS_JSON
@pass_service
def list_keys(service: Service, /, *, as_json: bool) -> None:
    """Show the keys that sign the log now, for those who check its signatures."""
    found = _rotation(service).now()
    held = {key.public for key in found.verifiers if service.journal.held.seed(key.public)}
    rows = [{"key": str(key), "here": key.public in held} for key in found.verifiers]
    if as_json:
        click.echo(json.dumps({"keys": rows, "until": _until(found)}))
        return
    for row in rows:
        click.echo(f"{row['key']}{'' if row['here'] else '   NOT ON THIS MACHINE'}")
    if len(rows) > 1:
        click.echo(f"the first is to sign until {_until(found)}", err=True)


@key_group.command(
    "prepare",
    short_help="Make the next key, and announce nothing.",
    examples=("python app.py journal key prepare",),
)
@pass_service
def prepare(service: Service, /) -> None:
    """Make the next key in KEYS_DIR, for who runs several machines; safe to repeat.

    Nothing signs with it yet. Tell witnesses and auditors what is printed.
    """
    click.echo(_done(_rotation(service).prepare))
    click.echo(
        f"Made in {service.settings.keys_dir}: copy the newest log-….key to every machine, mode "
        "0400. Then: python app.py journal key rotate",
        err=True,
    )


@key_group.command(
    "rotate",
    short_help="Let the next key sign.",
    examples=(
        "python app.py journal key rotate",
        "python app.py journal key rotate --overlap 90 --yes",
    ),
)
@click.option(
    "--overlap",
    type=click.IntRange(1, 730),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="How long the old key signs beside it.",
)
@_YES
@pass_service
def rotate(service: Service, /, *, overlap: int, yes: bool) -> None:
    """Announce the next key by an entry under the old one; running services take it up at once.

    From then on each checkpoint bears both signatures, until a worker retires the old key.
    """
    rotation = _rotation(service)
    key = _done(rotation.prepare)
    click.echo(f"next key: {key}", err=True)
    if not yes:
        click.confirm("Does every machine hold it?", abort=True, err=True)
    found = _done(lambda: rotation.rotate(timedelta(days=overlap), by=service.person))
    click.echo(str(found.newest))
    click.echo(
        f"Both keys sign until {_until(found)}. Give the new one to witnesses and auditors, and "
        "put a copy of its file where the other keys are kept.",
        err=True,
    )


@key_group.command(
    "retire",
    short_help="Let the old key sign no more.",
    examples=(
        "python app.py journal key retire --reason 'overlap over'",
        "python app.py journal key retire --now --reason 'log.key was copied'",
    ),
)
@click.option("--now", "early", is_flag=True, help="Before its time.")
@click.option("--reason", required=True, help="Stands in the entry; of no citizen.")
@_YES
@pass_service
def retire(service: Service, /, *, early: bool, reason: str, yes: bool) -> None:
    """Retire the older of two keys by an entry, and destroy its file; workers do it in time."""
    if len(reason) > _LONGEST or not reason.isprintable():
        raise UsageFault(f"--reason is up to {_LONGEST} printable characters", USAGE)
    if not yes:
        click.confirm("Have witnesses and auditors the new key?", abort=True, err=True)
    gone = _done(lambda: _rotation(service).retire(by=service.person, reason=reason, early=early))
    for name in gone:
        click.echo(f"destroyed: {service.settings.keys_dir / name}")
    click.echo("Destroy every copy of it too. Other machines destroy theirs themselves.", err=True)


def _done(work: Callable[[], T]) -> T:
    from journal.errors import KeyChangeError

    try:
        return work()
    except KeyChangeError as error:
        raise UsageFault(str(error), NOT_ALLOWED) from error


def _until(found: "LogKeys") -> str | None:
    return None if found.until is None else f"{found.until:%Y-%m-%d %H:%M} UTC"


def _rotation(service: Service) -> "Rotation":
    from journal.rotation import Rotation

    return Rotation(service.database, service.journal, service.clock)
