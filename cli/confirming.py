"""Officers on the command line: they show password and device there as they do in the console."""

from typing import TYPE_CHECKING

import click

from cli.context import Service
from cli.exits import NOT_ALLOWED, UsageFault

if TYPE_CHECKING:
    from console.access.officers import Officer
    from console.access.roles import Right


def confirmed(service: Service, name: str, right: "Right", purpose: str) -> "Officer":
    """Return the officer of that name, once password and device were shown.

    Raises: UsageFault, also where the officer has no right to do what *purpose* names.
    """
    from console.access.login import Reception, Refusal, Visitor
    from console.access.passwords import Passwords

    password = click.prompt("Password", hide_input=True, err=True)
    code = click.prompt("Code", hide_input=True, err=True)
    reception = Reception(service.database, service.keyring, Passwords(), service.clock)
    found = reception.confirm(name, password, code, Visitor("command line", ""))
    if isinstance(found, Refusal):
        raise UsageFault("name, password or code are wrong, or tried too often", NOT_ALLOWED)
    if right not in found.rights:
        raise UsageFault(f"{name} has no right to {purpose}", NOT_ALLOWED)
    return found
