"""What `operator add` and `rotate-key` are told: options of the right shape, secrets from files."""

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from cli import kannel_options, smpp_options
from cli.exits import USAGE, UsageFault
from sms.links import http, kannel_profile
from sms.links.errors import LinkError
from sms.links.model import LinkKind
from sms.links.smpp import profile
from sms.weights import RESTING

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_RANGE = re.compile(r"0([0-9]{2,3})(?:-0([0-9]{2,3}))?")
_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_TOKEN = re.compile(r"[\x21-\x7e]{16,128}")
_LONGEST_SECRET_FILE = 4096
_LONGEST_URL = 500
_LONGEST_PREFIXES = 500
_OPTIONS = {
    LinkKind.HTTP: {"send_url": "--send-url", "secret_file": "--secret-file"},
    LinkKind.TWILIO: {
        "account_sid": "--account-sid",
        "token_file": "--token-file",
        "from_number": "--from",
    },
    LinkKind.SMPP: smpp_options.NEEDED,
    LinkKind.KANNEL: kannel_options.NEEDED,
}
_MAY = {
    LinkKind.HTTP: {},
    LinkKind.TWILIO: {"api_url": "--api-url"},
    LinkKind.SMPP: smpp_options.OTHERS,
    LinkKind.KANNEL: kannel_options.OTHERS,
}
_OWN = {kind: {**_OPTIONS[kind], **_MAY[kind]} for kind in _OPTIONS}
_OTHERS = {
    kind: {
        option: name
        for other in _OWN
        for option, name in _OWN[other].items()
        if option not in _OWN[kind]
    }
    for kind in _OWN
}
_SECRET_FILES = {
    LinkKind.HTTP: "secret_file",
    LinkKind.TWILIO: "token_file",
    LinkKind.SMPP: "password_file",
    LinkKind.KANNEL: "password_file",
}
_CHECKS = {
    LinkKind.HTTP: http.check_secret,
    LinkKind.SMPP: profile.check_password,
    LinkKind.KANNEL: kannel_profile.check_password,
}
_TWILIO_API = "https://api.twilio.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLinkOptions:
    """What `operator add` was told, each option of the right shape.

    Units: *rate* in messages and *send_rate* in segments a second, *mo_price* in VND.
    """

    code: str
    operator: str
    kind: LinkKind
    url: str
    secret_file: str
    account_sid: str | None
    from_number: str | None
    prefixes: str
    rate: int
    mo_price: int | None
    is_test: bool
    is_assessed: bool
    weight: int
    send_rate: int | None
    profile: str | None


def read_options(options: Mapping[str, object]) -> NewLinkOptions:
    """Read the options of `operator add`.

    Raises: UsageFault naming the option that is wrong.
    """
    kind = LinkKind(str(options["kind"]))
    _require_own(kind, options)
    is_twilio = kind is LinkKind.TWILIO
    url, told = _where(kind, options)
    price = options["mo_price"]
    return NewLinkOptions(
        code=_matching(_CODE, options["code"], "CODE must be 1 to 32 letters, digits, - or _"),
        operator=_matching(
            _CODE,
            options["operator"] or options["code"],
            "--operator must be 1 to 32 letters, digits, - or _",
        ),
        kind=kind,
        url=url,
        secret_file=str(options[_SECRET_FILES[kind]]),
        account_sid=_account_sid(options) if is_twilio else None,
        from_number=_from_number(options) if is_twilio else None,
        prefixes=read_prefixes(str(options["prefixes"] or "")),
        rate=int(str(options["rate"])),
        mo_price=None if price is None else int(str(price)),
        is_test=bool(options["is_test"]),
        is_assessed=not options["unassessed"],
        weight=RESTING if options["weight"] is None else int(str(options["weight"])),
        send_rate=int(str(options["send_rate"] or 0)) or None,
        profile=told,
    )


def read_secret(kind: LinkKind, path: str) -> str:
    """Read the one secret in a file, and say so when others can read it too.

    Raises: UsageFault that quotes nothing of it.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LONGEST_SECRET_FILE)
            mode = Path(path).stat().st_mode
        text = content.decode("ascii").strip()
    except OSError as error:
        raise UsageFault(f"{path} cannot be read ({error.strerror})", USAGE) from error
    except UnicodeDecodeError as error:
        raise UsageFault(f"{path} must hold one secret and nothing else", USAGE) from error
    if stat.S_ISREG(mode) and mode & 0o077:
        click.echo(f"warning: others can read {path}: run chmod 0600 on it", err=True)
    if kind is LinkKind.TWILIO:
        return _matching(_TOKEN, text, f"{path} must hold one auth token and nothing else")
    try:
        return _CHECKS[kind](text)
    except LinkError as error:
        raise UsageFault(f"{path}: {error}", USAGE) from error


def _require_own(kind: LinkKind, options: Mapping[str, object]) -> None:
    missing = [name for option, name in _OPTIONS[kind].items() if not options[option]]
    if missing:
        raise UsageFault(f"a link of kind {kind} needs {', '.join(missing)}", USAGE)
    strange = [name for option, name in _OTHERS[kind].items() if options[option]]
    if strange:
        raise UsageFault(f"a link of kind {kind} has no {', '.join(strange)}", USAGE)


def _where(kind: LinkKind, options: Mapping[str, object]) -> tuple[str, str | None]:
    """Say where replies go, and in what the other side differs from others of its kind."""
    match kind:
        case LinkKind.HTTP:
            return _url(str(options["send_url"]), "--send-url"), None
        case LinkKind.TWILIO:
            return _url(str(options["api_url"] or _TWILIO_API), "--api-url"), None
        case LinkKind.SMPP:
            smsc = smpp_options.read_profile(options)
            return smsc.url, profile.dump(smsc)
        case LinkKind.KANNEL:
            read_url = partial(_url, is_private_line=bool(options["private_line"]))
            url = read_url(str(options["send_url"]), "--send-url")
            return url, kannel_profile.dump(kannel_options.read_profile(options, read_url))


def _url(text: str, option: str, *, is_private_line: bool = False) -> str:
    try:
        url = http.check_url(text, is_private_line=is_private_line)
    except (LinkError, ValueError) as error:
        message = f"{option} must be https://…; http:// is for loopback hosts only"
        raise UsageFault(message, USAGE) from error
    if len(url) > _LONGEST_URL:
        raise UsageFault(f"{option} must have at most {_LONGEST_URL} characters", USAGE)
    return url


def read_prefixes(text: str) -> str:
    """Read the ranges of numbers that were agreed with an operator.

    Raises: UsageFault.
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    for part in parts:
        found = _RANGE.fullmatch(part)
        if found is None or not _rises(found[1], found[2] or found[1]):
            message = "--prefixes must be numbers or ranges of three or four digits, as 032-039,086"
            raise UsageFault(message, USAGE)
    joined = ",".join(parts)
    if len(joined) > _LONGEST_PREFIXES:
        raise UsageFault(f"--prefixes must have at most {_LONGEST_PREFIXES} characters", USAGE)
    return joined


def _rises(first: str, last: str) -> bool:
    return len(first) == len(last) and first <= last


def _account_sid(options: Mapping[str, object]) -> str:
    wanted = "--account-sid must be AC and 32 hexadecimal digits in small letters"
    return _matching(_ACCOUNT_SID, options["account_sid"], wanted)


def _from_number(options: Mapping[str, object]) -> str:
    wanted = "--from must be our number at Twilio: +digits, or a short code"
    return _matching(_NUMBER, options["from_number"], wanted)


def _matching(pattern: re.Pattern[str], value: object, wanted: str) -> str:
    text = str(value)
    if not pattern.fullmatch(text):
        raise UsageFault(wanted, USAGE)
    return text
