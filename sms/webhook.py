"""The operators' door: authenticate, read, store, acknowledge; the commit comes first.

Requests are served by the lot: each is looked at by itself, and the messages among them are stored
in one commit, as are the notices (receipts and what became of numbers).
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from flask import Blueprint, Response, request

from core import log, metrics
from core.clock import Clock
from core.db import Database
from core.errors import UnavailableError
from core.keyring import Keyring
from sms import inbound
from sms.inbound import Arrival, Receipt
from sms.limits import Backlog, FailureThrottle, RateLimit
from sms.links import http, kannel
from sms.links.errors import (
    MalformedError,
    UnauthenticatedError,
    WrongMethodError,
    WrongTypeError,
)
from sms.links.http import Headers
from sms.links.model import Envelope, Link, LinkKind, LinkState, Subject
from sms.links.registry import LinkRegistry
from sms.notice_rate import NoticeRate
from sms.notices import Notice, Notices
from sms.problems import NOTHING, Answer, refusal, response_of
from sms.signals import Bell

MOST_BYTES = 8192
# Kannel alone is heard by GET.
METHODS = ("GET", "POST")
T = TypeVar("T")
Signed = str | list[tuple[str, str]] | dict[str, object]
_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """One request to a link's webhook, whole."""

    code: str
    path_secret: str | None = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    source: str
    subject: Subject = Subject.MESSAGE
    query: str = ""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class _Offer:
    """A message that its operator is seen to have posted, ready to be stored."""

    link: Link
    arrival: Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """What RECEIVE needs."""

    database: Database
    keyring: Keyring
    links: LinkRegistry
    clock: Clock
    public_url: str
    rate: RateLimit
    notice_rate: NoticeRate
    backlog: Backlog
    throttle: FailureThrottle
    received: Bell

    def receive(self, posts: Sequence[Post]) -> list[Answer]:
        """Answer each of these requests; what is acknowledged is committed."""
        read = dict(enumerate(self._read(post) for post in posts))
        offers = {place: one for place, one in read.items() if isinstance(one, _Offer)}
        noted = {place: one for place, one in read.items() if isinstance(one, Notice)}
        answers = {place: one for place, one in read.items() if isinstance(one, Answer)}
        answers |= _stored(self._take, offers) | _stored(self._note, noted)
        return [answers[place] for place in read]

    def _read(self, post: Post) -> _Offer | Notice | Answer:
        """Look at one request by itself; whatever is wrong with it is wrong with no other."""
        if max(len(post.body), len(post.query)) > MOST_BYTES:
            return refusal(413)
        try:
            now = self.clock.now()
            link, signed = _authenticate(self, post, now)
            if post.subject is not Subject.MESSAGE:
                return self._notices.read(link, post.subject, signed, post.query, now)
            envelope = _message(link, signed, now)
            return _Offer(link, inbound.prepare(self.keyring, link, envelope, now))
        except (WrongMethodError, WrongTypeError) as error:
            return refusal(405 if isinstance(error, WrongMethodError) else 415)
        except UnauthenticatedError:
            return _unauthenticated(self, post)
        except MalformedError as error:
            return refusal(400, detail=str(error))
        except UnavailableError as error:
            return _not_stored(error)
        except Exception as error:  # noqa: BLE001 (the others of the lot are answered all the same)
            return broken(error)

    @property
    def _notices(self) -> Notices:
        return Notices(self.database, self.keyring, self.links)

    def _note(self, noted: Mapping[int, Notice]) -> dict[int, Answer]:
        """Take what is told besides messages, all of it in one commit."""
        answers = {
            place: refusal(403)
            for place, one in noted.items()
            if one.link.state is LinkState.DISABLED
        }
        for place in noted.keys() - answers.keys():
            if not self.notice_rate.spend(noted[place].link):
                answers[place] = refusal(429, retry_after=1)
        kept = {place: one for place, one in noted.items() if place not in answers}
        if kept:
            came_to = self._notices.take(list(kept.values()), self.clock.now())
            answers |= dict(zip(kept, came_to, strict=True))
        return answers

    def _take(self, offers: Mapping[int, _Offer]) -> dict[int, Answer]:
        """Store what may be stored now, all of it in one commit."""
        answers: dict[int, Answer] = {}
        asking = [
            place for place, one in offers.items() if one.link.state is not LinkState.DISABLED
        ]
        allowed = self.rate.spend([offers[place].link for place in asking])
        for place in offers.keys() - set(asking):
            answers[place] = refusal(403)
        kept: list[int] = []
        for place, is_allowed in zip(asking, allowed, strict=True):
            if not is_allowed:
                answers[place] = refusal(429, retry_after=1)
            elif self.backlog.is_full(offers[place].link):
                answers[place] = refusal(429, retry_after=10)
            else:
                kept.append(place)
        if kept:
            arrivals = [offers[place].arrival for place in kept]
            receipts = self.database.write(lambda session: inbound.store(session, arrivals))
            if Receipt.NEW in receipts:
                self.received.ring()
            for place, receipt in zip(kept, receipts, strict=True):
                answers[place] = _acknowledge(offers[place], receipt)
        return answers


def make_blueprint(receiver: Receiver) -> Blueprint:
    """Make the routes that operators post to, for whoever serves the application alone."""
    blueprint = Blueprint("sms", __name__, url_prefix="/sms")

    subjects = f"<any({','.join(Subject)}):subject>"
    taken: dict[str, Any] = {"methods": METHODS, "provide_automatic_options": False}

    @blueprint.route(f"/<code>/{subjects}", **taken)
    @blueprint.route(f"/<code>/{subjects}/<path_secret>", **taken)
    def receive(code: str, subject: str, path_secret: str | None = None) -> Response:
        body, source = request.get_data(cache=False), request.remote_addr or ""
        query = request.query_string.decode("latin-1")
        about = Subject(subject)
        post = Post(code, path_secret, request.headers, body, source, about, query, request.method)
        return response_of(receiver.receive([post])[0])

    return blueprint


def broken(error: Exception) -> Answer:
    """Answer for what should not have happened."""
    _log.error("request.broke", **log.failure(error))
    return refusal(500)


def _stored(
    take: Callable[[dict[int, T]], dict[int, Answer]], read: dict[int, T]
) -> dict[int, Answer]:
    """Answer for what could be stored together, or was not."""
    try:
        return take(read) if read else {}
    except UnavailableError as error:
        return dict.fromkeys(read, _not_stored(error))


def _authenticate(receiver: Receiver, post: Post, now: datetime) -> tuple[Link, Signed]:
    link = receiver.links.get(post.code)
    if link is not None and link.kind is LinkKind.KANNEL and post.method in METHODS:
        _check_path(link, post)
        body = None if post.method == "GET" else post.body
        return link, kannel.read_request(post.headers, post.query, body)
    if post.method != "POST":
        raise WrongMethodError
    mimetype = post.headers.get("content-type", "").partition(";")[0].strip().lower()
    speaks_form = mimetype == "application/x-www-form-urlencoded"
    if not speaks_form and mimetype != http.CONTENT_TYPE:
        raise WrongTypeError
    if link is None or link.kind is LinkKind.SMPP:
        raise UnauthenticatedError
    _check_path(link, post)
    if link.kind is LinkKind.HTTP:
        if speaks_form:
            raise WrongTypeError
        return link, http.authenticate(link, post.headers, post.body, now)
    if not speaks_form:
        raise WrongTypeError
    from sms.links import twilio  # noqa: PLC0415 (loads slowly, and most deployments have none)

    url = receiver.public_url + link.path_to(post.subject)
    # The callbacks that we ask for have our id in their query; a message's address has none.
    if post.subject is Subject.RECEIPT and post.query:
        url = f"{url}?{post.query}"
    signature = post.headers.get("x-twilio-signature", "")
    return link, twilio.authenticate(link, url, signature, post.body)


def _check_path(link: Link, post: Post) -> None:
    """Refuse what does not know the secret in the link's address, where it has one."""
    given = (post.path_secret or "").encode()
    live = (link.path_secret or "", *link.older_path_secrets)
    is_known = any(hmac.compare_digest(each.encode(), given) for each in live)
    # Nothing else proves who speaks as Kannel.
    proves = bool(link.path_secret) or link.kind is not LinkKind.KANNEL
    if link.state is LinkState.TERMINATED or not (is_known and proves):
        raise UnauthenticatedError


def _message(link: Link, signed: Signed, now: datetime) -> Envelope:
    if isinstance(signed, str):
        return http.read_message(signed, now)
    if isinstance(signed, dict):
        return kannel.read_message(signed, now)
    from sms.links import twilio  # noqa: PLC0415 (loads slowly, and most deployments have none)

    return twilio.read_message(link, signed, now)


def _not_stored(error: UnavailableError) -> Answer:
    _log.error("inbound.not-stored", **log.failure(error))
    return refusal(503, retry_after=5)


def _unauthenticated(receiver: Receiver, post: Post) -> Answer:
    known = receiver.links.get(post.code)
    label = known.code if known else "unknown"
    metrics.AUTH_FAILURES.labels(label).inc()
    wait = receiver.throttle.failed(label, post.source)
    if wait is None:
        _log.warning("inbound.unauthenticated", link=label, source=post.source)
        return refusal(401)
    metrics.ALARMS.labels("authentication-failures").inc()
    return refusal(429, retry_after=wait)


def _acknowledge(offer: _Offer, receipt: Receipt) -> Answer:
    link = offer.link
    metrics.MESSAGES_IN.labels(link.code, receipt.name.lower()).inc()
    if receipt is Receipt.CONFLICTING:
        metrics.ALARMS.labels("conflicting-repeat").inc()
        _log.error("inbound.conflicting", link=link.code)
        return refusal(409)
    if link.kind is LinkKind.KANNEL:
        return NOTHING
    if link.kind is LinkKind.TWILIO:
        from sms.links.twilio import ACKNOWLEDGEMENT  # noqa: PLC0415 (loads slowly)

        return Answer(200, "text/xml", ACKNOWLEDGEMENT.encode())
    # The id is visible ASCII, of which JSON escapes two characters.
    escaped = offer.arrival.operator_message_id.replace("\\", "\\\\").replace('"', '\\"')
    return Answer(202, http.CONTENT_TYPE, f'{{"id":"{escaped}"}}'.encode())
