"""The log over HTTP, as C2SP tlog-tiles has it: straight from the database, on every web process.

Hash tiles and the checkpoint are everybody's; entry bundles are for auditors, who show a token.
"""

import gzip

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from core import log, metrics
from core.clock import Clock
from core.db import Database
from core.errors import UnavailableError
from journal import auditors, cosignature, layout, published
from journal.errors import JournalFault
from journal.journal import Journal
from journal.layout import ENTRIES, Resource
from sms.limits import FailureThrottle
from sms.problems import problem

_NOTE = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_BRIEFLY = "public, max-age=2"
_FOR_GOOD = "max-age=31536000, immutable"
_UNREADABLE = "The journal cannot be read now: try again later"
_SCHEME = "Bearer "
_LABEL = "journal"
_log = log.get_logger(__name__)


def make_blueprint(database: Database, journal: Journal, clock: Clock) -> Blueprint:
    """Make the pages of the log."""
    blueprint = Blueprint("journal", __name__, url_prefix="/journal")
    throttle = FailureThrottle(clock)

    @blueprint.get("/checkpoint")
    def checkpoint() -> Response:
        if request.query_string:
            return problem(404)
        try:
            note = database.read(lambda session: _published(session, journal))
        except (UnavailableError, JournalFault) as error:
            return _unreadable(error)
        return _answer(note.encode(), _NOTE, _BRIEFLY)

    # Two slashes together are no name of anything, and are not read as one.
    @blueprint.get("/tile/<path:rest>", merge_slashes=False)
    def tile(rest: str) -> Response:
        resource = None if request.query_string else layout.parse(f"tile/{rest}")
        if resource is None:
            return problem(404)
        try:
            if resource.level == ENTRIES:
                return _bundle(database, throttle, resource)
            return _found(database, resource, f"public, {_FOR_GOOD}")
        except UnavailableError as error:
            return _unreadable(error)

    return blueprint


def _published(session: Session, journal: Journal) -> str:
    """Return the newest checkpoint, where a quorum is demanded the newest that has it."""
    witnessed = journal.witnessed(session)
    if witnessed is None or witnessed.size is None:
        return published.newest(session).note
    return witnessed.note + cosignature.merged("", witnessed.cosignatures)


def _found(database: Database, resource: Resource, cached: str) -> Response:
    found = database.read(lambda session: published.read(session, [resource]))
    return _answer(found[resource], _BYTES, cached) if found else problem(404)


def _bundle(database: Database, throttle: FailureThrottle, resource: Resource) -> Response:
    """Give a bundle to an auditor; who is none is told the same whatever was asked for."""
    said = request.headers.get("Authorization", "")
    shown = said.removeprefix(_SCHEME)
    # What cannot be a token is not looked for.
    if not (said.startswith(_SCHEME) and auditors.is_token(shown)) or not database.read(
        lambda session: auditors.named_by(session, shown)
    ):
        return _unauthenticated(throttle)
    response = _found(database, resource, f"private, {_FOR_GOOD}")
    response.vary.update(("Authorization", "Accept-Encoding"))
    if response.status_code == 200 and request.accept_encodings.quality("gzip"):  # noqa: PLR2004 (the status)
        response.set_data(gzip.compress(response.get_data(), 6, mtime=0))
        response.content_encoding = "gzip"
    return response


def _unauthenticated(throttle: FailureThrottle) -> Response:
    metrics.AUTH_FAILURES.labels(_LABEL).inc()
    source = request.remote_addr or ""
    wait = throttle.failed(_LABEL, source)
    if wait is not None:
        metrics.ALARMS.labels("authentication-failures").inc()
        return problem(429, retry_after=wait)
    _log.warning("journal.unauthenticated", source=source)
    response = problem(401)
    response.headers["WWW-Authenticate"] = _SCHEME.strip()
    return response


def _unreadable(error: Exception) -> Response:
    _log.error("journal.unreadable", **log.failure(error))
    return problem(503, title=_UNREADABLE, retry_after=5)


def _answer(body: bytes, kind: str, cached: str) -> Response:
    response = Response(body, content_type=kind)
    response.headers["Cache-Control"] = cached
    return response
