"""The public page: whether the service runs, what it costs, whom to ask, and the journal's head."""

from pathlib import Path

from flask import Blueprint, Response, jsonify, make_response, render_template, request, url_for

from core.clock import Clock
from core.db import Database
from core.settings import Settings
from journal.journal import Journal
from sms.commands import Language
from sms.links.registry import LinkRegistry
from sms.speech import Speech
from sms.standing import Reader, Standing

_HERE = Path(__file__).parent
_JSON, _HTML = "application/json", "text/html"
_CANNOT_BE_TOLD = 503


def make_blueprint(
    settings: Settings, database: Database, links: LinkRegistry, journal: Journal, clock: Clock
) -> Blueprint:
    """Make the public status page."""
    blueprint = Blueprint(
        "status",
        __name__,
        template_folder=str(_HERE / "pages"),
        static_folder=str(_HERE / "static"),
        static_url_path="/status/static",
    )
    reader = Reader(settings, database, links, journal, clock)

    @blueprint.get("/status")
    def status() -> Response:
        return _answer(reader.look())

    return blueprint


def _answer(found: Standing) -> Response:
    response = _page(found) if _wants_page() else jsonify(found.as_json())
    response.vary.add("Accept")
    if not found.is_known:
        response.status_code = _CANNOT_BE_TOLD
    return response


def _wants_page() -> bool:
    """Tell a browser from a program, which names JSON, or takes anything, or names nothing."""
    asked = request.args.get("format")
    if asked in {"json", "html"}:
        return asked == "html"
    return request.accept_mimetypes.best_match([_JSON, _HTML], _JSON) == _HTML


def _page(found: Standing) -> Response:
    language = Language.EN if request.args.get("lang") == Language.EN else Language.VI
    speech = Speech(language)
    addresses = {each: url_for("status.status", lang=each, format=_asked()) for each in Language}
    page = render_template(
        "status/page.html",
        found=found,
        speech=speech,
        say=speech.say,
        addresses=addresses,
        languages=Language,
    )
    response = make_response(page)
    response.content_language.add(language)
    return response


def _asked() -> str | None:
    """Return the format that was asked for by name, to be kept in links."""
    return "html" if request.args.get("format") == "html" else None
