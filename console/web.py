"""The console as a part of the web application: its pages, its languages, its headers."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, request
from flask_babel import Babel, get_locale
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from console import pages, sayings, speech, words
from console.access.sessions import Login
from console.desk import Deployment, Desk
from console.guard import Guard, own_path
from console.pill import Pill
from console.views.access_file import AccessFile
from console.views.acts import ActsPage
from console.views.billing import Billing
from console.views.billing_files import BillingFiles
from console.views.billing_result import BillingResult
from console.views.control import Control
from console.views.diagnostics import Diagnostics
from console.views.entrance import Entrance
from console.views.export import Export
from console.views.journal import JournalPage
from console.views.message import MessagePage
from console.views.messages import Messages
from console.views.officers import Officers
from console.views.operators import Operators
from console.views.overview import Overview
from console.views.reveals import Reveals
from console.views.tariffs import TariffsPage
from core import log

PREFIX = "/console"
# Where whoever stops the service posts to: served by a thread of its own (cli.door).
SWITCH = f"{PREFIX}/control/stop"
LANGUAGES = ("vi", "en")
SCHEMES = ("auto", "light", "dark")
_LANGUAGE_COOKIE, _SCHEME_COOKIE = "tradan-language", "tradan-scheme"
_YEAR_SECONDS = 365 * 86_400
_HERE = Path(__file__).parent
# Each adds what it shows and does to the guard.
_PAGES: tuple[Callable[[Desk, Guard], object], ...] = (
    Entrance,
    Overview,
    Control,
    Messages,
    MessagePage,
    Reveals,
    Export,
    AccessFile,
    JournalPage,
    Operators,
    Billing,
    BillingFiles,
    BillingResult,
    TariffsPage,
    Officers,
    ActsPage,
    Diagnostics,
)
_log = log.get_logger(__name__)


def mount(app: Flask, deployment: Deployment) -> Guard:
    """Put the console on the application of a deployment."""
    desk = Desk.of(deployment)
    blueprint = Blueprint(
        "console",
        __name__,
        url_prefix=PREFIX,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    guard = Guard(blueprint, desk)
    guard.page("/<path:address>", "nowhere", None, partial(_nowhere, guard))
    blueprint.register_error_handler(HTTPException, partial(_unreadable, guard))
    blueprint.register_error_handler(Exception, partial(_broke, guard))
    for page in _PAGES:
        page(desk, guard)
    blueprint.after_request(_headers)
    pill = Pill(desk.database, desk.journal, desk.settings.state_dir, desk.clock)
    blueprint.context_processor(lambda: _words(desk, guard, pill))
    Babel(
        app,
        default_locale="vi",
        default_timezone="Asia/Ho_Chi_Minh",
        default_translation_directories=str(_HERE / "translations"),
        locale_selector=_language,
    )
    app.register_blueprint(blueprint)
    return guard


def _words(desk: Desk, guard: Guard, pill: Pill) -> dict[str, object]:
    return {
        "_": sayings.of_this_page(),
        "form_token": guard.token_against_forgery,
        "hidden_token": lambda: _hidden(guard.token_against_forgery()),
        "here": _here,
        "service_state": lambda: pill.look(at_once=request.endpoint == "console.control"),
        "pages": pages.MENU,
        "role_name": words.ROLES.__getitem__,
        "language": str(get_locale()),
        "languages": LANGUAGES,
        "scheme": _chosen("scheme", _SCHEME_COOKIE, SCHEMES),
        "schemes": SCHEMES,
        "hour": speech.hour,
        "instant": speech.instant,
        "moment": speech.moment,
        "day_of": speech.day_of,
        "span": speech.span,
        "decimal": speech.decimal,
        "number": speech.number,
        "dong": speech.dong,
        "seconds": speech.seconds,
        "ago": speech.ago,
        "bytes": speech.size_in_bytes,
        "now": desk.clock.now(),
        "mode": desk.settings.mode,
    }


def _here(**changes: str) -> str:
    """Return the address of this page with some of what it says changed."""
    if request.method != "GET":
        # What answers a form has no address of its own.
        return f"{PREFIX}/?{urlencode(changes)}"
    kept = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in changes and (name != "back" or own_path(value))
    ]
    return f"{request.path}?{urlencode([*kept, *changes.items()])}"


def _nowhere(guard: Guard, login: Login, **_address: str) -> Response:
    return guard.refuse(HTTPStatus.NOT_FOUND, "unknown", login)


def _unreadable(guard: Guard, error: HTTPException) -> Response:
    return guard.refuse(HTTPStatus(error.code or HTTPStatus.BAD_REQUEST), "unreadable")


def _broke(guard: Guard, error: Exception) -> Response:
    _log.error("request.broke", **log.failure(error))
    return guard.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "broke")


def _hidden(token: str) -> Markup:
    return Markup('<input type="hidden" name="form_token" value="{}">').format(token)


def _language() -> str:
    return _chosen("lang", _LANGUAGE_COOKIE, LANGUAGES)


def _chosen(parameter: str, cookie: str, choices: tuple[str, ...]) -> str:
    for wanted in (request.args.get(parameter), request.cookies.get(cookie)):
        if wanted in choices:
            return wanted
    return choices[0]


def _headers(response: Response) -> Response:
    is_static = request.endpoint == "console.static"
    response.headers["Cache-Control"] = "max-age=86400" if is_static else "no-store"
    for parameter, cookie, choices in (
        ("lang", _LANGUAGE_COOKIE, LANGUAGES),
        ("scheme", _SCHEME_COOKIE, SCHEMES),
    ):
        wanted = request.args.get(parameter)
        if wanted is not None and wanted in choices:
            response.set_cookie(
                cookie, wanted, max_age=_YEAR_SECONDS, path=PREFIX, samesite="Strict"
            )
    return response
