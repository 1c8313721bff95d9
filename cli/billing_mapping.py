"""`billing mapping`: how operators write their call records, and what contracts put up with."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.acting import perform_told
from cli.billing_files import FILE, OPERATOR, WHO, answering, store_of, told_plainly
from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, UsageFault
from cli.groups import VerbGroup

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.periods import Period
    from journal.leaf import PayloadValue


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

    It decides what is a difference, so a billing maker answers for it, and what was compared by the
    one before and is not signed is compared again.
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
    with store.held():
        months = _outdate(service, actor, operator, mapping.digest)
        store.set_mapping(written)
    click.echo(f"kept the mapping of {operator}", err=True)
    for period in months:
        click.echo(f"{period} was compared by another: once more, `billing reconcile`", err=True)


def _outdate(service: Service, actor: str, operator: str, digest: str) -> "list[Period]":
    """Journal a mapping, and have what was compared by the one before compared again."""
    from billing import compared

    told: dict[str, PayloadValue] = {
        "act": "cdr-mapping",
        "operator": operator,
        "digest": digest,
    }

    def work(session: "Session") -> "tuple[list[Period], Mapping[str, PayloadValue]]":
        months = compared.outdate_all(session, operator)
        return months, told | ({"outdates": tuple(map(str, months))} if months else {})

    return perform_told(service, actor, work)


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
