"""What `operator test` looks at: a link from our side, with nothing sent to any telephone."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

import urllib3

from core.clock import Clock
from sms.links import http
from sms.links.errors import UnauthenticatedError
from sms.links.model import Link, LinkKind, LinkState

_MAY_DIFFER = timedelta(seconds=60)
_SAMPLE = '{"type":"message.received","data":{}}'
_FORM = (("Body", "HD"), ("From", "+84900000000"), ("MessageSid", "SM"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is as it must be, and in what words."""

    name: str
    ok: bool
    says: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was looked at on one link.

    Units: *skew_seconds* is how far the other side's clock is ahead of ours, None if not told.
    """

    each: tuple[Finding, ...]
    skew_seconds: int | None
    live_secrets: int

    @property
    def ok(self) -> bool:
        """Whether the link could carry a lookup now."""
        return all(finding.ok for finding in self.each)

    def as_json(self) -> dict[str, object]:
        """Shape it for programs."""
        return {
            "ok": self.ok,
            **{finding.name: finding.says for finding in self.each},
            "faults": [finding.name for finding in self.each if not finding.ok],
            "clock_skew_seconds": self.skew_seconds,
            "live_secrets": self.live_secrets,
        }


def check(link: Link, public_url: str, clock: Clock) -> Findings:
    """Look at a link from our side."""
    if link.state is LinkState.TERMINATED:
        return Findings((_state(link),), None, len(link.secrets))
    if link.kind is LinkKind.SMPP:
        from cli import smpp_check

        ok, says = smpp_check.look(link)
        seen = (_state(link), _assessment(link, clock.now()), Finding("bind", ok, says))
        return Findings(seen, None, len(link.secrets))
    if link.kind is LinkKind.KANNEL:
        both_ways = (_state(link), _assessment(link, clock.now()), *_kannel(link))
        return Findings(both_ways, None, len(link.secrets))
    standing = (_state(link), _assessment(link, clock.now()), _signature(link, public_url, clock))
    host, skew = _host(link, clock)
    found = (*standing, host) if skew is None else (*standing, host, _clock(skew))
    seconds = None if skew is None else round(skew.total_seconds())
    return Findings(found, seconds, len(link.secrets))


def _state(link: Link) -> Finding:
    hints = {
        LinkState.ACTIVE: "",
        LinkState.DISABLED: f": enable it by `operator disable {link.code} --undo`",
        LinkState.TERMINATED: " for good: add a new link",
    }
    return Finding("state", link.state is LinkState.ACTIVE, f"{link.state}{hints[link.state]}")


def _assessment(link: Link, now: datetime) -> Finding:
    if link.is_assessed(now):
        return Finding("assessment", ok=True, says=f"in force until {link.assessed_until:%Y-%m-%d}")
    hint = f"renew it by `operator assess {link.code}`; until then HELP and DOWN only"
    when = f"ended on {link.assessed_until:%Y-%m-%d}" if link.assessed_until else "none"
    return Finding("assessment", ok=False, says=f"{when}: {hint}")


def _signature(link: Link, public_url: str, clock: Clock) -> Finding:
    """Sign a sample without the libraries that verify it, and have it verified."""
    verify = _verify_form if link.kind is LinkKind.TWILIO else _verify_json
    for secret in link.secrets:
        alone = replace(link, secrets=(secret,))
        if verify(alone, public_url, clock.now()) != (True, False):
            return Finding(
                "signature", ok=False, says="a live secret does not verify what it signs"
            )
    count = len(link.secrets)
    says = f"verified under {count} live secret{'s'[: count - 1]}; an altered message is refused"
    return Finding("signature", ok=True, says=says)


def _verify_json(link: Link, _public_url: str, now: datetime) -> tuple[bool, bool]:
    stamp = int(now.timestamp())
    key = base64.b64decode(link.secrets[0].removeprefix("whsec_"))
    mac = hmac.new(key, f"self-check.{stamp}.{_SAMPLE}".encode(), hashlib.sha256).digest()
    headers = {
        "webhook-id": "self-check",
        "webhook-timestamp": str(stamp),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }

    def holds(body: str) -> bool:
        try:
            http.authenticate(link, headers, body.encode(), now)
        except UnauthenticatedError:
            return False
        return True

    return holds(_SAMPLE), holds(_SAMPLE + " ")


def _verify_form(link: Link, public_url: str, _now: datetime) -> tuple[bool, bool]:
    from sms.links import twilio

    url = public_url + link.webhook_path
    signed = url + "".join(name + value for name, value in _FORM)
    mac = hmac.new(link.secrets[0].encode(), signed.encode(), hashlib.sha1).digest()
    signature = base64.b64encode(mac).decode()

    def holds(form: Iterator[tuple[str, str]]) -> bool:
        try:
            twilio.authenticate(link, url, signature, urlencode(list(form)).encode())
        except UnauthenticatedError:
            return False
        return True

    return holds(iter(_FORM)), holds((name, value + " ") for name, value in _FORM)


def _kannel(link: Link) -> tuple[Finding, Finding]:
    from cli import kannel_check

    try:
        ok, says = kannel_check.look(link)
    except urllib3.exceptions.HTTPError as error:
        ok, says = False, _why(error)
    # Nothing can be found out about the way in from here.
    return Finding("sendsms", ok, says), Finding("inbound", ok=True, says=kannel_check.way_in(link))


def _host(link: Link, clock: Clock) -> tuple[Finding, timedelta | None]:
    """Ask the other side for nothing, to see that it answers and what time it has."""
    pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=2.0, read=5.0))
    try:
        before = clock.now()
        answer = pool.request("HEAD", link.url, redirect=False)
        middle = before + (clock.now() - before) / 2
    except urllib3.exceptions.HTTPError as error:
        return Finding("host", ok=False, says=_why(error)), None
    finally:
        pool.clear()
    return Finding("host", ok=True, says=f"answers (HEAD: {answer.status})"), _skew(answer, middle)


def _skew(answer: urllib3.BaseHTTPResponse, middle: datetime) -> timedelta | None:
    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    if theirs.tzinfo is None:
        return None
    # The header counts whole seconds, cut off.
    return theirs + timedelta(seconds=0.5) - middle


def _clock(skew: timedelta) -> Finding:
    seconds = round(skew.total_seconds())
    says = "theirs and ours agree"
    if seconds:
        says = f"theirs is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} ours"
    if abs(skew) <= _MAY_DIFFER:
        return Finding("clock", ok=True, says=says)
    limit = int(http.TOLERANCE.total_seconds())
    return Finding("clock", ok=False, says=f"{says}: from {limit} s on, signatures are refused")


def _why(error: urllib3.exceptions.HTTPError) -> str:
    match error:
        case urllib3.exceptions.NameResolutionError():
            return "its name is not known: see that the URL is right and that names resolve here"
        case urllib3.exceptions.SSLError():
            return "its certificate is not good: ask the operator for one that is"
        case urllib3.exceptions.NewConnectionError() | urllib3.exceptions.ConnectTimeoutError():
            return "cannot be reached: see that it runs, and that a firewall lets us out"
        case urllib3.exceptions.ReadTimeoutError():
            return "took the connection and did not answer within 5 s"
        case _:
            return f"broke the connection off ({type(error).__name__})"
