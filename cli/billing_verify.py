"""`billing verify`: journal, usage and statements of a month, against each other."""

import json
import sys
from dataclasses import asdict

import click

from cli.billing_acts import account_of, period_of
from cli.billing_statements import AS_JSON
from cli.context import Service, pass_service
from cli.exits import DIFFERENT
from cli.groups import Verb


@click.command("verify", cls=Verb, examples=("python app.py billing verify 2026-10",))
@click.argument("period")
@AS_JSON
@pass_service
def verify_command(service: Service, /, *, period: str, as_json: bool) -> None:
    """Check that journal, usage and statements of a month agree, for accountants and auditors.

    Findings are entries of lookups and messages that were not counted, usage without its message
    or reply, and statements that are not what they were made of, not what the journal tells of
    them, or not what they would be now.
    Ends 0 when all agrees, else 4.
    """
    from sms import three_way

    month = period_of(period)
    operators = sorted({link.operator for link in service.links.all()})
    accounts = [account_of(service, operator) for operator in operators]
    keyring = service.keyring
    found = service.database.read(lambda s: three_way.check(s, keyring, month, accounts))
    if as_json:
        click.echo(json.dumps({"period": str(month), "findings": [asdict(each) for each in found]}))
    elif found:
        for each in found:
            click.echo(f"{each.problem}: {each.count}, as {', '.join(each.examples)}")
    else:
        click.echo(f"{month}: journal, usage and statements agree")
    if found:
        sys.exit(DIFFERENT)
