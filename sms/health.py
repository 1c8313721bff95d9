"""Whether the process lives, whether it can do its work, and what it counts."""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.registry import REGISTRY
from sqlalchemy.orm import Session

from core import migrate
from core.clock import Clock
from core.db import Database
from core.errors import CoreError
from journal import verifications
from journal.errors import JournalError
from journal.journal import Journal
from records.stops import STOP, StopReason
from sms import queue
from sms.links import assessments
from sms.links.model import LinkState
from sms.tables import LINK

_MAY_WAIT = timedelta(seconds=60)


def make_blueprint(
    database: Database, journal: Journal, clock: Clock, *, with_metrics: bool
) -> Blueprint:
    """Make the routes that machines watch the service by."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def alive() -> Response:
        return jsonify(alive=True)

    @blueprint.get("/readyz")
    def ready() -> Response:
        checks = {
            "database": _holds(lambda: database.write(_can_write)),
            "migrations": _holds(lambda: migrate.require_current(database)),
            "keys": _holds(lambda: database.read(journal.holds_newest_key)),
            "journal": _holds(lambda: database.read(lambda s: _journal_seals(s, journal, clock))),
            "verified": _holds(lambda: database.read(lambda s: _is_verified(s, clock))),
            "queue": _holds(lambda: database.read(lambda s: _queue_moves(s, clock))),
        }
        is_ready = all(checks.values())
        response = jsonify(
            ready=is_ready, checks=checks, warnings=_warnings(database, journal, clock)
        )
        response.status_code = 200 if is_ready else 503
        return response

    if with_metrics:

        @blueprint.get("/metrics")
        def metrics() -> Response:
            return Response(generate_latest(registry()), mimetype=CONTENT_TYPE_LATEST)

    return blueprint


def registry() -> CollectorRegistry:
    """Return what this process has counted, with its siblings where they count together."""
    shared = CollectorRegistry()
    try:
        multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # the library ships no types for it
    except ValueError:
        return REGISTRY
    return shared


def _holds(check: Callable[[], object]) -> bool:
    try:
        return check() is not False
    except (CoreError, JournalError, sa.exc.SQLAlchemyError):
        return False


def _can_write(session: Session) -> None:
    # Changes no row, and yet fails on a database that takes no writes.
    session.execute(sa.update(LINK).where(sa.false()).values(rate=LINK.c.rate))


def _journal_seals(session: Session, journal: Journal, clock: Clock) -> bool:
    journal.head(session)
    faulty = sa.select(STOP.c.id).where(
        STOP.c.resumed_at.is_(None), STOP.c.reason == StopReason.JOURNAL_FAULT
    )
    is_faulty = session.execute(faulty).first() is not None
    return not is_faulty and journal.obstacle(session, clock.now()) is None


def _warnings(database: Database, journal: Journal, clock: Clock) -> list[str]:
    """Name what a person must look at though the service goes on."""
    now = clock.now()
    try:
        witnessed = database.read(journal.witnessed)
        assessments_end = database.read(lambda session: _assessments_end(session, now))
    except (CoreError, JournalError, sa.exc.SQLAlchemyError):
        return []  # a check says so
    is_late = witnessed is not None and witnessed.is_late(now)
    found = {"witnesses": is_late, "assessments": assessments_end}
    return [name for name, is_so in found.items() if is_so]


def _assessments_end(session: Session, now: datetime) -> bool:
    """Tell whether that of a link in use has ended, or ends soon."""
    soon = sa.select(LINK.c.id).where(
        LINK.c.state == LinkState.ACTIVE, LINK.c.assessed_until <= assessments.warned_from(now)
    )
    return session.execute(soon.limit(1)).first() is not None


def _is_verified(session: Session, clock: Clock) -> bool:
    return verifications.standing(session, clock.now()).is_current


def _queue_moves(session: Session, clock: Clock) -> bool:
    waiting = queue.oldest(session)
    return waiting is None or clock.now() - waiting <= _MAY_WAIT
