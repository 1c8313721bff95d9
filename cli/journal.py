"""`journal`: check the exchange journal, and show where it stands."""

import json

import click

from cli.context import Service, pass_service
from cli.exits import FAILED, INTEGRITY, UsageFault

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("journal")
def journal_group() -> None:
    """Check the exchange journal.

    Exit codes: 0 sound, 1 findings, 3 incomplete.
    """


@journal_group.command("head")
@_AS_JSON
@pass_service
def head(service: Service, *, as_json: bool) -> None:
    """Show the size, root and checkpoint of the tree.

    Example: python app.py journal head --json
    """
    found = service.database.read(service.journal.head)
    shown = {"size": found.size, "root": found.root.hex(), "checkpoint": found.checkpoint}
    click.echo(json.dumps(shown) if as_json else found.checkpoint)
