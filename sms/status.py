"""The public page: whether the service runs, what it costs, whom to ask, and the journal's head."""

from flask import Blueprint, Response, jsonify

from core.clock import Clock
from core.db import Database
from core.settings import Settings
from journal.journal import Journal
from sms import standing
from sms.links.registry import LinkRegistry


def make_blueprint(
    settings: Settings, database: Database, links: LinkRegistry, journal: Journal, clock: Clock
) -> Blueprint:
    """Make the public status page."""
    blueprint = Blueprint("status", __name__)

    @blueprint.get("/status")
    def status() -> Response:
        found = standing.load(settings, database, links, journal, clock.now())
        return jsonify(found.as_json())

    return blueprint
