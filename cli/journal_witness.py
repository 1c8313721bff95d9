"""`journal witness`: name the journal's witnesses, ask them, tell how they stand, be one."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.context import Service, pass_service
from cli.exits import FAILED, INTEGRITY, NOT_ALLOWED, UNAVAILABLE, USAGE, UsageFault
from cli.groups import VerbGroup

if TYPE_CHECKING:
    from journal.policy import Policy, Witness
    from journal.quorum import Witnessed
    from journal.witness_client import Refusal
    from journal.witnessing import Asked

_WHY = {
    "unreachable": "does not answer: see that it runs and that the URL is right",
    "malformed": "calls our request malformed: it may not speak C2SP tlog-witness",
    "untrusted-key": "does not know our log's key: have its body put our log line in",
    "unknown-log": "does not know our log: have its body put our log line in",
    "rewritten": "HAS SEEN ANOTHER HISTORY of this log than ours: find out why, change nothing",
    "ahead": "HAS SEEN MORE of this log than we have: was the database restored?",
    "overtaken": "was asked by another process meanwhile: ask again",
    "no-cosignature": "answered without a cosignature by its key in the policy: compare the keys",
    "clock": "dates its cosignature over 5 minutes off: compare its clock with ours",
    "unexpected": "answered something that the protocol does not know",
}
_ADD = """\
python app.py journal witness add archive --url https://witness.archive.example.vn \\
  --key "archive.example.vn/w+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2\""""
_SERVE = """\
python app.py journal witness serve --dir /var/lib/witness --name archive.example.vn/w \\
  --policy /etc/witness.policy --bind 127.0.0.1:8700"""
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("witness", cls=VerbGroup, short_help="Other bodies that stand behind the journal.")
def witness_group() -> None:
    """Other bodies that remember the journal's checkpoints and sign that they continue."""


@witness_group.command("add", short_help="Name a witness in the policy.", examples=(_ADD,))
@click.argument("name")
@click.option("--key", required=True, metavar="VKEY", help="Its key, as its body gave it to you.")
@click.option("--url", required=True, help="Where it takes checkpoints: https://HOST[/PATH].")
@click.option(
    "--quorum", type=click.IntRange(1), metavar="K", help="How many are enough  [over half]"
)
@pass_service
def add(service: Service, /, *, name: str, key: str, url: str, quorum: int | None) -> None:
    """Name a witness in the file of TRADAN_WITNESS_POLICY, for the engineer.

    Makes the file if there is none. NAME is what the policy calls the witness; nobody else does.
    """
    from core.settings import public_url
    from journal import policy_file
    from journal.cosignature import WitnessKey
    from journal.errors import NoteError, PolicyError
    from journal.policy import Witness, parse

    path = _policy_path(service)
    try:
        new = Witness(name, WitnessKey.parse(key), public_url(url))
    except NoteError as error:
        told = "--key must be the witness's key, name+id+base64, of type 04 (Ed25519)."
        raise UsageFault(told, USAGE) from error
    except ValueError as error:
        raise UsageFault("--url must be https://… (http:// for loopback hosts).", USAGE) from error
    journal = service.open_journal(None)
    log_key = journal.verifier_key
    journal.close()
    try:
        before = path.read_bytes() if path.exists() else None
        made = policy_file.with_witness(before, new, log_key, quorum)
    except PolicyError as error:
        raise UsageFault(f"{path} was left as it is: {error}", USAGE) from error
    policy_file.replace(path, made)
    click.echo(_rule(parse(made)))
    click.echo(
        f"Give the body that runs {name} this line for its own policy: log {log_key}\n"
        "Then: python app.py journal witness push, and start the service again.",
        err=True,
    )


@witness_group.command(
    "push",
    short_help="Have the newest checkpoint cosigned now.",
    examples=("python app.py journal witness push",),
)
@pass_service
def push(service: Service, /) -> None:
    """Ask every witness now, for the engineer; `run` does the same once a minute.

    Ends 0 when a quorum stands behind the newest checkpoint, 3 when a witness contradicts us, 69
    when too few answered.
    """
    from core import log
    from journal.witness_client import HttpPost
    from journal.witnessing import Witnessing

    log.configure(json=not sys.stderr.isatty())
    policy = _policy(service)
    head = service.database.read(service.journal.head)
    asker = Witnessing(service.database, policy, service.clock, HttpPost())
    after = asker.push()
    for witness, asked in after.items():
        click.echo(_line(witness, asked, service.clock.now()))
    refusals = [asked.refusal for asked in after.values()]
    if any(refusal is not None and refusal.contradicts for refusal in refusals):
        sys.exit(INTEGRITY)
    witnessed = service.database.read(service.journal.witnessed)
    stands = all(refusal is None for refusal in refusals)
    if witnessed is not None:
        stands = witnessed.size is not None and witnessed.size >= head.size
    if not stands:
        sys.exit(UNAVAILABLE)


@witness_group.command(
    "status",
    short_help="Tell how the witnesses stand.",
    examples=("python app.py journal witness status --json",),
)
@_JSON
@pass_service
def status(service: Service, /, *, as_json: bool) -> None:
    """Tell what each witness cosigned last and how old the quorum is, for who keeps it running.

    Asks nobody. Ends 0, or 1 when the quorum is late (10 minutes) or missing (4 hours).
    """
    from journal.witness_client import HttpPost
    from journal.witnessing import Witnessing

    policy, now = _policy(service), service.clock.now()
    witnessed = service.database.read(service.journal.witnessed)
    standing = Witnessing(service.database, policy, service.clock, HttpPost()).standing()
    if as_json:
        shown = [_shape(witness, asked) for witness, asked in standing.items()]
        click.echo(json.dumps({"quorum": _quorum(witnessed, now), "witnesses": shown}))
    else:
        for witness, asked in standing.items():
            click.echo(_line(witness, asked, now))
        click.echo(_told(witnessed, now))
    if witnessed is not None and witnessed.is_late(now):
        sys.exit(FAILED)


@witness_group.command("serve", short_help="Be a witness of other logs.", examples=(_SERVE,))
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", required=True, help="Its name for good: HOST/PATH, without https://.")
@click.option(
    "--policy", "policy_path", required=True, type=_FILE, help="Whose log lines it serves."
)
@click.option("--bind", default="127.0.0.1:8700", show_default=True, metavar="HOST:PORT")
def serve(*, folder: Path, name: str, policy_path: Path, bind: str) -> None:
    """Be a witness of other logs, for another body; needs no deployment of its own.

    Makes key and memory in an empty DIR, and prints the witness's key. Keep a copy of the key;
    never put an older copy of the memory back.
    """
    from cli import claims, witness_door
    from core.errors import SettingsError
    from core.settings import bind_of
    from journal import policy, witness_state
    from journal.errors import PolicyError

    try:
        address = bind_of(bind)
        logs = policy.load(policy_path).logs
    except PolicyError as error:
        raise SettingsError([f"{policy_path}: {fault}" for fault in error.faults]) from error
    except ValueError as error:
        raise UsageFault("--bind must be HOST:PORT.", USAGE) from error
    if not logs:
        raise UsageFault(f"{policy_path} has no log line, so there is nobody to serve.", USAGE)
    claims.see_free(address, "--bind")
    state = witness_state.open_state(folder, name)
    click.echo(str(state.cosigner.key))
    click.echo(f"witness of {', '.join(each.key.name for each in logs)}, on {address}", err=True)
    witness_door.serve(folder, name, policy_path, address)


def _policy_path(service: Service) -> Path:
    path = service.settings.witness_policy
    if path is None:
        raise UsageFault(
            "TRADAN_WITNESS_POLICY names no file: set it to where the policy is to be.", NOT_ALLOWED
        )
    return path


def _policy(service: Service) -> "Policy":
    _policy_path(service)
    policy = service.policy
    if policy is None or not policy.witnesses:
        hint = "add one: python app.py journal witness add --help"
        raise UsageFault(f"The policy names no witness: {hint}", NOT_ALLOWED)
    return policy


def _rule(policy: "Policy") -> str:
    if policy.quorum is None:
        return f"{len(policy.witnesses)} witnesses, of which none is demanded"
    group = next((each for each in policy.groups if each.name == policy.quorum), None)
    if group is None:
        return f"{policy.quorum} alone is the quorum"
    return f"{group.threshold} of {len(group.members)} witnesses are the quorum"


def _line(witness: "Witness", asked: "Asked | None", now: datetime) -> str:
    if asked is None:
        return f"{witness.name:<16} never asked"
    last = "nothing cosigned"
    if asked.cosigned_at is not None:
        last = f"{asked.size}, {_age(asked.cosigned_at, now)} ago"
    return f"{witness.name:<16} {last:<24} {_why(asked.refusal)}".rstrip()


def _why(refusal: "Refusal | None") -> str:
    return "" if refusal is None else _WHY[refusal]


def _told(witnessed: "Witnessed | None", now: datetime) -> str:
    if witnessed is None:
        return "The policy demands no quorum."
    if witnessed.size is None:
        return f"No quorum yet, {_age(witnessed.at, now)} after the log began."
    late = ""
    if witnessed.is_missing(now):
        late = ": NOTHING IS DISCLOSED until there is a new one"
    elif witnessed.is_late(now):
        late = ": over 10 minutes; after 4 hours nothing is disclosed"
    return f"Last quorum at size {witnessed.size}, {_age(witnessed.at, now)} ago{late}."


def _quorum(witnessed: "Witnessed | None", now: datetime) -> dict[str, object]:
    if witnessed is None:
        return {"state": "none", "size": None, "at": None, "age_seconds": None}
    state = "missing" if witnessed.is_missing(now) else "late" if witnessed.is_late(now) else "fine"
    return {
        "state": state,
        "size": witnessed.size,
        "at": None if witnessed.size is None else witnessed.at.isoformat(),
        "age_seconds": int((now - witnessed.at).total_seconds()),
    }


def _shape(witness: "Witness", asked: "Asked | None") -> dict[str, object]:
    cosigned_at = asked.cosigned_at if asked else None
    return {
        "name": witness.name,
        "key": str(witness.key),
        "url": witness.url,
        "size": asked.size if asked else None,
        "cosigned_at": cosigned_at.isoformat() if cosigned_at else None,
        "asked_at": asked.at.isoformat() if asked else None,
        "refusal": asked.refusal if asked else None,
    }


def _age(at: datetime, now: datetime) -> str:
    seconds = max(int((now - at).total_seconds()), 0)
    minutes, hours = seconds // 60, seconds // 3600
    if seconds < 120:  # noqa: PLR2004 (two minutes)
        return f"{seconds} s"
    return f"{minutes} min" if hours < 2 else f"{hours} h"  # noqa: PLR2004 (two hours)
