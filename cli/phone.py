"""`phone`: a made-up citizen's phone in the terminal, on a network of its own."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

import click

from cli import sandbox
from cli.context import Service, pass_service
from cli.exits import DIFFERENT, USAGE, UsageFault
from cli.invented import READ_AGAIN_SECONDS, alone, demonstration, gateway_of

if TYPE_CHECKING:
    from phone.mailbox import Mailbox
    from phone.network import Network
    from phone.sitting import Sitting

CODE = "terminal"
TITLE = "Terminal"
_FOLDER = "phone/terminal"
_PRICE = 300
_HELP = """Hold a made-up citizen's phone in the terminal, on a network of its own.

It acts as an operator: it signs what is typed and posts it to the service, and takes the replies at
a port of its own. Only where the service runs for demonstration: start it with `demo`.

\b
Typed:   a text, or  :as NUMBER  :who  :dup  :q
Script:  one text a line; `< words` expects a reply, * stands for anything, `<` alone for silence;
         {id} is the holder's personal number, {pin} the PIN of the last reply, {code} its code

Ends 0, or 4 when a script's replies differ, 5 outside a demonstration, 69 when the service does not
answer.

\b
Examples:
  python app.py phone
  python app.py phone --script lookup.txt --expect
"""


@click.command("phone", short_help="Hold a made-up citizen's phone.", help=_HELP)
@click.option("--url", help="Where the service is  [default: where the demonstration runs].")
@click.option("--as", "number", help="Whose phone: a number  [default: the first of the people].")
@click.option(
    "--script", type=click.File(encoding="utf-8"), help="Play this file, - for standard input."
)
@click.option("--expect", is_flag=True, help="Every reply must be expected by the script.")
@pass_service
def phone_command(
    service: Service, *, url: str | None, number: str | None, script: TextIO | None, expect: bool
) -> None:
    """Sit down with a phone."""
    from core.settings import Mode

    service = demonstration(service, "Phones are held", Mode.DEMO)
    with _sitting(service, gateway_of(service, url), number) as sitting:
        if script is not None:
            _play(sitting, script.read(), strict=expect)
        elif expect:
            raise UsageFault("--expect goes with --script FILE", USAGE)
        else:
            _converse(sitting)


@contextmanager
def _sitting(service: Service, gateway: str, number: str | None) -> Iterator["Sitting"]:
    """Sit down with one phone, on a network of its own."""
    from rich.console import Console

    from phone.handset import Handset
    from phone.observer import ServiceObserver
    from phone.sitting import Sitting
    from phone.terminal import Screen

    held = "Another terminal holds the phones: leave it with :q first."
    with alone(service.settings.state_dir, "terminal", held), ExitStack() as stack:
        observer = ServiceObserver(service.database, service.keyring, service.journal)
        people = observer.subscribers()
        holder = observer.subscriber(number) if number else next(iter(people), None)
        if holder is None:
            raise UsageFault("no made-up person has this phone: leave out --as, see :who", USAGE)
        network, mailbox = stack.enter_context(_connected(service, gateway))
        handset = Handset(network, mailbox, observer, service.clock, holder)
        handset.arrived()
        screen = Screen(Console(highlight=False), service.settings.short_code or "")
        screen.title(network.title, holder)
        yield Sitting(handset, screen, observer.subscriber, people)


@contextmanager
def _connected(service: Service, gateway: str) -> Iterator[tuple["Network", "Mailbox"]]:
    """Have a link, and take what the service posts to it at a port of this machine."""
    from phone.desk import MAILBOX_FILE
    from phone.links import LinkFolder
    from phone.listener import Listener
    from phone.mailbox import Mailbox
    from phone.network import Network

    settings, known = service.settings, service.links.get(CODE)
    listener = Listener(urlsplit(known.url).port if known else None)
    folder = LinkFolder(settings.state_dir / _FOLDER)
    is_changed = sandbox.provide(service, folder, CODE, TITLE, listener.url, _PRICE)
    with closing(Mailbox(settings.state_dir / MAILBOX_FILE)) as mailbox:
        network = Network(
            folder.links()[CODE],
            gateway,
            short_code=settings.short_code or "",
            mailbox=mailbox,
            clock=service.clock,
        )
        with listener.serving(network.deliver):
            if is_changed:
                time.sleep(READ_AGAIN_SECONDS)
            yield network, mailbox


def _play(sitting: "Sitting", lines: str, *, strict: bool) -> None:
    from phone import script

    differences = sitting.run(script.parse(lines), strict=strict)
    for difference in differences:
        click.echo(difference, err=True)
    if differences:
        sys.exit(DIFFERENT)


def _converse(sitting: "Sitting") -> None:
    """Send what is typed until the sitting is over."""
    is_typed = sys.stdin.isatty()
    if is_typed:
        import readline  # noqa: F401 (input() edits lines and remembers them by it)

        sitting.type(":help")
    while True:
        sitting.show_arrived()
        try:
            text = input(sitting.screen.prompt if is_typed else "")
        except EOFError:
            return
        if not sitting.type(" ".join(text.split()), echo=not is_typed):
            return
