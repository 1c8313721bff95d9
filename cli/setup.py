"""`init`: what a deployment needs before it can run."""

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.context import Service, pass_service
from cli.groups import Verb
from core import keys

if TYPE_CHECKING:
    from core.settings import Settings

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_TOLD = ("short_code", "contact_officer", "legal_basis")


@click.command(
    "init",
    cls=Verb,
    examples=(
        "python app.py init",
        "TRADAN_DATABASE_URL=postgresql:///tradan python app.py init",
    ),
)
@pass_service
def init_command(service: Service, /) -> None:
    """Make what a deployment needs, for who installs it; safe to repeat.

    Makes the state folder, the key files (0400) and the database, brings the database up to this
    program, and begins the journal. What is there already stays as it is.
    """
    made = make_deployment(service)
    for line in made:
        click.echo(f"made: {line}")
    if not made:
        click.echo("nothing to do: everything is there")
    _tell_next(service, has_new_keys=any(line.startswith("key ") for line in made))


def make_deployment(service: Service) -> list[str]:
    """Make whatever a deployment lacks, and say what was made."""
    settings = service.settings
    made = []
    if not settings.state_dir.is_dir():
        settings.state_dir.mkdir(parents=True, mode=0o700)
        made.append(f"state folder {settings.state_dir}")
    made += [f"key {settings.keys_dir / name}" for name in keys.create(settings.keys_dir)]
    keys.load(settings.keys_dir)
    made += _make_private(settings)
    made += _migrate(service)
    return made


def _make_private(settings: "Settings") -> list[str]:
    """See that nobody else reads the file of a SQLite database; its neighbours follow its mode."""
    if settings.database_url.get_backend_name() != "sqlite":
        return []
    path = Path(settings.database_url.database or "")
    made = []
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, mode=0o700)
        made.append(f"folder {path.parent}")
    path.touch(mode=0o600)
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        if file.is_file() and file.stat().st_mode & _OTHERS:
            file.chmod(0o600)
            made.append(f"{file} private: others could read it")
    return made


def _migrate(service: Service) -> list[str]:
    from core import migrate
    from journal.stored import StoredTree

    database = service.raw_database
    before = migrate.current(database)
    is_migrated = migrate.upgrade(database)
    made = [f"{database.dialect} database, at {migrate.head()}"] * (before is None)
    if before is not None and is_migrated:
        made = [f"{database.dialect} database, from {before} to {migrate.head()}"]
    # A journal that is there is not opened: a restored one is refused, and is to be migrated too.
    if database.read(lambda session: StoredTree(session).origin()) is None:
        made.append(f"journal {service.journal.origin}")
    return made


def _tell_next(service: Service, *, has_new_keys: bool) -> None:
    settings = service.settings
    if has_new_keys:
        click.echo(
            f"Keep a copy of {settings.keys_dir} apart from the database: without these keys "
            "nobody can read what it holds.",
            err=True,
        )
    unset = [f"TRADAN_{name.upper()}" for name in _TOLD if not getattr(settings, name)]
    if unset:
        click.echo(f"Not set yet, so citizens are not told: {', '.join(unset)}", err=True)
    if service.links.all():
        click.echo("Next: python app.py run", err=True)
    else:
        click.echo("Next: python app.py operator add --help, then python app.py run", err=True)
