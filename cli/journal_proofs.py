"""`journal prove`, `verify-proof` and `compare`: what one entry, or two checkpoints, come to."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

import click

from cli.context import Service, pass_service
from cli.exits import FAILED, NOT_ALLOWED, USAGE, UsageFault
from cli.groups import Verb
from cli.log_keys import log_key, log_keys

if TYPE_CHECKING:
    from journal.comparison import Comparison, Side
    from journal.tlog_proof import Wanted

LIVE = "live"
_FILE = click.Path(path_type=Path, dir_okay=False)
_KEY = click.option(
    "--key", "given", multiple=True, metavar="VKEY", help="The log's key, ORIGIN+ID+KEY  [our own]"
)
_OUT = click.option(
    "--out", type=_FILE, metavar="FILE", help="Where to write it  [standard output]"
)


@click.command(
    "prove",
    cls=Verb,
    short_help="Prove that an entry is in it.",
    examples=(
        "python app.py journal prove 7F3K-92TX-2VHD-WR5T --out receipt.tlog-proof",
        "python app.py journal prove 120455",
    ),
)
@click.argument("entry", metavar="RECEIPT|SEQ|ENTRY-ID")
@_OUT
@pass_service
def prove_command(service: Service, /, *, entry: str, out: Path | None) -> None:
    """Write the proof that an entry is in the journal, for a citizen, a lawyer or a court.

    It holds the entry's leaf, the way up to the root, and the checkpoint: the newest one that a
    quorum of witnesses cosigned, where a policy demands one and it covers the entry. Anybody checks
    it with verify_journal.py and the log's key.
    """
    from journal import tlog_proof
    from journal.errors import UnsealedError

    wanted, checkpoint = _wanted(service, entry), _cosigned(service)
    try:
        try:
            proof = service.database.read(lambda s: tlog_proof.prove(s, wanted, checkpoint))
        except UnsealedError:
            proof = service.database.read(lambda s: tlog_proof.prove(s, wanted))
    except UnsealedError as error:
        hint = "see that it is typed as it was told; what is new takes a moment to be sealed"
        raise UsageFault(f"No entry in the journal is {entry}: {hint}", NOT_ALLOWED) from error
    _write(proof, out)


@click.command(
    "verify-proof",
    cls=Verb,
    short_help="Check a proof of one entry.",
    examples=(
        "python app.py journal verify-proof receipt.tlog-proof",
        "python app.py journal verify-proof receipt.tlog-proof --key VKEY --policy witnesses.txt",
    ),
)
@click.argument("proof", type=_FILE)
@_KEY
@click.option("--policy", type=_FILE, metavar="FILE", help="Whose cosignatures it must have.")
@click.option("--leaf", type=_FILE, metavar="FILE", help="The leaf, where the proof holds none.")
@click.option("--openings", type=_FILE, metavar="FILE", help="What is disclosed of the entry.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_service
def verify_proof_command(
    service: Service, /, *, proof: Path, given: tuple[str, ...], as_json: bool, **files: Path | None
) -> None:
    """Check a proof of one entry with verify_journal.py, which shares no code with the journal.

    Ends 0 when it holds, 1 when it does not, 3 when not everything could be checked.
    """
    words = [str(proof)]
    for name, path in files.items():
        words += [] if path is None else [f"--{name}", str(path)]
    # The checkpoint may be of any time, and so may be the key that signed it.
    keys = [str(key) for key in log_keys(service, given)]
    run_verifier(service, words, keys, as_json=as_json)


@click.command(
    "compare",
    cls=Verb,
    short_help="Compare two states of the log.",
    examples=(
        "python app.py journal compare last-year.checkpoint live",
        "python app.py journal compare export-of-an export-of-binh --key VKEY --out fork.txt",
    ),
)
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@_KEY
@_OUT
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_service
def compare_command(
    service: Service,
    /,
    *,
    one: str,
    other: str,
    given: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare two states of the log, and tell whether they belong to one history.

    A and B are each the folder of an export or of a mirror, a checkpoint, a proof, or `live` for
    the journal itself. FILE is the proof that one continues the other, or the evidence that they
    do not: a third party checks it with verify_journal.py.

    Ends 0 when they are consistent, 1 when the log forked.
    """
    from journal.comparison import compare, read_side
    from journal.errors import ComparisonError

    keys = log_keys(service, given)
    try:
        sides = [
            _live(service, given) if word == LIVE else read_side(Path(word), keys)
            for word in (one, other)
        ]
        more = [] if given else [_live(service, given)]
        found = compare(sides[0], sides[1], more)
    except ComparisonError as error:
        raise UsageFault(_sentence(error), USAGE) from error
    if out is not None:
        _write(str(found), out)
    _tell(found, as_json=as_json)
    if found.is_fork:
        sys.exit(FAILED)


def run_verifier(
    service: Service, words: list[str], given: Sequence[str], *, as_json: bool
) -> NoReturn:
    """Run verify_journal.py as a third party would, and end as it ends."""
    import verify_journal

    for key in given or (log_key(service),):
        words += ["--key", key]
    sys.exit(verify_journal.main([*words, *(["--json"] if as_json else [])]))


def _wanted(service: Service, entry: str) -> "Wanted":
    from journal import found, receipts
    from journal.tlog_proof import Wanted

    if entry.isascii() and entry.isdecimal():
        return Wanted(seq=int(entry))
    receipt = receipts.read(entry)
    if receipt is not None:
        known = service.database.read(lambda s: found.by_receipt(s, [receipt]))[receipt]
        return Wanted(seq=known[0].index if known else -1)
    try:
        return Wanted(entry_id=UUID(entry))
    except ValueError as error:
        raise UsageFault(
            f"{entry} is neither a receipt (whose last symbol checks the others), nor a number of "
            "an entry, nor an entry's id: type it as it was told",
            USAGE,
        ) from error


def _cosigned(service: Service) -> str | None:
    """Return the newest checkpoint that reached its quorum, if one is demanded."""
    from journal import published
    from journal.quorum import Quorum

    policy = service.policy
    if policy is None or policy.quorum is None:
        return None
    origin = service.database.read(published.newest).origin
    now = service.clock.now()
    last = service.database.read(lambda s: Quorum(policy, origin).last(s, now))
    return last.note + "".join(each.line for each in last.cosignatures) if last.size else None


def _live(service: Service, given: tuple[str, ...]) -> "Side":
    from journal import published
    from journal.comparison import live_tiles, side

    newest = service.database.read(published.newest)
    keys = log_keys(service, given)
    return side("the live journal", newest.note, keys, live_tiles(service.database))


def _tell(found: "Comparison", *, as_json: bool) -> None:
    older, newer = found.older, found.newer
    if as_json:
        said = {
            "consistent": not found.is_fork,
            "older": {"size": older.head.size, "root": older.head.root.hex()},
            "newer": {"size": newer.head.size, "root": newer.head.root.hex()},
            "root": found.root.hex(),
        }
        click.echo(json.dumps(said))
    elif found.is_fork:
        click.echo(
            f"FORK         the first {older.head.size} leaves of {newer.name} are not those of "
            f"{older.name}, and the log signed both"
        )
    else:
        click.echo(
            f"consistent   the {newer.head.size} leaves of {newer.name} continue the "
            f"{older.head.size} of {older.name}"
        )


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
