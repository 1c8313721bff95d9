"""Twilio: its form webhook and its REST API, both through its own library.

Twilio's signature does not bind where one parameter ends and the next begins, so a crafted text can
be re-split into another sender under the same signature. Hence the secret in the path, the fixed
set of parameters, and the refusal of anything that could be such a seam (threat model, T14).
Nor has its API a key by which a message sent again is known: so we look before we send again.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from sms.links import twilio_codes
from sms.links.errors import MalformedError, UnauthenticatedError
from sms.links.model import (
    Accepted,
    Envelope,
    Link,
    Outcome,
    Outgoing,
    Refused,
    Subject,
    Unknown,
)
from sms.links.strictjson import check_text

CONTENT_TYPE = "application/x-www-form-urlencoded"
ACKNOWLEDGEMENT = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
LONGEST_TEXT = 1000
_MOST_FIELDS = 40
_MESSAGE_SID = re.compile(r"SM[0-9a-f]{32}")
_SEAM = re.compile(r"Sid(AC|SM|MM)[0-9a-f]{32}")
_ONCE = ("MessageSid", "AccountSid", "From", "To", "Body")
_SIGNATURE_LENGTH = 28
_TIMEOUTS = (1.0, 15.0)
_TIMEOUTS_OF_LOOKS = (1.0, 5.0)
# So many of the newest messages to a telephone are looked through for one of ours.
_LOOKED_THROUGH = 20
# Twilio's clock and ours, which made the reply before it was sent.
_SKEW = timedelta(seconds=30)
_POLLED_AT_MOST = 20_000
_PAGE = 500
_TOO_MANY = 429
_UNAVAILABLE = 503
_SERVER_FAULT = 500
# Shortest and longest validity Twilio takes, in seconds.
_VALIDITY = (1, 36000)
# What the library raises for an answer that it cannot make anything of.
_FAULTS = (TwilioException, ValueError, KeyError, TypeError)


def authenticate(link: Link, url: str, signature: str, body: bytes) -> list[tuple[str, str]]:
    """Return the form's fields once a live token of the link is seen to have signed them.

    *url* is the configured public one: the request's own idea of its host proves nothing.
    Raises: UnauthenticatedError.
    """
    if len(signature) != _SIGNATURE_LENGTH or not signature.isascii():
        raise UnauthenticatedError
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise UnauthenticatedError from error
    form: dict[str, list[str]] = {}
    for name, value in fields:
        form.setdefault(name, []).append(value)
    signed = _MultiDict(form)
    genuine = False
    for token in link.secrets:
        genuine |= _validator(token).validate(url, signed, signature)
    if not genuine or any(_SEAM.search(part) for field in fields for part in field):
        raise UnauthenticatedError
    return fields


def read_message(link: Link, fields: Sequence[tuple[str, str]], now: datetime) -> Envelope:
    """Read an inbound message.

    Raises: UnauthenticatedError for another account's or number's, MalformedError.
    """
    for name in _ONCE:
        if sum(1 for key, _ in fields if key == name) != 1:
            raise MalformedError(f"the form must hold {name} exactly once")
    form = dict(fields)
    if form["AccountSid"] != link.account_sid or form["To"] != link.from_number:
        raise UnauthenticatedError
    sid = form["MessageSid"]
    others = {form.get("SmsMessageSid", sid), form.get("SmsSid", sid)}
    if not _MESSAGE_SID.fullmatch(sid) or others != {sid}:
        raise MalformedError("MessageSid, SmsMessageSid and SmsSid must be one message's")
    # An empty text is a message that says nothing, and is answered like one.
    text = check_text(form["Body"], "Body", longest=LONGEST_TEXT) or " "
    return Envelope(sid, check_text(form["From"], "From", longest=100), form["To"], text, now)


class TwilioSender:
    """Sends replies through Twilio's REST API."""

    def __init__(self, *, connections: int, public_url: str) -> None:
        self._connections = connections
        self._public_url = public_url

    def send(self, link: Link, outgoing: Outgoing, now: datetime) -> Outcome:
        """Offer a reply once and say what is known of it afterwards."""
        left = int((outgoing.expires_at - now) / timedelta(seconds=1))
        callback = f"{self._public_url}{link.path_to(Subject.RECEIPT)}?id={outgoing.id}"
        try:
            message = self._client(link).messages.create(
                to=outgoing.to,
                from_=outgoing.sender,
                body=outgoing.text,
                validity_period=min(max(left, _VALIDITY[0]), _VALIDITY[1]),
                status_callback=callback,
            )
        except TwilioRestException as error:
            if error.code:
                twilio_codes.note(link, int(error.code))
            return _judge(error)
        except (requests.exceptions.ConnectTimeout, _NotConnectedError):
            return Refused("no-connection", retryable=True)
        except requests.exceptions.Timeout:
            return Unknown("timeout")
        except (requests.exceptions.RequestException, TwilioException, ValueError):
            return Unknown("connection-lost")
        return Accepted(message.sid)

    def look(self, link: Link, outgoing: Outgoing) -> Accepted | Refused | None:
        """Look whether Twilio has a reply that may have been sent; None if it has not.

        A text may be another reply's too, of the same words to the same telephone half a minute
        before: then the citizen has read them once. Who cannot look does not send.
        """
        try:
            found = self._client(link).messages.list(
                to=outgoing.to, from_=outgoing.sender, limit=_LOOKED_THROUGH
            )
        except (requests.exceptions.RequestException, _NotConnectedError, *_FAULTS):
            return Refused("not-looked", retryable=True)
        since = outgoing.created_at - _SKEW
        for message in found:
            # The text of a trial account has words of Twilio's before ours.
            is_ours = outgoing.text in (message.body or "")
            if is_ours and (message.date_created is None or message.date_created >= since):
                return Accepted(message.sid)
        return None

    def received(self, link: Link, since: datetime) -> list[Envelope]:
        """Return the messages that came in since then, also those that reached no webhook.

        Raises: NotPolledError.
        """
        try:
            found = self._client(link).messages.list(
                to=link.from_number,
                date_sent_after=since,
                limit=_POLLED_AT_MOST,
                page_size=_PAGE,
            )
        except (requests.exceptions.RequestException, _NotConnectedError, *_FAULTS) as error:
            raise NotPolledError from error
        read = (_polled(link, message) for message in found)
        return [each for each in read if each is not None and each.received_at >= since]

    def _client(self, link: Link) -> Client:
        return _client(link.account_sid or "", link.secrets[0], link.url, self._connections)

    def close(self) -> None:
        """Let go of every connection."""
        _client.cache_clear()


def _judge(error: TwilioRestException) -> Outcome:
    status = int(error.status)
    reason = f"twilio-{error.code}" if error.code else f"status-{status}"
    if status in {_TOO_MANY, _UNAVAILABLE}:
        return Refused(reason, retryable=True)
    if status >= _SERVER_FAULT or status == 408:  # noqa: PLR2004 (RFC 9110: request time-out)
        return Unknown(reason)
    if error.code and (meant := twilio_codes.judge(int(error.code))):
        return meant
    return Refused(reason, retryable=status in {401, 403, 404})


def _polled(link: Link, message: Any) -> Envelope | None:  # noqa: ANN401 (the library has no types)
    """Read a message of Twilio's list as its webhook would have brought it; None if it is none."""
    if message.direction != "inbound" or message.to != link.from_number:
        return None
    sid, came_at = str(message.sid), message.date_created or message.date_sent
    if not _MESSAGE_SID.fullmatch(sid) or came_at is None:
        return None
    try:
        text = check_text(message.body or "", "Body", longest=LONGEST_TEXT) or " "
        sender = check_text(message.from_ or "", "From", longest=100)
    except MalformedError:
        return None
    return Envelope(sid, sender, message.to, text, came_at)


class NotPolledError(Exception):
    """Twilio did not say what came in."""


class _NotConnectedError(Exception):
    """No byte was sent: the host could not be reached."""


class _HttpClient(TwilioHttpClient):  # type: ignore[misc]  # the library has no types
    """Twilio's client, pointed at the configured base and kept from following redirects."""

    def __init__(self, base: str, connections: int) -> None:
        super().__init__(timeout=_TIMEOUTS[1])
        self._base = base.rstrip("/")
        self.session = requests.Session()
        adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=connections)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)

    def request(self, method: str, url: str, **options: object) -> Response:
        """Send one request within our time-outs, wherever the library wanted it sent."""
        parts = urlsplit(url)
        target = self._base + parts.path + (f"?{parts.query}" if parts.query else "")
        timeouts = _TIMEOUTS_OF_LOOKS if method == "GET" else _TIMEOUTS
        passed = {name: options.get(name) for name in ("params", "data", "headers", "auth")}
        ours: dict[str, Any] = {**passed, "timeout": timeouts, "allow_redirects": False}
        try:
            answer = self.session.request(method, target, **ours)
        except requests.exceptions.ConnectionError as error:
            if "NewConnectionError" in repr(error) or "NameResolution" in repr(error):
                raise _NotConnectedError from error
            raise
        return Response(answer.status_code, answer.text, answer.headers)


class _MultiDict(dict[str, list[str]]):
    """What the library asks of a form with repeated names."""

    def getall(self, name: str) -> list[str]:
        return self[name]


@lru_cache(maxsize=64)
def _validator(token: str) -> RequestValidator:
    return RequestValidator(token)


@lru_cache(maxsize=64)
def _client(account_sid: str, token: str, base: str, connections: int) -> Client:
    return Client(account_sid, token, http_client=_HttpClient(base, connections))
