"""The operators' door: authenticate, read, store, acknowledge; the commit comes first.

Requests are served by the lot: each is looked at by itself, and the messages among them are stored
in one commit.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import Blueprint, Response, request

from core import log, metrics
from core.clock import Clock
from core.db import Database
from core.errors import UnavailableError
from core.keyring import Keyring
from sms import inbound
from sms.inbound import Arrival, Receipt
from sms.limits import Backlog, FailureThrottle, RateLimit
from sms.links import http
from sms.links.errors import MalformedError, UnauthenticatedError, WrongTypeError
from sms.links.http import Headers
from sms.links.model import Envelope, Link, LinkKind, LinkState
from sms.links.registry import LinkRegistry
from sms.problems import Answer, refusal, response_of
from sms.signals import Bell

MOST_BYTES = 8192
_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """One request to a link's webhook, whole."""

    code: str
    path_secret: str | None = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    source: str


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
    backlog: Backlog
    throttle: FailureThrottle
    received: Bell

    def receive(self, posts: Sequence[Post]) -> list[Answer]:
        """Answer each of these requests; what is acknowledged is committed."""
        read = [self._read(post) for post in posts]
        offers = {place: one for place, one in enumerate(read) if isinstance(one, _Offer)}
        try:
            taken = self._take(offers)
        except UnavailableError as error:
            taken = dict.fromkeys(offers, _not_stored(error))
        return [taken[place] if isinstance(one, _Offer) else one for place, one in enumerate(read)]

    def _read(self, post: Post) -> _Offer | Answer:
        """Look at one request by itself; whatever is wrong with it is wrong with no other."""
        if len(post.body) > MOST_BYTES:
            return refusal(413)
        try:
            link, envelope = _authenticate(self, post)
            return _Offer(link, inbound.prepare(self.keyring, link, envelope, self.clock.now()))
        except WrongTypeError:
            return refusal(415)
        except UnauthenticatedError:
            return _unauthenticated(self, post)
        except MalformedError as error:
            return refusal(400, detail=str(error))
        except UnavailableError as error:
            return _not_stored(error)
        except Exception as error:  # noqa: BLE001 (the others of the lot are answered all the same)
            return broken(error)

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

    @blueprint.post("/<code>/inbound", provide_automatic_options=False)
    @blueprint.post("/<code>/inbound/<path_secret>", provide_automatic_options=False)
    def receive(code: str, path_secret: str | None = None) -> Response:
        body, source = request.get_data(cache=False), request.remote_addr or ""
        post = Post(code, path_secret, request.headers, body, source)
        return response_of(receiver.receive([post])[0])

    return blueprint


def broken(error: Exception) -> Answer:
    """Answer for what should not have happened."""
    _log.error("request.broke", **log.failure(error))
    return refusal(500)


def _authenticate(receiver: Receiver, post: Post) -> tuple[Link, Envelope]:
    link = receiver.links.get(post.code)
    mimetype = post.headers.get("content-type", "").partition(";")[0].strip().lower()
    speaks_form = mimetype == "application/x-www-form-urlencoded"
    if not speaks_form and mimetype != http.CONTENT_TYPE:
        raise WrongTypeError
    now = receiver.clock.now()
    if link is None or link.state is LinkState.TERMINATED:
        raise UnauthenticatedError
    expected, given = link.path_secret or "", post.path_secret or ""
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise UnauthenticatedError
    if link.kind is LinkKind.HTTP:
        if speaks_form:
            raise WrongTypeError
        return link, http.read_message(http.authenticate(link, post.headers, post.body, now), now)
    if not speaks_form:
        raise WrongTypeError
    from sms.links import twilio  # noqa: PLC0415 (loads slowly, and most deployments have none)

    url = receiver.public_url + link.webhook_path
    signature = post.headers.get("x-twilio-signature", "")
    return link, twilio.read_message(
        link, twilio.authenticate(link, url, signature, post.body), now
    )


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
    if link.kind is LinkKind.TWILIO:
        from sms.links.twilio import ACKNOWLEDGEMENT  # noqa: PLC0415 (loads slowly)

        return Answer(200, "text/xml", ACKNOWLEDGEMENT.encode())
    # The id is visible ASCII, of which JSON escapes two characters.
    escaped = offer.arrival.operator_message_id.replace("\\", "\\\\").replace('"', '\\"')
    return Answer(202, http.CONTENT_TYPE, f'{{"id":"{escaped}"}}'.encode())
