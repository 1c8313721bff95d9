"""`operator`: links to telecom operators, their secrets, their assessment and their end."""

import json
import sys

import click

from cli.connecting import assess_command, steps_command
from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from cli.groups import VerbGroup
from cli.operator_add import add_command, address_of
from cli.operator_check import test_command
from cli.operator_set import set_command
from sms.links.model import Link, LinkKind, LinkState

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("operator", cls=VerbGroup)
def operator_group() -> None:
    """Add, check, change and end links to operators, for the engineer.

    Everything here holds within two seconds, also while the service runs.
    """


operator_group.add_command(add_command)
operator_group.add_command(assess_command)
operator_group.add_command(steps_command)


@operator_group.command(
    "list",
    short_help="List the links.",
    examples=("python app.py operator list",),
)
@_AS_JSON
@pass_service
def list_links(service: Service, /, *, as_json: bool) -> None:
    """List the links, with state and assessment, and none of their secrets.

    Warns of assessments that end within 30 days, and of those that have ended.
    """
    from cli import link_table

    rows = link_table.rows_of(service)
    if as_json:
        click.echo(json.dumps(rows))
    elif rows:
        link_table.show(rows)
    else:
        click.echo("no links yet: see `python app.py operator add --help`", err=True)


@operator_group.command(
    "disable",
    short_help="Take and send nothing for a while.",
    examples=(
        "python app.py operator disable viettel",
        "python app.py operator disable viettel --undo",
    ),
)
@click.argument("code")
@click.option("--undo", is_flag=True, help="Enable it again.")
@pass_service
def disable(service: Service, /, *, code: str, undo: bool) -> None:
    """Take no more messages of a link, and send none, until enabled again."""
    from cli import linking

    link = require(service, code)
    state = LinkState.ACTIVE if undo else LinkState.DISABLED
    linking.set_state(service, link, state)
    click.echo(f"{code} is {state}")


@operator_group.command(
    "rotate-key",
    short_help="Let a new secret take over.",
    examples=("python app.py operator rotate-key viettel --secret-file new.secret",),
)
@click.argument("code")
@click.option(
    "--secret-file", "--token-file", "secret_file", metavar="FILE", required=True,
    help="Holds the new secret or token.",
)  # fmt: skip
@pass_service
def rotate_key(service: Service, /, *, code: str, secret_file: str) -> None:
    """Make the secret in a file the link's newest; the one before it stays live beside it.

    Replies are signed with the newest from now on, so the operator must have it already. Any third
    secret is destroyed. Kannel's address gets a new secret alike, and is printed.
    """
    from cli import linking

    link = linking.rotate(service, require(service, code), secret_file)
    click.echo(f"{code}: the new secret is live; the one before it too, until the next rotation")
    if link.kind is LinkKind.KANNEL:
        click.echo(f"{code} posts messages to {address_of(service, link)}")


@operator_group.command(
    "terminate",
    short_help="End a link for good, by two.",
    examples=(
        'python app.py operator terminate viettel --officer minh --reason "contract ended"',
        "python app.py operator terminate viettel --officer lan",
    ),
)
@click.argument("code")
@click.option("--officer", "name", required=True, help="Who does it; password and code are asked.")
@click.option("--reason", help="Why, for the journal; name nobody. The first officer says it.")
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
@pass_service
def terminate(service: Service, /, *, code: str, name: str, reason: str | None, yes: bool) -> None:
    """End a link for good: the first officer asks, a second one ends it.

    Its secrets are destroyed and cannot be brought back.
    """
    from cli.ending import terminate as end

    end(service, require(service, code), name, reason, ask=None if yes else _ask)


operator_group.add_command(set_command)
operator_group.add_command(test_command)


@operator_group.command(
    "report",
    short_help="Say what became of a message.",
    examples=("python app.py operator report viettel 8f2k-10433 --json",),
)
@click.argument("code")
@click.argument("message_id")
@_AS_JSON
@pass_service
def report(service: Service, /, *, code: str, message_id: str, as_json: bool) -> None:
    """Say what became of a message, by the operator's own id; nothing personal is shown."""
    from dataclasses import asdict

    from sms import reports

    link, journal = require(service, code), service.journal
    found = service.database.read(lambda s: reports.report(s, journal, link.id, message_id))
    if found is None:
        raise UsageFault(
            f"{code} has handed over no message of this id in the last 35 days: see that it is "
            "the id that the operator gave it",
            NOT_ALLOWED,
        )
    shown = asdict(found)
    click.echo(json.dumps(shown) if as_json else "\n".join(f"{k}: {v}" for k, v in shown.items()))


def require(service: Service, code: str) -> Link:
    """Return the link called *code*.

    Raises: UsageFault if there is none.
    """
    link = service.links.get(code)
    if link is None:
        raise UsageFault(f"there is no link called {code}: see `operator list`", USAGE)
    return link


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageFault("nobody can be asked here: say --yes if it is meant", USAGE)
    if not click.confirm(question):
        raise UsageFault("nothing was changed", NOT_ALLOWED)
