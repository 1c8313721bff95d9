"""`init`: what a deployment needs before it can run."""

import click

from cli.context import Service, pass_service
from core import keys


@click.command("init")
@pass_service
def init_command(service: Service) -> None:
    """Make keys (0400), database and state folder, and migrate; safe to repeat.

    Example: python app.py init
    """
    made = make_deployment(service)
    for line in made:
        click.echo(f"made: {line}")
    if not made:
        click.echo("nothing to do: everything is there")


def make_deployment(service: Service) -> list[str]:
    """Make whatever a deployment lacks, and say what was made."""
    from core import migrate

    settings = service.settings
    made = []
    if not settings.state_dir.is_dir():
        settings.state_dir.mkdir(parents=True, mode=0o700)
        made.append(f"state folder {settings.state_dir}")
    made += [f"key {settings.keys_dir / name}" for name in keys.create(settings.keys_dir)]
    keys.load(settings.keys_dir)
    database = service.raw_database
    before = migrate.current(database)
    if migrate.upgrade(database):
        what = "made" if before is None else f"migrated from {before}"
        made.append(f"database {what}, now at {migrate.head()}")
    _ = service.journal
    return made
