"""The operators' door: authenticate, read, store, acknowledge; the commit comes first."""

import hmac
from dataclasses import dataclass

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from core import log, metrics
from core.clock import Clock
from core.errors import UnavailableError
from core.keyring import Keyring
from sms import inbound
from sms.inbound import Receipt
from sms.intake import Intake
from sms.limits import Backlog, FailureThrottle, RateLimit
from sms.links import http
from sms.links.errors import MalformedError, UnauthenticatedError, WrongTypeError
from sms.links.model import Envelope, Link, LinkKind, LinkState
from sms.links.registry import LinkRegistry
from sms.problems import problem
from sms.signals import Bell

MOST_BYTES = 8192
_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """What RECEIVE needs."""

    intake: Intake
    keyring: Keyring
    links: LinkRegistry
    clock: Clock
    public_url: str
    rate: RateLimit
    backlog: Backlog
    throttle: FailureThrottle
    received: Bell


def make_blueprint(receiver: Receiver) -> Blueprint:
    """Make the routes that operators post to."""
    blueprint = Blueprint("sms", __name__, url_prefix="/sms")

    @blueprint.post("/<code>/inbound", provide_automatic_options=False)
    @blueprint.post("/<code>/inbound/<path_secret>", provide_automatic_options=False)
    def receive(code: str, path_secret: str | None = None) -> Response:
        try:
            link, envelope = _authenticate(receiver, code, path_secret)
        except WrongTypeError:
            return problem(415)
        except UnauthenticatedError:
            return _unauthenticated(receiver, code)
        except MalformedError as error:
            return problem(400, detail=str(error))
        except UnavailableError as error:
            return _not_stored(error)
        try:
            return _take(receiver, link, envelope)
        except UnavailableError as error:
            return _not_stored(error)

    return blueprint


def _authenticate(receiver: Receiver, code: str, path_secret: str | None) -> tuple[Link, Envelope]:
    link = receiver.links.get(code)
    speaks_form = request.mimetype == "application/x-www-form-urlencoded"
    if not speaks_form and request.mimetype != http.CONTENT_TYPE:
        raise WrongTypeError
    body = request.get_data(cache=False)
    if len(body) > MOST_BYTES:
        raise RequestEntityTooLarge
    now = receiver.clock.now()
    if link is None or link.state is LinkState.TERMINATED:
        raise UnauthenticatedError
    if not hmac.compare_digest((link.path_secret or "").encode(), (path_secret or "").encode()):
        raise UnauthenticatedError
    if link.kind is LinkKind.HTTP:
        if speaks_form:
            raise WrongTypeError
        return link, http.read_message(http.authenticate(link, request.headers, body, now), now)
    if not speaks_form:
        raise WrongTypeError
    from sms.links import twilio  # noqa: PLC0415 (loads slowly, and most deployments have none)

    url = receiver.public_url + link.webhook_path
    fields = twilio.authenticate(link, url, request.headers.get("x-twilio-signature", ""), body)
    return link, twilio.read_message(link, fields, now)


def _not_stored(error: UnavailableError) -> Response:
    _log.error("inbound.not-stored", **log.failure(error))
    return problem(503, retry_after=5)


def _unauthenticated(receiver: Receiver, code: str) -> Response:
    known = receiver.links.get(code)
    label = known.code if known else "unknown"
    metrics.AUTH_FAILURES.labels(label).inc()
    source = request.remote_addr or ""
    wait = receiver.throttle.failed(label, source)
    if wait is None:
        _log.warning("inbound.unauthenticated", link=label, source=source)
        return problem(401)
    metrics.ALARMS.labels("authentication-failures").inc()
    return problem(429, retry_after=wait)


def _take(receiver: Receiver, link: Link, envelope: Envelope) -> Response:
    if link.state is LinkState.DISABLED:
        return problem(403)
    if not receiver.rate.allows(link):
        return problem(429, retry_after=1)
    if receiver.backlog.is_full(link):
        return problem(429, retry_after=10)
    arrival = inbound.prepare(receiver.keyring, link, envelope, receiver.clock.now())
    receipt = receiver.intake.store(arrival)
    metrics.MESSAGES_IN.labels(link.code, receipt.name.lower()).inc()
    match receipt:
        case Receipt.CONFLICTING:
            metrics.ALARMS.labels("conflicting-repeat").inc()
            _log.error("inbound.conflicting", link=link.code)
            return problem(409)
        case Receipt.NEW:
            receiver.received.ring()
        case Receipt.REPEATED:
            pass
    return _acknowledge(link, envelope)


def _acknowledge(link: Link, envelope: Envelope) -> Response:
    if link.kind is LinkKind.TWILIO:
        from sms.links.twilio import ACKNOWLEDGEMENT  # noqa: PLC0415 (loads slowly)

        return Response(ACKNOWLEDGEMENT, 200, mimetype="text/xml")
    # The id is visible ASCII, of which JSON escapes two characters.
    escaped = envelope.operator_message_id.replace("\\", "\\\\").replace('"', '\\"')
    return Response(f'{{"id":"{escaped}"}}', 202, mimetype=http.CONTENT_TYPE)
