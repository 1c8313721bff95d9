"""`journal roles`: who may do what to the journal's tables, on PostgreSQL."""

import re

import click

from cli.exits import USAGE, UsageFault
from cli.groups import Verb

_NAME = re.compile("[a-z][a-z0-9_]{0,40}")


@click.command(
    "roles",
    cls=Verb,
    short_help="Print the roles of PostgreSQL.",
    examples=(
        "python app.py journal roles | psql tradan",
        "python app.py journal roles --login tradan",
    ),
)
@click.option("--prefix", default="tradan", show_default=True, help="Begins the roles' names.")
@click.option("--login", metavar="ROLE", help="Also grant them to who the service logs in as.")
def roles_command(prefix: str, login: str | None) -> None:
    """Print the SQL that parts writer, sealer and eraser, for who administers PostgreSQL.

    To be run by the owner of the tables, again after each upgrade. The service then logs in as
    somebody else, who owns no table.
    """
    from journal import roles

    if not _NAME.fullmatch(prefix) or not (login is None or _NAME.fullmatch(login)):
        raise UsageFault("a role is named by small letters, digits and underscores", USAGE)
    for statement in roles.statements(prefix):
        click.echo(f"{statement};")
    if login:
        click.echo(f"GRANT {prefix}_writer, {prefix}_sealer, {prefix}_eraser TO {login};")
