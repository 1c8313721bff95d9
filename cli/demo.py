"""`demo`: the whole service with made-up people, in one command."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from cli import sandbox
from cli.context import Service
from cli.exits import UsageFault
from cli.groups import LazyGroup
from cli.setup import make_deployment

if TYPE_CHECKING:
    from subprocess import Popen

    from rich.console import Console

    from phone.handset import Handset
    from phone.inside import Sealing
    from phone.mailbox import Mailbox
    from phone.terminal import Screen

_ANSWER_SECONDS = 30.0
_HELP = """Show the whole service with made-up people.

Makes keys, a database, invented people and mobile networks in var/demo, starts the service as `run`
does, and lets one invented citizen look themselves up: two signed messages in, two signed replies
out, each proved to be in the journal. Then it goes on serving, until Ctrl-C.

\b
Examples:
  python app.py demo
  python app.py demo --once
  python app.py demo people 1000
"""


@click.group(
    "demo",
    cls=LazyGroup,
    invoke_without_command=True,
    help=_HELP,
    verbs={"people": ("cli.people:demo_people_command", "Add made-up people.")},
)
@click.option("--once", is_flag=True, help="In a folder that is thrown away; end after the lookup.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Where to serve  [default: {sandbox.PORT}, or the next that is free; with --once any].",
)
@click.pass_context
def demo_group(context: click.Context, *, once: bool, port: int | None) -> None:
    """Show one lookup, then serve."""
    if context.invoked_subcommand is not None:
        return
    signal.signal(signal.SIGTERM, _interrupt)
    if once:
        with tempfile.TemporaryDirectory(prefix="tradan-demo-") as folder:
            _show(Path(folder), sandbox.free_port(port or 0, further=False), once=True)
        return
    sandbox.HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    _show(sandbox.HOME, sandbox.free_port(port or sandbox.PORT, further=port is None), once=False)


def _show(state_dir: Path, port: int, *, once: bool) -> None:
    from rich.console import Console

    from core.errors import CoreError
    from journal.errors import JournalError

    console = Console(highlight=False)
    service = sandbox.service_of(state_dir, port)
    gateway = service.settings.public_url
    console.print(f"[bold]TraDan[/], with made-up people, in {state_dir}")
    try:
        _prepare(console, service)
    except (CoreError, JournalError) as error:
        raise UsageFault(f"{error}. To begin anew, remove {state_dir} first.") from error
    try:
        with _served(console, service, state_dir, port) as process:
            page = _look_up(console, service)
            if once:
                return
            _tell_where(console, gateway, page, sandbox.invite_officers(service))
            process.wait()
    except KeyboardInterrupt:
        if once:
            raise
        console.print("\nEnded; what was made stays in", str(state_dir))
    finally:
        service.close()


def _prepare(console: "Console", service: Service) -> None:
    with _step(console, service, "keys, database and journal"):
        make_deployment(service)
    with _step(console, service, f"{sandbox.PEOPLE} made-up people"):
        sandbox.make_up(service)
    with _step(console, service, f"{len(sandbox.NETWORKS)} made-up networks, each with its link"):
        sandbox.connect(service, service.settings.public_url)


@contextmanager
def _step(console: "Console", service: Service, what: str) -> Iterator[None]:
    begun = service.clock.monotonic()
    with console.status(what):
        yield
    console.print(f"  [green]✓[/] {what} [dim]({service.clock.monotonic() - begun:.1f} s)[/]")


@contextmanager
def _served(
    console: "Console", service: Service, state_dir: Path, port: int
) -> Iterator["Popen[bytes]"]:
    with ExitStack() as stack:
        with _step(console, service, f"the service, at {service.settings.public_url}"):
            process = stack.enter_context(sandbox.running(state_dir, port))
        yield process


def _look_up(console: "Console", service: Service) -> str:
    """Let somebody look themselves up, show it, and return the address of the thread.

    Raises: UsageFault when anything of it is not as it must be.
    """
    from phone.desk import open_desk
    from phone.handset import Handset
    from phone.observer import ServiceObserver
    from phone.terminal import Screen

    observer = ServiceObserver(service.database, service.keyring, service.journal)
    desk = open_desk(service.settings, observer, service.clock)
    network = next(iter(desk.networks().values()))
    people = desk.subscribers()
    holder = min(people, key=lambda person: _last_used(desk.mailbox, network.code, person.number))
    handset = Handset(network, desk.mailbox, observer, service.clock, holder)
    screen = Screen(console, service.settings.short_code or "")
    console.print("\nA citizen looks themselves up, as the phone sees it:\n")
    screen.title(network.title, holder)
    _ask(handset, screen, f"DC {holder.personal_id}", "PIN")
    sealing = _ask(handset, screen, f"XN {handset.pin()}", "RESULT")
    console.print("\nWhere the journal has it:\n")
    screen.proof(sealing)
    desk.mailbox.close()
    return f"as={people.index(holder)}&op={network.code}"


def _ask(handset: "Handset", screen: "Screen", text: str, wanted: str) -> "Sealing":
    """Send a text, show it with its answer, and return where the journal has it."""
    screen.sent(text)
    sent = handset.send(text)
    if not sent.is_accepted:
        raise UsageFault(f"the service did not accept a message (status {sent.status})")
    reply = handset.wait(sent, _ANSWER_SECONDS)
    inside = handset.inside(sent)
    if reply is None or inside is None:
        raise UsageFault(f"no reply came within {_ANSWER_SECONDS:g} s: see the service's log")
    screen.received(reply, reply.at - sent.at, inside)
    if inside.reply != wanted:
        raise UsageFault(f"the reply is {inside.reply} and not {wanted} ({inside.reason})")
    if inside.sealing is None or not inside.sealing.holds:
        raise UsageFault("the reply's journal entry cannot be proved: run `journal verify`")
    return inside.sealing


def _last_used(mailbox: "Mailbox", network: str, number: str) -> float:
    texts = mailbox.thread(network, number)
    return texts[-1].at.timestamp() if texts else 0.0


def _tell_where(console: "Console", gateway: str, page: str, invitations: dict[str, str]) -> None:
    console.print("\nNow it serves:\n")
    for name, where in (
        ("Phone simulator", f"{gateway}/phone?{page}"),
        ("Public status", f"{gateway}/status"),
        ("Phone in a terminal", ".venv/bin/python app.py phone"),
    ):
        console.print(f"  {name:<20} [bold]{where}[/]", soft_wrap=True)
    console.print("\nOfficers' console; each link lets in once, the next start makes new ones:\n")
    for officer, where in invitations.items():
        console.print(f"  {officer:<20} [bold]{where}[/]", soft_wrap=True)
    console.print("\nCtrl-C ends it.")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
