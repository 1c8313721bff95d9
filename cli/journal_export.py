"""`journal export`: the log in files, for auditors and courts; opened as far as is asked for."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.context import Service, pass_service
from cli.exits import INTEGRITY, NOT_ALLOWED, USAGE, UsageFault
from cli.groups import OptionIn, Verb
from cli.log_keys import log_key
from cli.progress import Progress

if TYPE_CHECKING:
    from journal.disclosure import Grounds, Selection
    from journal.export import Exported, Openings, Plan
    from journal.sinks import Sink

_OPENING = "To open entries"
_LONGEST = 200
_WHOLE = "python app.py journal export audit-2026"
_TAR = "python app.py journal export --tar - | ssh auditor.example.vn 'cat > tradan.tar'"
_OPENED = """\
python app.py journal export case-17 --from 120000 --to 180000 --open 7F3K-92TX-2VHD-WR5T \\
  --open admin --reason "order of the court" --receiver "Toà án Hà Nội" --case 17/2026"""


@click.command(
    "export",
    cls=Verb,
    short_help="Write the log to files.",
    examples=(_WHOLE, _TAR, _OPENED),
)
@click.argument("dest", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--tar", "is_tar", is_flag=True, help="Write one tar; DEST may be - for stdout.")
@click.option("--from", "first", type=click.IntRange(0), metavar="SEQ", help="From this entry on.")
@click.option("--to", "last", type=click.IntRange(0), metavar="SEQ", help="Up to this entry.")
@click.option(
    "--open", "selected", multiple=True, metavar="SELECTION", cls=OptionIn, section=_OPENING,
    help="SEQ, SEQ-SEQ, a receipt, a kind of entry, or @FILE of such lines.",
)  # fmt: skip
@click.option("--reason", metavar="TEXT", cls=OptionIn, section=_OPENING, help="Why; name nobody.")
@click.option(
    "--receiver", metavar="TEXT", cls=OptionIn, section=_OPENING, help="Which body gets it."
)
@click.option(
    "--case", metavar="TEXT", cls=OptionIn, section=_OPENING, help="Number of the case, if any."
)
@click.option(
    "--acts-only", is_flag=True, cls=OptionIn, section=_OPENING, help="Not whom they are about."
)
@click.option(
    "--embargo-until", type=click.DateTime(["%Y-%m-%d"]), cls=OptionIn, section=_OPENING,
    help="With one person: not to be told them before.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@pass_service
def export_command(
    service: Service,
    /,
    *,
    dest: Path,
    is_tar: bool,
    first: int | None,
    last: int | None,
    selected: tuple[str, ...],
    as_json: bool,
    **grounds: object,
) -> None:
    """Write the log to DEST, for auditors, courts and whoever keeps a copy.

    DEST is a folder that anybody verifies with the log's public key. Broken off, it goes on when
    the same is typed again. --open discloses what entries say of whom, and leaves an entry that
    says so, sealed before the first opening is written; in a @FILE, `person:ID` selects every entry
    about one person.

    Ends 0 when all is written, 3 when the database lacks some of it (`journal verify` says what).
    """
    from core.errors import UnavailableError
    from journal.errors import ExportError

    try:
        exported = _export(service, dest, (first, last), selected, is_tar=is_tar, **grounds)
    except ExportError as error:
        raise UsageFault(str(error), USAGE) from error
    except (UnavailableError, KeyboardInterrupt):
        if not is_tar:
            click.echo("What is written stays; type the same again to go on.", err=True)
        raise
    _tell(exported, to_stderr=str(dest) == "-", as_json=as_json)
    if exported.missing:
        sys.exit(INTEGRITY)


def _export(
    service: Service,
    dest: Path,
    bounds: tuple[int | None, int | None],
    selected: Sequence[str],
    *,
    is_tar: bool,
    **grounds: object,
) -> "Exported":
    from journal.disclosure import select
    from journal.export import Export, decide, see_fit

    selection = select(_words(selected)) if selected else None
    why = _grounds(service, selection, **grounds)  # type: ignore[arg-type]  # click gives the options their types
    policy = _policy(service)
    with ExitStack() as stack:
        sink = stack.enter_context(_sink(service, dest, is_tar=is_tar))
        plan = decide(service.database, *bounds)
        see_fit(service.database, sink, plan)
        openings, total = None, 0
        if selection and why:
            openings = _disclose(service, plan, selection, why)
            plan, total = decide(service.database, *bounds, opens=True), openings.count
        bar = stack.enter_context(Progress("entries", plan.entries + total, service.clock))
        export = Export(service.database, sink, plan, lambda done, _: bar.tell(done, done))
        return export.run(log_key(service), policy=policy, openings=openings)


def _words(selected: Sequence[str]) -> list[str]:
    """Return what is selected, reading the files that are named."""
    from journal.disclosure import is_secret

    words: list[str] = []
    for word in selected:
        if word.startswith("@"):
            path = Path(word[1:])
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise UsageFault(f"{path} cannot be read: see that it is text", USAGE) from error
            words.extend(line.strip() for line in lines if line.strip())
        elif is_secret(word):
            raise UsageFault(
                "a person must not be named on a command line, which others can see: put the line "
                "into a file, and give --open @FILE",
                USAGE,
            )
        else:
            words.append(word)
    return words


def _grounds(
    service: Service,
    selection: "Selection | None",
    *,
    reason: str | None,
    receiver: str | None,
    case: str | None,
    acts_only: bool,
    embargo_until: datetime | None,
) -> "Grounds | None":
    from core.clock import VIETNAM
    from journal.disclosure import Grounds

    if selection is None:
        if reason or receiver or case or acts_only or embargo_until:
            raise UsageFault("--open is missing: nothing else is disclosed for a reason", USAGE)
        return None
    if reason is None:
        raise UsageFault("--open discloses, and is journalled: say why with --reason", USAGE)
    if embargo_until and not selection.person:
        raise UsageFault("--embargo-until is about one person: select person:ID in a file", USAGE)
    return Grounds(
        by=service.person,
        reason=_one_line("--reason", reason),
        case=None if case is None else _one_line("--case", case),
        receiver=None if receiver is None else _one_line("--receiver", receiver),
        acts_only=acts_only,
        embargo_until=embargo_until.replace(tzinfo=VIETNAM) if embargo_until else None,
    )


def _one_line(option: str, text: str) -> str:
    text = text.strip()
    if not (0 < len(text) <= _LONGEST and text.isprintable()):
        raise UsageFault(f"{option} must be one line of 1 to {_LONGEST} characters", USAGE)
    return text


@contextmanager
def _sink(service: Service, dest: Path, *, is_tar: bool) -> "Iterator[Sink]":
    from journal import files
    from journal.sinks import DirectorySink, TarSink

    now = service.clock.now()
    if not is_tar:
        if str(dest) == "-":
            raise UsageFault("a folder cannot be written to stdout: give --tar", USAGE)
        yield DirectorySink(dest)
    elif str(dest) == "-":
        if sys.stdout.isatty():
            raise UsageFault("stdout is a terminal: name a file, or pipe it somewhere", USAGE)
        yield TarSink(sys.stdout.buffer, now)
    else:
        if dest.exists():
            raise UsageFault(f"{dest} is there already: name another file", NOT_ALLOWED)
        with files.whole(dest, 0o600) as file:
            yield TarSink(file, now)


def _disclose(
    service: Service, plan: "Plan", selection: "Selection", grounds: "Grounds"
) -> "Openings":
    """Journal what is to be opened, have that sealed, and return what opens it."""
    from cli import acting
    from journal import disclosure
    from journal.export import Openings

    database, keyring = service.database, service.keyring
    chosen = disclosure.choose(database, keyring, selection, plan.first, plan.last)
    with Progress("entries counted", plan.last + 1, service.clock) as bar:
        counted = disclosure.count(database, chosen, lambda seq: bar.tell(seq + 1, seq + 1))
    if not counted.count:
        raise UsageFault("nothing of what is exported is selected: nothing was written", USAGE)
    size = plan.published.head.size
    draft = disclosure.draft(selection, chosen, counted, grounds, size)
    acting.perform_as(service, draft, lambda _: None)
    click.echo(f"{counted.count} entries are opened; the journal says so", err=True)
    return Openings(
        counted.count,
        lambda: disclosure.lines(database, keyring, chosen, acts_only=grounds.acts_only),
    )


def _policy(service: Service) -> bytes | None:
    path = service.settings.witness_policy
    # Whoever gets the export reads it: what is no policy is said here, and not given away.
    return None if path is None or service.policy is None else path.read_bytes()


def _tell(exported: "Exported", *, to_stderr: bool, as_json: bool) -> None:
    plan = exported.plan
    shown = {
        "origin": plan.published.origin,
        "size": plan.published.head.size,
        "root": plan.published.head.root.hex(),
        "from": plan.first,
        "to": plan.last,
        "entries": plan.entries,
        "files": exported.files,
        "openings": exported.openings,
        "missing": exported.missing,
    }
    if as_json:
        click.echo(json.dumps(shown), err=to_stderr)
    else:
        click.echo("\n".join(f"{name:<9} {value}" for name, value in shown.items()), err=to_stderr)
    if exported.missing:
        click.echo("some of it is missing: `python app.py journal verify` says what", err=True)
