"""`billing mapping`: how operators write their call records, and what contracts put up with."""

from pathlib import Path

import click

from cli.acting import perform_told
from cli.billing_files import FILE, OPERATOR, WHO, answering, store_of, told_plainly
from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, UsageFault
from cli.groups import VerbGroup


@click.group("mapping", cls=VerbGroup)
def mapping_group() -> None:
    """Say how an operator writes its call records, for billing makers."""


@mapping_group.command(
    "set",
    short_help="Keep how an operator writes its files.",
    examples=("python app.py billing mapping set mapping.toml --operator viettel --officer lan",),
)
@click.argument("file", type=FILE)
@OPERATOR
@click.option("--officer", "name", required=True, help=WHO)
@pass_service
def set_command(service: Service, file: Path, operator: str, name: str) -> None:
    """Keep a mapping (TOML) in the place of the operator's one before; docs/billing.md has them.

    It decides what is a difference, so a billing maker answers for it.
    """
    from billing.reconciliation import mapping_file

    store = store_of(service, operator)
    with told_plainly(file):
        written = file.read_bytes()[: mapping_file.LONGEST + 1].decode("utf-8", "replace")
        mapping = mapping_file.parse(written)
    if store.mapping_text() == written:
        click.echo("it is there already", err=True)
        return
    actor = answering(service, name)
    said = {"act": "cdr-mapping", "operator": operator, "digest": mapping.digest}
    perform_told(service, actor, lambda _: (None, said))
    store.set_mapping(written)
    click.echo(f"kept the mapping of {operator}", err=True)


@mapping_group.command(
    "show",
    short_help="Print how an operator writes its files.",
    examples=("python app.py billing mapping show --operator viettel > mapping.toml",),
)
@OPERATOR
@pass_service
def show_command(service: Service, operator: str) -> None:
    """Print the mapping of an operator as it was given."""
    written = store_of(service, operator).mapping_text()
    if written is None:
        raise UsageFault(f"{operator} has no mapping: `billing mapping set` keeps one", NOT_ALLOWED)
    click.echo(written, nl=False)
