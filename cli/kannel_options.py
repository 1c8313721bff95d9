"""What `operator add --kind kannel` is told: whom Kannel knows us as, and how it reaches us."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from cli.exits import USAGE, UsageFault
from cli.groups import OptionIn
from sms.links import kannel_profile
from sms.links.errors import LinkError
from sms.links.kannel_profile import Profile

F = TypeVar("F", bound=Callable[..., Any])

NEEDED = {"send_url": "--send-url", "username": "--username", "password_file": "--password-file"}
OTHERS = {"callback_url": "--callback-url", "private_line": "--private-line"}
_SECTION = "With --kind kannel, beside --send-url, --password-file and --private-line"


def kannel_options(verb: F) -> F:
    """Add the options of links of kind kannel to a verb."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb


def read_profile(options: Mapping[str, object], read_url: Callable[[str, str], str]) -> Profile:
    """Read the profile that the options describe; *read_url* checks an address of an option.

    Raises: UsageFault naming the option that is wrong.
    """
    try:
        username = kannel_profile.check_username(str(options["username"]))
    except LinkError as error:
        raise UsageFault(f"--username {error}", USAGE) from error
    told = options["callback_url"]
    if not told:
        return Profile(username=username)
    base = read_url(str(told), "--callback-url").rstrip("/")
    # Kannel puts things of its own where it finds a percent sign, and we add path and query.
    if not base.isascii() or any(sign in base for sign in "%?# "):
        raise UsageFault(
            "--callback-url must be an address alone: no query, nothing escaped", USAGE
        )
    return Profile(username=username, callback_url=base)


def _option(*names: str, **options: Any) -> Callable[[F], F]:  # noqa: ANN401 (click's own)
    return click.option(*names, cls=OptionIn, section=_SECTION, **options)


_OPTIONS = (
    _option("--username", metavar="NAME", help="Whom its sendsms knows us as."),
    _option(
        "--callback-url",
        metavar="URL",
        help="How it reaches us  [default: the public address]",
    ),
)
