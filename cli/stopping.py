"""`suspend`, `resume`, `state`: the off switch on the command line, whatever else is down."""

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from cli.confirming import confirmed
from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from cli.groups import Verb

if TYPE_CHECKING:
    from records.stops import Order, Scope, Stop

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_ENDED_SHOWN = 5
# So long a database may take to open and to take the stop, which is in force by then.
_PATIENCE_SECONDS = 5.0
# What people give as a reason; the trips give others.
_REASONS = ("security", "misuse", "maintenance", "force-majeure")


@click.command(
    "suspend",
    cls=Verb,
    examples=(
        'python app.py suspend --reason security --note "..."',
        "python app.py suspend --disclosure --reason maintenance",
        "python app.py suspend --link viettel --reason misuse",
    ),
)
@click.option("--disclosure", is_flag=True, help="No PIN, result or log; the rest goes on.")
@click.option("--operator", metavar="NAME", help="Only this operator's links.")
@click.option("--link", metavar="CODE", help="Only this link.")
@click.option("--command", metavar="WORD", help="Only this command, as DC or NK.")
@click.option("--reason", required=True, type=click.Choice(_REASONS))
@click.option("--note", default="", help="What colleagues should know; of no citizen.")
@_AS_JSON
@pass_service
def suspend_command(
    service: Service,
    disclosure: bool,  # noqa: FBT001 (as above)
    operator: str | None,
    link: str | None,
    command: str | None,
    reason: str,
    note: str,
    as_json: bool,  # noqa: FBT001 (as above)
) -> None:
    """Stop the whole service, or a part of it, at once; one person does.

    When this returns nothing of what was stopped starts any more, and the last byte of what had
    started leaves within 2 seconds. Without a database the whole machine is stopped by file.
    """
    from core import log
    from records.stops import LONGEST_NOTE, Order, StopReason

    log.configure(json=not sys.stderr.isatty())
    scope, key = _scope(
        service, disclosure, {"operator": operator, "link": link, "command": command}
    )
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise UsageFault(f"--note is up to {LONGEST_NOTE} printable characters", USAGE)
    order = Order(scope=scope, key=key, reason=StopReason(reason), note=note, by=service.person)
    number = _stop(service, order)
    if number is None:
        service.forsake()
    if as_json:
        click.echo(
            json.dumps({"stop": number, "scope": scope, "key": key, "by_file": number is None})
        )
    elif number is None:
        click.echo(
            "stopped by file, on this machine alone: the database does not answer. Do the same on "
            "every other machine that runs the service.",
        )
    else:
        click.echo(f"stopped: {_named(scope, key)}, stop {number}. Two officers lift it.")


@click.command(
    "resume",
    cls=Verb,
    examples=(
        'python app.py resume 3 --officer lan --note "..."',
        "python app.py resume 3 --officer minh",
    ),
)
@click.argument("number", type=int)
@click.option("--officer", "name", required=True, help="Who does it; password and code are asked.")
@click.option("--note", default="", help="Why it may go on.")
@pass_service
def resume_command(service: Service, /, *, number: int, name: str, note: str) -> None:
    """Lift a stop: the first officer asks, a second one lifts it.

    Both need the right to resume, and show password and device here as they do in the console.
    """
    from cli.wiring import halt_of
    from console.access.roles import Right
    from core import log
    from records.errors import StopError

    log.configure(json=not sys.stderr.isatty())
    officer, halt = confirmed(service, name, Right.RESUME, "resume"), halt_of(service)
    try:
        standing = _of(service, number)
        if standing.resume_asked_by is None:
            halt.ask_resume(number, by=officer.actor, note=note)
            _seal(service)
            click.echo(f"asked: another officer lifts stop {number} with the same verb")
            return
        halt.resume(number, by=officer.actor)
    except StopError as error:
        raise UsageFault(str(error), NOT_ALLOWED) from error
    _seal(service)
    click.echo(f"lifted: {_named(standing.scope, standing.key)}")


@click.command("state", cls=Verb, examples=("python app.py state", "python app.py state --json"))
@_AS_JSON
@pass_service
def state_command(service: Service, /, *, as_json: bool) -> None:
    """Say whether the service is stopped, by whom and why, for whoever is on duty."""
    from records import stop_file, stops

    is_by_file = stop_file.is_there(service.settings.state_dir)
    standing, ended = service.database.read(
        lambda session: (stops.standing(session), stops.ended(session, _ENDED_SHOWN))
    )
    if as_json:
        rows = [_row(stop) for stop in standing]
        click.echo(json.dumps({"by_file": is_by_file, "stops": rows}, ensure_ascii=False))
        return
    if is_by_file:
        click.echo(f"stopped by file: {service.settings.state_dir / stop_file.NAME}")
    for stop in standing:
        click.echo(
            f"stop {stop.id}: {_named(stop.scope, stop.key)}, {stop.reason}, since "
            f"{stop.stopped_at:%Y-%m-%d %H:%M:%SZ} by {stop.stopped_by}. {stop.note}".rstrip()
        )
        if stop.resume_asked_by:
            click.echo(f"  {stop.resume_asked_by} asks to lift it. {stop.resume_note}".rstrip())
    if not standing and not is_by_file:
        click.echo("running: nothing is stopped")
    for stop in ended:
        click.echo(
            f"lifted {stop.resumed_at:%Y-%m-%d %H:%M:%SZ} by {stop.resumed_by}: "
            f"{_named(stop.scope, stop.key)}, {stop.reason}",
            err=True,
        )


def _scope(
    service: Service,
    disclosure: bool,  # noqa: FBT001 (a flag of the verb)
    narrow: dict[str, str | None],
) -> "tuple[Scope, str]":
    from records.stops import Scope

    given = {scope: key for scope, key in narrow.items() if key is not None}
    if len(given) + disclosure > 1:
        raise UsageFault("stop one thing at a time: the service, or one part of it", USAGE)
    if not given:
        return (Scope.DISCLOSURE if disclosure else Scope.SERVICE), ""
    ((word, key),) = given.items()
    known = _known(service)[word]
    if key not in known:
        others = ", ".join(sorted(known)) or "none yet"
        raise UsageFault(f"there is no {word} {key}: there is {others}", USAGE)
    return Scope(word), key


def _known(service: Service) -> dict[str, set[str]]:
    from sms.standing import COMMANDS

    links = service.links.all()
    return {
        "operator": {link.operator for link in links},
        "link": {link.code for link in links},
        "command": {command[0].split()[0] for command in COMMANDS},
    }


def _stop(service: Service, order: "Order") -> int | None:
    from cli.wiring import halt_of
    from core.errors import CoreError
    from core.threads import begun
    from journal.errors import JournalError
    from records import stop_file
    from sms.halt import WHOLE, file_of

    if order.scope not in WHOLE:
        number = halt_of(service).stop(order)
    else:
        state_dir = service.settings.state_dir
        if not stop_file.is_there(state_dir):
            # Before anything that may wait for a database: this machine stops now.
            stop_file.write(state_dir, file_of(order))
        try:
            number = begun(lambda: halt_of(service).stop(order)).result(_PATIENCE_SECONDS)
        except Exception:  # noqa: BLE001 (whatever it is, the file holds the stop)
            number = None
    if number is not None:
        with suppress(CoreError, JournalError):  # it is in force; a worker seals its entry
            _seal(service)
    return number


def _seal(service: Service) -> None:
    if service.database.dialect == "postgresql":
        # No worker need be running for an act of the command line to be sealed.
        service.journal.seal_once()


def _of(service: Service, number: int) -> "Stop":
    from records import stops

    found = service.database.read(lambda session: stops.find(session, number))
    if found is None or found.resumed_at is not None:
        raise UsageFault(f"no stop {number} is in force: `state` lists them", NOT_ALLOWED)
    return found


def _named(scope: "Scope", key: str) -> str:
    from records.stops import Scope

    match scope:
        case Scope.SERVICE:
            return "the whole service"
        case Scope.DISCLOSURE:
            return "disclosure (no PIN, result or log)"
        case _:
            return f"{scope} {key}"


def _row(stop: "Stop") -> dict[str, object]:
    return {
        "stop": stop.id,
        "scope": stop.scope,
        "key": stop.key,
        "reason": stop.reason,
        "note": stop.note,
        "stopped_by": stop.stopped_by,
        "stopped_at": stop.stopped_at.isoformat(),
        "resume_asked_by": stop.resume_asked_by,
    }
