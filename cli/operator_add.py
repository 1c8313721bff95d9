"""`operator add`: a new link to an operator, of whichever kind."""

import json
from functools import partial

import click

from cli.context import Service, pass_service
from cli.groups import OptionIn, Verb
from cli.kannel_options import kannel_options
from cli.operator_set import PREFIXES, SEND_RATE, WEIGHT, warn_of_route
from cli.smpp_options import smpp_options
from sms.links.model import Link, LinkKind

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_HTTP = partial(click.option, cls=OptionIn, section="Needed with --kind http")
_TWILIO = partial(click.option, cls=OptionIn, section="Needed with --kind twilio")
_ADD_HTTP = """\
python app.py operator add viettel --kind http --mo-price 500 \\
  --send-url https://sms.example.vn/mt --secret-file viettel.secret"""
_ADD_TWILIO = """\
python app.py operator add twilio --kind twilio --token-file twilio.token \\
  --account-sid AC00000000000000000000000000000000 --from +12025550100"""
_ADD_SMPP = """\
python app.py operator add mobifone --kind smpp --host smsc.example.vn --system-id tradan \\
  --password-file mobifone.password --tls-certificate smsc.pem"""

_ADD_KANNEL = """\
python app.py operator add vinaphone --kind kannel --username tradan \\
  --password-file vinaphone.password --send-url http://127.0.0.1:13013/cgi-bin/sendsms"""


@click.command(
    "add",
    cls=Verb,
    short_help="Add a link.",
    examples=(_ADD_HTTP, _ADD_TWILIO, _ADD_SMPP, _ADD_KANNEL),
)
@click.argument("code")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in LinkKind]),
    required=True,
    help="What it speaks.",
)
@_HTTP("--send-url", metavar="URL", help="Where replies are posted.")
@_HTTP("--secret-file", metavar="FILE", help="Holds one whsec_… secret.")
@_TWILIO("--account-sid", metavar="AC…", help="The account.")
@_TWILIO("--token-file", metavar="FILE", help="Holds the auth token.")
@_TWILIO("--from", "from_number", metavar="NUMBER", help="Our number there.")
@smpp_options
@kannel_options
@click.option("--api-url", metavar="URL", help="Another base for the REST API (twilio).")
@click.option("--operator", metavar="NAME", help="Whose link this is  [default: CODE].")
@PREFIXES
@click.option(
    "--rate",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    help="Messages a second that are taken; bursts of five times as many.",
)
@SEND_RATE
@WEIGHT
@click.option(
    "--mo-price", type=click.IntRange(0, 1_000_000), metavar="VND", help="Of each message to us."
)
@click.option("--unassessed", is_flag=True, help="Do not vouch for it: HELP and DOWN only.")
@click.option("--test", "is_test", is_flag=True, help="May carry made-up people.")
@_AS_JSON
@pass_service
def add_command(service: Service, /, *, as_json: bool, **options: object) -> None:
    """Add a link; whoever runs this vouches for the channel for 365 days."""
    from cli import linking

    link, read = linking.add(service, options)
    is_bound = link.kind is LinkKind.SMPP
    if as_json:
        path = None if is_bound else link.webhook_path
        click.echo(json.dumps({"code": link.code, "webhook_path": path}))
    elif is_bound:
        click.echo(f"{link.code} is bound to {link.url} by `run`, within seconds")
    else:
        click.echo(f"{link.code} posts messages to {address_of(service, link)}")
    if link.kind is LinkKind.KANNEL:
        click.echo("what kannel.conf must say: docs/operators/kannel.md", err=True)
    if not read.is_assessed:
        hint = f"`operator assess {link.code}` vouches for it"
        click.echo(f"without an assessment it carries HELP and DOWN only: {hint}", err=True)
    warn_of_route(service, link)


def address_of(service: Service, link: Link) -> str:
    """Say where the other side posts messages, however it reaches us."""
    from sms.links import kannel_profile

    is_kannel = link.kind is LinkKind.KANNEL
    told = kannel_profile.load(link.profile or "").callback_url if is_kannel else None
    return (told or service.settings.public_url) + link.webhook_path
