"""`operator`: links to telecom operators, their secrets, their assessment and their end."""

import json
import sys
from functools import partial

import click

from cli.connecting import assess_command, steps_command
from cli.context import Service, pass_service
from cli.exits import FAILED, NOT_ALLOWED, USAGE, UsageFault
from cli.groups import OptionIn, VerbGroup
from sms.links.model import Link, LinkState

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_HTTP = partial(click.option, cls=OptionIn, section="Needed with --kind http")
_TWILIO = partial(click.option, cls=OptionIn, section="Needed with --kind twilio")
_ADD_HTTP = """\
python app.py operator add viettel --kind http --mo-price 500 \\
  --send-url https://sms.example.vn/mt --secret-file viettel.secret"""
_ADD_TWILIO = """\
python app.py operator add twilio --kind twilio --token-file twilio.token \\
  --account-sid AC00000000000000000000000000000000 --from +12025550100"""


@click.group("operator", cls=VerbGroup)
def operator_group() -> None:
    """Add, check, change and end links to operators, for the engineer.

    Everything here holds within two seconds, also while the service runs.
    """


operator_group.add_command(assess_command)
operator_group.add_command(steps_command)


@operator_group.command(
    "add",
    short_help="Add a link.",
    examples=(_ADD_HTTP, _ADD_TWILIO),
)
@click.argument("code")
@click.option(
    "--kind", type=click.Choice(["http", "twilio"]), required=True, help="What it speaks."
)
@_HTTP("--send-url", metavar="URL", help="Where replies are posted.")
@_HTTP("--secret-file", metavar="FILE", help="Holds one whsec_… secret.")
@_TWILIO("--account-sid", metavar="AC…", help="The account.")
@_TWILIO("--token-file", metavar="FILE", help="Holds the auth token.")
@_TWILIO("--from", "from_number", metavar="NUMBER", help="Our number there.")
@click.option("--api-url", metavar="URL", help="Another base for the REST API (twilio).")
@click.option("--operator", metavar="NAME", help="Whose link this is  [default: CODE].")
@click.option("--prefixes", default="", metavar="RANGES", help="Its numbers, as 032-039,086.")
@click.option(
    "--rate",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    help="Messages a second that are taken; bursts of five times as many.",
)
@click.option(
    "--mo-price", type=click.IntRange(0, 1_000_000), metavar="VND", help="Of each message to us."
)
@click.option("--unassessed", is_flag=True, help="Do not vouch for it: HELP and DOWN only.")
@click.option("--test", "is_test", is_flag=True, help="May carry made-up people.")
@_AS_JSON
@pass_service
def add(service: Service, /, *, as_json: bool, **options: object) -> None:
    """Add a link; whoever runs this vouches for the channel for 365 days."""
    from cli import linking

    link, read = linking.add(service, options)
    if as_json:
        click.echo(json.dumps({"code": link.code, "webhook_path": link.webhook_path}))
    else:
        click.echo(
            f"{link.code} posts messages to {service.settings.public_url}{link.webhook_path}"
        )
    if not read.is_assessed:
        hint = f"`operator assess {link.code}` vouches for it"
        click.echo(f"without an assessment it carries HELP and DOWN only: {hint}", err=True)


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
    secret is destroyed.
    """
    from cli import linking

    linking.rotate(service, require(service, code), secret_file)
    click.echo(f"{code}: the new secret is live; the one before it too, until the next rotation")


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


@operator_group.command(
    "test",
    short_help="Check a link from our side.",
    examples=("python app.py operator test viettel",),
)
@click.argument("code")
@_AS_JSON
@pass_service
def test(service: Service, /, *, code: str, as_json: bool) -> None:
    """Check a link from our side; nothing is sent to any telephone.

    Looks at its state and assessment, has a sample signed and verified under each live secret, asks
    its host for an answer, and compares clocks. Ends 0 if the link could carry a lookup, else 1.
    """
    from cli.link_check import check

    found = check(require(service, code), service.settings.public_url, service.clock)
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        for finding in found.each:
            click.echo(f"{'ok   ' if finding.ok else 'FAULT'}  {finding.name}: {finding.says}")
    if not found.ok:
        sys.exit(FAILED)


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
