"""`journal`: check the exchange journal, and show where it stands."""

import json
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.context import Service, pass_service
from cli.exits import FAILED, INTEGRITY
from cli.groups import VerbGroup
from cli.journal_export import export_command
from cli.journal_witness import witness_group
from cli.progress import Progress

if TYPE_CHECKING:
    from journal.verifier import Report

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("journal", cls=VerbGroup)
def journal_group() -> None:
    """Check the exchange journal, for auditors."""


journal_group.add_command(export_command)
journal_group.add_command(witness_group)


@journal_group.command(
    "verify",
    short_help="Verify every entry.",
    examples=("python app.py journal verify", "python app.py journal verify --json"),
)
@_AS_JSON
@pass_service
def verify(service: Service, /, *, as_json: bool) -> None:
    """Verify every entry, signature, tile and checkpoint of the journal, for auditors.

    May be run while the service runs. Ends 0 when everything holds, 1 when something was found, 3
    when nothing was found but not everything could be verified.
    """
    report = _verify(service)
    if as_json:
        click.echo(json.dumps(_shape(report)))
    else:
        _tell(report)
    if report.findings:
        sys.exit(FAILED)
    if report.incomplete:
        sys.exit(INTEGRITY)


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


def _verify(service: Service) -> "Report":
    # Not by way of the service's own journal, which refuses to open one that is not sound.
    from journal.audit import verify_live

    settings = service.settings
    with ExitStack() as stack:
        bars: list[Progress] = []

        def progress(done: int, total: int) -> None:
            if not bars:
                bars.append(stack.enter_context(Progress("entries", total, service.clock)))
            bars[0].tell(done, done)

        return verify_live(
            service.database,
            service.keyring,
            settings.keys_dir,
            settings.state_dir,
            now=service.clock.now(),
            progress=progress,
        )


def _shape(report: "Report") -> dict[str, object]:
    return {
        "ok": report.ok and not report.incomplete,
        "size": report.size,
        "root": report.root_hex,
        "entries": report.entries,
        "findings": [asdict(finding) for finding in report.findings],
        "incomplete": report.incomplete,
        "counts": report.counts,
        "checkpoints": report.checkpoints,
        "writers": report.writers,
        "signatures": report.signatures,
    }


def _tell(report: "Report") -> None:
    click.echo(f"entries      {report.entries} of {report.size}")
    click.echo(f"root         {report.root_hex}")
    click.echo(f"checkpoints  {report.checkpoints}")
    click.echo(f"signatures   {report.signatures}, of {len(report.writers)} writers")
    for finding in report.findings:
        where = "" if finding.seq is None else f" at {finding.seq}"
        click.echo(f"FOUND        {finding.code}{where}: {finding.detail}")
    listed = Counter(finding.code for finding in report.findings)
    for code, count in report.counts.items():
        if count > listed[code]:
            click.echo(f"FOUND        {code}: {count - listed[code]} more")
    for left_out in report.incomplete:
        click.echo(f"LEFT OUT     {left_out}")
    if report.findings:
        click.echo("What was found has to be explained: keep the database as it is.", err=True)
    elif not report.incomplete:
        click.echo("Everything holds.")
