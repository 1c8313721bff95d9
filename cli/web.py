"""The web application: the operators' door, the public pages, and the headers of every answer."""

from collections.abc import Mapping

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from cli import contract_pages, journal_pages, vendored
from cli.context import Service
from console import web as console
from core import log
from core.settings import Mode
from sms import health, status, webhook
from sms.problems import TITLES, problem
from sms.webhook import Receiver

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_OVER_TLS = {"Strict-Transport-Security": "max-age=63072000"}
_log = log.get_logger(__name__)


def make_app(service: Service, receiver: Receiver) -> Flask:
    """Make the application over a deployment."""
    app = Flask(__name__, static_folder=None)
    # A body without a length is cut here, not refused: one byte more shows that it was too large.
    app.config["MAX_CONTENT_LENGTH"] = webhook.MOST_BYTES + 1
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.register_blueprint(webhook.make_blueprint(receiver))
    settings = service.settings
    app.register_blueprint(
        status.make_blueprint(
            settings, service.database, service.links, service.journal, service.clock
        )
    )
    app.register_blueprint(
        health.make_blueprint(
            service.database,
            service.journal,
            service.clock,
            with_metrics=settings.metrics_bind is None,
        )
    )
    app.register_blueprint(
        journal_pages.make_blueprint(service.database, service.journal, service.clock)
    )
    app.register_blueprint(contract_pages.make_blueprint())
    vendored.mount(app)
    console.mount(app, service)
    if settings.mode is Mode.DEMO:
        from phone.web import mount

        mount(app, service)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broke)
    # TLS ends at a proxy: what comes in here never says that it came by it.
    is_secure = settings.public_url.startswith("https:")
    headers = {**HEADERS, **(_OVER_TLS if is_secure else {})}
    app.after_request(lambda response: _with_headers(response, headers))
    return app


def _refused(error: HTTPException) -> Response:
    code = error.code or 500
    return problem(code if code in TITLES else 400)


def _broke(error: Exception) -> Response:
    _log.error("request.broke", **log.failure(error))
    return problem(500)


def _with_headers(response: Response, headers: Mapping[str, str]) -> Response:
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    return response
