"""`journal`: check the exchange journal, and show where it stands."""

import json

import click

from cli.context import Service, pass_service
from cli.groups import VerbGroup
from cli.journal_anchor import print_anchor_command
from cli.journal_auditor import auditor_group
from cli.journal_erase import erase_group
from cli.journal_export import export_command
from cli.journal_extract import extract_command
from cli.journal_hold import hold_group
from cli.journal_key import key_group
from cli.journal_proofs import compare_command, prove_command, verify_proof_command
from cli.journal_recover import recover_command
from cli.journal_roles import roles_command
from cli.journal_verify import verify_command
from cli.journal_witness import witness_group

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("journal", cls=VerbGroup)
def journal_group() -> None:
    """Check the exchange journal, for auditors."""


journal_group.add_command(export_command)
journal_group.add_command(auditor_group)
journal_group.add_command(erase_group)
journal_group.add_command(extract_command)
journal_group.add_command(hold_group)
journal_group.add_command(key_group)
journal_group.add_command(recover_command)
journal_group.add_command(roles_command)
journal_group.add_command(verify_command)
journal_group.add_command(prove_command)
journal_group.add_command(verify_proof_command)
journal_group.add_command(compare_command)
journal_group.add_command(witness_group)
journal_group.add_command(print_anchor_command)


@journal_group.command(
    "head",
    short_help="Show where the journal stands.",
    examples=("python app.py journal head --json",),
)
@_AS_JSON
@pass_service
def head(service: Service, /, *, as_json: bool) -> None:
    """Show the size, root and checkpoint of the tree, for whoever keeps one to compare with."""
    found = service.database.read(service.journal.head)
    shown = {"size": found.size, "root": found.root.hex(), "checkpoint": found.checkpoint}
    click.echo(json.dumps(shown) if as_json else found.checkpoint, nl=as_json)
