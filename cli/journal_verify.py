"""`journal verify`: everything that can be checked about the journal, checked."""

import json
import os
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from cli.context import Service, pass_service
from cli.exits import FAILED, INTEGRITY, USAGE, UsageFault
from cli.groups import OptionIn, Verb
from cli.journal_proofs import run_verifier
from cli.log_keys import log_keys
from cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.verifier import Report
    from journal.verifier_log import Remembered

_EXPORT = "To verify an export"
_LESS = "To verify less, and end 3"
_LAST = 19
_ROOT_BYTES = 32


class _Head(click.ParamType["Remembered"]):
    """A tree head, as SIZE:ROOT with the root in hexadecimal."""

    name = "SIZE:ROOT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Remembered":
        from journal.verifier_log import Remembered

        size, _, root = str(value).partition(":")
        try:
            head = Remembered(int(size), bytes.fromhex(root))
        except ValueError:
            head = Remembered(-1, b"")
        if head.size < 0 or len(head.root) != _ROOT_BYTES:
            self.fail("give a size and a root, as `journal head --json` tells them", param, ctx)
        return head


@click.command(
    "verify",
    cls=Verb,
    short_help="Verify every entry.",
    examples=(
        "python app.py journal verify",
        "python app.py journal verify --json",
        "python app.py journal verify --gently --signatures sample",
        "python app.py journal verify export-2026 --remember last-seen.checkpoint",
    ),
)
@click.argument("export", required=False, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--remember", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Require that the log continues the checkpoint in FILE; keep the newer one there.",
)  # fmt: skip
@click.option(
    "--key", "given", multiple=True, metavar="VKEY", cls=OptionIn, section=_EXPORT,
    help="The log's key, ORIGIN+ID+KEY  [our own]",
)  # fmt: skip
@click.option(
    "--policy", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", cls=OptionIn,
    section=_EXPORT, help="Whose cosignatures it must have  [the export's policy.txt]",
)  # fmt: skip
@click.option("--gently", is_flag=True, help="Let everything else on this machine go first.")
@click.option(
    "--signatures", type=click.Choice(["all", "sample", "none"]), default="all",
    show_default=True, cls=OptionIn, section=_LESS, help="Which writers' signatures to check.",
)  # fmt: skip
@click.option(
    "--openings/--no-openings", default=True, show_default=True, cls=OptionIn, section=_LESS,
    help="Whether to open what lies encrypted beside the entries.",
)  # fmt: skip
@click.option(
    "--since", type=_Head(), cls=OptionIn, section=_LESS,
    help="Only what came after this head, up to which all was verified before.",
)  # fmt: skip
@click.option("--child-of", type=int, hidden=True, help="End with this process, and tell it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_service
def verify_command(
    service: Service,
    /,
    *,
    export: Path | None,
    remember: Path | None,
    given: tuple[str, ...],
    policy: Path | None,
    gently: bool,
    signatures: str,
    openings: bool,
    since: "Remembered | None",
    child_of: int | None,
    as_json: bool,
) -> None:
    """Verify every entry, signature, tile and checkpoint of the journal, for auditors.

    Of the live journal, while the service runs or not; or of EXPORT, a folder or tar, by
    verify_journal.py, which needs the log's key and nothing else of ours.

    Ends 0 when everything holds, 1 when something was found, 3 when nothing was found but not
    everything could be verified.
    """
    if child_of is not None:
        from cli.serving import end_with

        end_with(child_of)
    if gently:
        os.nice(_LAST)
    if export is not None:
        words = _words(signatures=signatures, remember=remember, policy=policy)
        run_verifier(service, [str(export), *words], given, as_json=as_json)
    cores = 1 if gently else len(os.sched_getaffinity(0))
    report = _verify(
        service, since, signatures, openings=openings, processes=cores, parent=child_of
    )
    if remember is not None:
        report = _held_to(service, remember, report)
    _end(report, as_json=as_json)


def _words(**options: object) -> "Iterator[str]":
    for name, value in options.items():
        if value is not None:
            yield from (f"--{name}", str(value))


def _end(report: "Report", *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps(_shape(report)))
    else:
        _tell(report)
    if report.findings:
        sys.exit(FAILED)
    sys.exit(INTEGRITY if report.incomplete else 0)


def _held_to(service: Service, path: Path, report: "Report") -> "Report":
    """Hold a report to what is remembered in a file, and remember there what it was about."""
    from journal import remembered
    from journal.audit import found_too
    from journal.errors import NoteError
    from journal.tree import TreeHead

    keys, database = log_keys(service, ()), service.database
    head = TreeHead(report.size, bytes.fromhex(report.root_hex))
    try:
        known = remembered.head_in(path)
    except NoteError as error:
        raise UsageFault(str(error), USAGE) from error
    if known is not None:
        report = found_too(report, remembered.judge(database, keys, *known, head))
    if not report.findings:
        remembered.advance(path, database, keys, head)
    return report


def _verify(
    service: Service,
    since: "Remembered | None",
    signatures: str,
    *,
    openings: bool,
    processes: int,
    parent: int | None,
) -> "Report":
    # Not by way of the service's own journal, which refuses to open one that is not sound.
    from journal.audit import verify_live
    from journal.verifier import Signatures

    settings = service.settings
    with ExitStack() as stack:
        bars: list[Progress] = []

        def progress(done: int, total: int) -> None:
            if not bars:
                bar = Progress("entries", total, service.clock, is_for_program=parent is not None)
                bars.append(stack.enter_context(bar))
            bars[0].tell(done, done)

        return verify_live(
            service.database,
            service.keyring,
            settings.keys_dir,
            settings.state_dir,
            now=service.clock.now(),
            since=since,
            signatures=Signatures(signatures),
            with_openings=openings,
            processes=processes,
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
        "notes": report.notes,
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
    for note in report.notes:
        click.echo(f"NOTE         {note}")
    for left_out in report.incomplete:
        click.echo(f"LEFT OUT     {left_out}")
    if report.findings:
        click.echo("What was found has to be explained: keep the database as it is.", err=True)
    elif not report.incomplete:
        click.echo("Everything holds.")
