"""What the verbs of `operator` do to a link, each act with its journal entry."""

import re
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from billing import tariffs
from cli.context import Service
from cli.exits import USAGE, UsageFault
from core.clock import vietnam_day
from journal.entries import Draft, Kind, Retention
from sms.links import http, registry
from sms.links.errors import LinkError
from sms.links.model import Link, LinkKind, LinkState
from sms.links.registry import NewLink

T = TypeVar("T")

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_PREFIX = re.compile(r"0?[0-9]{2}(-0?[0-9]{2})?|0[0-9]{3}")
_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_TOKEN = re.compile(r"[\x21-\x7e]{16,128}")
_LONGEST_SECRET_FILE = 4096
_HUNDREDTHS = 100


def read_link(service: Service, options: Mapping[str, object]) -> tuple[NewLink, int | None]:
    """Read what `operator add` was told; the price comes in VND, None if not said.

    Raises: UsageFault naming the option that is wrong.
    """
    code, prefixes = str(options["code"]), str(options["prefixes"])
    if not _CODE.fullmatch(code):
        raise UsageFault("CODE must be 1 to 32 letters, digits, - or _", USAGE)
    if prefixes and not all(_PREFIX.fullmatch(part.strip()) for part in prefixes.split(",")):
        raise UsageFault("--prefixes must be ranges of three digits, as 032-039,086", USAGE)
    kind = LinkKind(str(options["kind"]))
    needed = {
        LinkKind.HTTP: ("send_url", "secret_file"),
        LinkKind.TWILIO: ("account_sid", "token_file", "from_number"),
    }[kind]
    names = {name: "--" + name.replace("_number", "").replace("_", "-") for name in needed}
    if missing := [names[name] for name in needed if not options[name]]:
        raise UsageFault(f"a link of kind {kind} needs {', '.join(missing)}", USAGE)
    file = options["secret_file"] if kind is LinkKind.HTTP else options["token_file"]
    url = options["send_url"] if kind is LinkKind.HTTP else options["api_url"]
    if kind is LinkKind.TWILIO:
        if not _ACCOUNT_SID.fullmatch(str(options["account_sid"])):
            raise UsageFault("--account-sid must be AC and 32 hexadecimal digits", USAGE)
        if not _NUMBER.fullmatch(str(options["from_number"])):
            raise UsageFault("--from must be a number: +digits, or a short code", USAGE)
    try:
        checked = http.check_url(str(url))
    except (LinkError, ValueError) as error:
        raise UsageFault(str(error), USAGE) from error
    price = options["mo_price"]
    new = NewLink(
        code=code,
        kind=kind,
        url=checked,
        secret=read_secret(kind, str(file)),
        is_test=bool(options["is_test"]),
        account_sid=str(options["account_sid"]) if kind is LinkKind.TWILIO else None,
        from_number=str(options["from_number"]) if kind is LinkKind.TWILIO else None,
        prefixes=prefixes,
        rate=int(str(options["rate"])),
        assessed_by=None if options["unassessed"] else service.person,
    )
    return new, None if price is None else int(str(price))


def read_secret(kind: LinkKind, path: str) -> str:
    """Read the one secret in a file.

    Raises: UsageFault that quotes nothing of it.
    """
    try:
        text = Path(path).read_bytes()[:_LONGEST_SECRET_FILE].decode("ascii").strip()
    except OSError as error:
        raise UsageFault(f"the secret file cannot be read: {error.strerror}", USAGE) from error
    except UnicodeDecodeError as error:
        raise UsageFault("the secret file holds more than a secret", USAGE) from error
    if kind is LinkKind.TWILIO:
        if not _TOKEN.fullmatch(text):
            raise UsageFault("the token file must hold one auth token", USAGE)
        return text
    try:
        return http.check_secret(text)
    except LinkError as error:
        raise UsageFault(str(error), USAGE) from error


def add_link(service: Service, new: NewLink, price: int | None) -> Link:
    """Add a link with its price and its assessment, in one act.

    Units: *price* in VND. Raises: UsageFault.
    """
    now = service.clock.now()

    def work(session: Session) -> Link:
        link_id = registry.add(session, service.keyring, new, now)
        if price is not None:
            tariffs.set_price(session, link_id, vietnam_day(now), price * _HUNDREDTHS)
        links = registry.load(session, service.keyring)
        return next(link for link in links if link.id == link_id)

    assessed = {"assessed_by": new.assessed_by or "", "assessed": new.assessed_by is not None}
    return with_entry(service, "link-add", new.code, work, **assessed)


def with_entry(
    service: Service,
    act: str,
    code: str,
    work: Callable[[Session], T],
    **more: str | int | bool,
) -> T:
    """Do *work* and journal it in the same transaction.

    Raises: UsageFault if it cannot be done.
    """
    journal = service.journal
    draft = Draft(
        kind=Kind.ADMIN,
        retention=Retention.ACT,
        actor=service.person,
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={"act": act, "link": code, **more},
    )
    entries = journal.prepare([draft])

    def both(session: Session) -> T:
        result = work(session)
        journal.append(session, entries)
        return result

    try:
        result = service.database.write(both)
    except LinkError as error:
        raise UsageFault(str(error), USAGE) from error
    if service.database.dialect == "postgresql":
        # No worker need be running for an act of the command line to be sealed.
        journal.seal_once()
    return result


def check_link(link: Link, now: datetime) -> dict[str, object]:
    """Say whether a link could carry a reply now; nothing is sent over it."""
    parts = urlsplit(link.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=2):
            reached = "answers"
    except OSError as error:
        reached = f"cannot be reached ({error.strerror or type(error).__name__})"
    until = link.assessed_until
    assessment = f"until {until:%Y-%m-%d}" if until and now < until else "none in force"
    is_ok = link.state is LinkState.ACTIVE and reached == "answers" and link.is_assessed(now)
    return {
        "ok": is_ok,
        "state": link.state,
        "assessment": assessment,
        "host": reached,
        "live_secrets": len(link.secrets),
    }
