"""`operator terminate`: one officer asks that a link be ended for good, another ends it."""

from collections.abc import Callable

import click

from cli import linking
from cli.confirming import confirmed
from cli.context import Service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from console.access.roles import Right
from sms.links import endings
from sms.links.endings import LONGEST_REASON
from sms.links.model import Link, LinkState


def terminate(
    service: Service,
    link: Link,
    name: str,
    reason: str | None,
    ask: Callable[[str], None] | None,
) -> None:
    """Ask for the end of a link, or end it if somebody else has asked; *ask* asks if it is meant.

    Raises: UsageFault.
    """
    if link.state is LinkState.TERMINATED:
        raise UsageFault(f"the link {link.code} is terminated for good already", NOT_ALLOWED)
    asked = service.database.read(lambda session: endings.find(session, link.id))
    if asked is None:
        said = _checked(reason)
    else:
        said = asked.reason
        if reason is not None and reason.strip() != said:
            raise UsageFault(f"{asked.asked_by} has asked for another reason: {said}", NOT_ALLOWED)
    if ask is not None:
        ask(f"This ends {link.code} for good and destroys its secrets: {said}. Go on?")
    officer = confirmed(service, name, Right.TERMINATE, "end links")
    if asked is None:
        linking.ask_end(service, link, said, officer)
        click.echo(f"asked: another officer ends {link.code} with the same verb")
    else:
        linking.end(service, link, asked, officer)
        click.echo(f"{link.code} is terminated")


def _checked(reason: str | None) -> str:
    said = (reason or "").strip()
    if not (0 < len(said) <= LONGEST_REASON and said.isprintable()):
        raise UsageFault(f"--reason must be one line of 1 to {LONGEST_REASON} characters", USAGE)
    return said
