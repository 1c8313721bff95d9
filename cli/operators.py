"""`operator`: links to telecom operators, their secrets, their assessment and their end."""

import json

import click
from sqlalchemy.orm import Session

from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from sms.links.model import Link

_TWILIO_API = "https://api.twilio.com"
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("operator")
def operator_group() -> None:
    """Add, check, change and end links to telecom operators."""


@operator_group.command("add")
@click.argument("code")
@click.option("--kind", type=click.Choice(["http", "twilio"]), required=True)
@click.option("--send-url", help="Where replies are posted (http).")
@click.option("--secret-file", type=click.Path(), help="Holds one whsec_… secret (http).")
@click.option("--account-sid", help="AC… (twilio).")
@click.option("--token-file", type=click.Path(), help="Holds the auth token (twilio).")
@click.option("--from", "from_number", help="Our number at Twilio (twilio).")
@click.option("--api-url", default=_TWILIO_API, help="Another base of the REST API (twilio).")
@click.option("--prefixes", default="", help="Number ranges, as 032-039,086.")
@click.option("--rate", type=click.IntRange(1, 1_000_000), default=100, show_default=True)
@click.option("--mo-price", type=click.IntRange(0, 1_000_000), help="VND for each message to us.")
@click.option("--unassessed", is_flag=True, help="Record no assessment: help and DOWN only.")
@click.option("--test", "is_test", is_flag=True, help="May carry made-up people.")
@_AS_JSON
@pass_service
def add(service: Service, *, as_json: bool, **options: object) -> None:
    """Add a link; whoever runs this vouches for the channel for 365 days.

    Example: python app.py operator add viettel --kind http
    --send-url https://sms.example.vn/mt --secret-file viettel.secret --mo-price 500
    """
    from cli.linking import add_link, read_link

    new, price = read_link(service, options)
    link = add_link(service, new, price)
    if as_json:
        click.echo(json.dumps({"code": link.code, "webhook_path": link.webhook_path}))
        return
    click.echo(f"added {link.code}: messages come in at {link.webhook_path}")
    if new.assessed_by is None:
        click.echo("no assessment recorded: the link carries HELP and DOWN only", err=True)


@operator_group.command("list")
@_AS_JSON
@pass_service
def list_links(service: Service, *, as_json: bool) -> None:
    """List the links, with state and assessment.

    Example: python app.py operator list
    """
    rows = [_row(link) for link in service.links.all()]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo("  ".join(str(row[name]) for name in ("code", "kind", "state", "assessed")))
    if not rows:
        click.echo("no links yet: python app.py operator add …", err=True)


@operator_group.command("disable")
@click.argument("code")
@click.option("--undo", is_flag=True, help="Enable it again.")
@pass_service
def disable(service: Service, *, code: str, undo: bool) -> None:
    """Take no more messages of a link, and send none, until enabled again.

    Example: python app.py operator disable viettel
    """
    from cli.linking import with_entry
    from sms.links import registry
    from sms.links.model import LinkState

    link = require(service, code)
    state = LinkState.ACTIVE if undo else LinkState.DISABLED
    act = "link-enable" if undo else "link-disable"
    with_entry(service, act, link.code, lambda s: registry.set_state(s, link, state))
    click.echo(f"{code} is {state}")


@operator_group.command("rotate-key")
@click.argument("code")
@click.option("--secret-file", "--token-file", "secret_file", type=click.Path(), required=True)
@pass_service
def rotate_key(service: Service, *, code: str, secret_file: str) -> None:
    """Make the secret in a file the link's newest; the one before it stays live beside it.

    Example: python app.py operator rotate-key viettel --secret-file new.secret
    """
    from cli.linking import read_secret, with_entry
    from sms.links import registry

    link = require(service, code)
    secret = read_secret(link.kind, secret_file)
    now = service.clock.now()

    def work(session: Session) -> None:
        registry.rotate(session, service.keyring, link, secret, now)

    with_entry(service, "link-rotate", link.code, work)
    click.echo(f"{code}: the new secret is live; the one before it too, until the next rotation")


@operator_group.command("terminate")
@click.argument("code")
@click.option("--reason", required=True, help="Why, for the journal.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_service
def terminate(service: Service, *, code: str, reason: str, yes: bool) -> None:
    """End a link for good: its secrets are destroyed and cannot be brought back.

    Example: python app.py operator terminate viettel --reason "contract ended" --yes
    """
    from cli.linking import with_entry
    from sms.links import registry

    link = require(service, code)
    if not yes:
        click.confirm(f"End {code} for good and destroy its secrets?", abort=True)
    now = service.clock.now()
    with_entry(
        service, "link-terminate", link.code, lambda s: registry.terminate(s, link, reason, now)
    )
    click.echo(f"{code} is terminated")


@operator_group.command("test")
@click.argument("code")
@_AS_JSON
@pass_service
def test(service: Service, *, code: str, as_json: bool) -> None:
    """Check a link from our side: its state, its assessment, and that its host answers.

    Nothing is sent to any telephone. Example: python app.py operator test viettel
    """
    from cli.linking import check_link

    findings = check_link(require(service, code), service.clock.now())
    if as_json:
        click.echo(json.dumps(findings))
    else:
        for name, finding in findings.items():
            click.echo(f"{name}: {finding}")
    if findings["ok"] is not True:
        raise SystemExit(1)


@operator_group.command("report")
@click.argument("code")
@click.argument("message_id")
@_AS_JSON
@pass_service
def report(service: Service, *, code: str, message_id: str, as_json: bool) -> None:
    """Say what became of a message, by the operator's own id; nothing personal is shown.

    Example: python app.py operator report viettel 8f2k-10433 --json
    """
    from dataclasses import asdict

    from sms import reports

    link = require(service, code)
    journal = service.journal
    found = service.database.read(lambda s: reports.report(s, journal, link.id, message_id))
    if found is None:
        raise UsageFault(f"{code} has handed over no message of this id", NOT_ALLOWED)
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


def _row(link: Link) -> dict[str, object]:
    until = link.assessed_until
    return {
        "code": link.code,
        "kind": link.kind,
        "state": link.state,
        "webhook_path": f"/sms/{link.code}/inbound" + ("/…" if link.path_secret else ""),
        "rate": link.rate,
        "prefixes": link.prefixes,
        "test": link.is_test,
        "assessed": bool(until),
        "assessed_by": link.assessed_by,
        "assessed_until": until.isoformat() if until else None,
    }
