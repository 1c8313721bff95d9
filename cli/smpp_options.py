"""What `operator add --kind smpp` is told: where the SMSC is, and what differs there."""

import ipaddress
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.exits import USAGE, UsageFault
from cli.groups import OptionIn
from sms.links.errors import LinkError
from sms.links.smpp import profile
from sms.links.smpp.profile import Binding, Profile

F = TypeVar("F", bound=Callable[..., Any])

NEEDED = {"host": "--host", "system_id": "--system-id", "password_file": "--password-file"}
OTHERS = {
    "port": "--port",
    "tls_certificate": "--tls-certificate",
    "private_line": "--private-line",
    "bind": "--bind",
    "window": "--window",
    "source_ton": "--source-ton",
    "source_npi": "--source-npi",
    "overrides": "--overrides",
}
_PORT = 2775
_LONGEST_FILE = 65536
_BYTE = click.IntRange(0, 255)
_BINDINGS = [each.value for each in Binding]
# What an option alone says: the line and how it is kept from others.
_NO_OVERRIDES = {
    "hosts": "--host",
    "port": "--port",
    "system_id": "--system-id",
    "tls_certificate": "--tls-certificate",
}
_GIVEN = ("bind", "window", "source_ton", "source_npi", "system_id")


def smpp_options(verb: F) -> F:
    """Add the options of links of kind smpp to a verb."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb


def read_profile(options: Mapping[str, object]) -> Profile:
    """Read the profile that the options describe.

    Raises: UsageFault naming the option that is wrong.
    """
    from core.settings import is_loopback

    hosts = [_host(str(host)) for host in _listed(options["host"])]
    given: dict[str, Any] = {
        **_overrides(options["overrides"]),
        "hosts": hosts,
        "port": options["port"] or _PORT,
        **{name: options[name] for name in _GIVEN if options[name] is not None},
    }
    if options["tls_certificate"]:
        given["tls_certificate"] = _certificate(str(options["tls_certificate"]))
    elif not options["private_line"] and not all(is_loopback(host) for host in hosts):
        raise UsageFault(
            "SMPP has passwords of 8 characters and no encryption: give --tls-certificate, or say "
            "--private-line if nobody else can reach that line",
            USAGE,
        )
    try:
        return profile.make(given)
    except LinkError as error:
        raise UsageFault(str(error), USAGE) from error


def _option(*names: str, **options: Any) -> Callable[[F], F]:  # noqa: ANN401 (click's own)
    return click.option(*names, cls=OptionIn, section="With --kind smpp", **options)


_OPTIONS = (
    _option("--host", multiple=True, metavar="HOST", help="Its SMSC; again for further ones."),
    _option("--port", type=click.IntRange(1, 65535), help=f"Of every host  [default: {_PORT}]"),
    _option("--system-id", metavar="NAME", help="Whom the SMSC knows us as."),
    _option("--password-file", metavar="FILE", help="Holds the password, 1 to 8 characters."),
    _option("--tls-certificate", metavar="FILE", help="The SMSC's certificate, or several (PEM)."),
    _option("--private-line", is_flag=True, help="Nobody else reaches the line: no TLS."),
    _option("--bind", type=click.Choice(_BINDINGS), help="[default: transceiver]"),
    _option("--window", type=click.IntRange(1, 100), help="Unanswered at once  [default: 10]"),
    _option("--source-ton", type=_BYTE, help="Type of our number  [default: 0]"),
    _option("--source-npi", type=_BYTE, help="Plan of our number  [default: 0]"),
    _option("--overrides", metavar="FILE", help="JSON of what else differs (docs/operators.md)."),
)


def _listed(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, tuple | list) else ()


def _host(text: str) -> str:
    """Take the brackets off an IPv6 address; a host brings no port of its own."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        if ":" in text:
            message = (
                f"--host {text}: give the name or the address alone, and --port for all of them"
            )
            raise UsageFault(message, USAGE) from None
        return text


def _overrides(path: object) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        found = json.loads(_text_of(str(path), "--overrides"))
    except (ValueError, RecursionError) as error:
        raise UsageFault(f"{path} must hold one JSON object", USAGE) from error
    if not isinstance(found, dict):
        raise UsageFault(f"{path} must hold one JSON object", USAGE)
    if own := sorted(found.keys() & _NO_OVERRIDES.keys()):
        raise UsageFault(f"{path}: {own[0]} is said by {_NO_OVERRIDES[own[0]]}", USAGE)
    return found


def _certificate(path: str) -> str:
    text = _text_of(path, "--tls-certificate")
    if not text.strip():
        # To the profile, none would mean that the line needs none.
        raise UsageFault(f"--tls-certificate: {path} is empty", USAGE)
    return text


def _text_of(path: str, option: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(_LONGEST_FILE).decode()
    except OSError as error:
        raise UsageFault(f"{option}: {path} cannot be read ({error.strerror})", USAGE) from error
    except UnicodeDecodeError as error:
        raise UsageFault(f"{option}: {path} must be text", USAGE) from error
