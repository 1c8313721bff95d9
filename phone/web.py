"""The phone's page: a thread of SMS, and beside it what happened inside; only in demo mode."""

from functools import partial

from flask import Blueprint, Flask, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.settings import Mode
from phone import thread
from phone.deployment import Deployment
from phone.desk import Desk, open_desk
from phone.errors import ForgedError, PhoneError
from phone.inside import Sealing
from phone.ladder import Rung, rungs
from phone.observer import ServiceObserver
from phone.view import Choice, View, look
from sms import segments

PREFIX = "/phone"
_LONGEST_TEXT = 600
_FRAGMENTS = ("thread", "inside", "suggestions")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What a browser says of a request that the page itself, or a person, has made; others say nothing.
_OWN_SITES = {None, "same-origin", "none"}


def mount(app: Flask, deployment: Deployment) -> None:
    """Put the phone's page on a service that runs for demonstration.

    Raises: PhoneError on any other.
    """
    if deployment.settings.mode is not Mode.DEMO:
        raise PhoneError("the phone simulator is for demonstrations: set TRADAN_MODE=demo")
    observer = ServiceObserver(deployment.database, deployment.keyring, deployment.journal)
    app.register_blueprint(
        make_blueprint(open_desk(deployment.settings, observer, deployment.clock))
    )


def make_blueprint(desk: Desk) -> Blueprint:
    """Make the page, its news, its form, and the address where texts for its phones arrive."""
    blueprint = Blueprint(
        "phone", __name__, url_prefix=PREFIX, template_folder="templates", static_folder="static"
    )
    add = blueprint.add_url_rule
    add("", "page", partial(_page, desk), strict_slashes=False)
    add("/thread", "news", partial(_news, desk))
    add("/send", "send", partial(_send, desk), methods=["POST"])
    add("/mt/<code>", "take", partial(_take, desk), methods=["POST"])
    blueprint.after_request(_guard)
    return blueprint


def _page(desk: Desk) -> ResponseReturnValue:
    return render_template("phone/page.html", **_words(look(desk, Choice.read(request.args))))


def _news(desk: Desk) -> ResponseReturnValue:
    view = look(desk, Choice.read(request.args))
    if request.args.get("since") == view.version:
        return "", 204
    words = _words(view)
    rendered = {part: render_template(f"phone/{part}.html", **words) for part in _FRAGMENTS}
    return jsonify({"version": view.version} | rendered)


def _send(desk: Desk) -> ResponseReturnValue:
    if request.headers.get("Sec-Fetch-Site") not in _OWN_SITES:
        return "This form is sent from its own page only.", 403
    view = look(desk, Choice.read(request.form))
    _submit(desk, view)
    if request.accept_mimetypes.best == "application/json":
        return "", 204
    return redirect(_address("phone.page", view.choice), 303)


def _submit(desk: Desk, view: View) -> None:
    if view.subscriber is None or view.network is None:
        return
    number, form = view.subscriber.number, request.form
    repeated = view.exchange_of.get(form.get("again", ""))
    text = (form.get("suggested") or form.get("text") or "").strip()[:_LONGEST_TEXT]
    if repeated is not None:
        desk.send(view.network, number, repeated.sent.body, repeated.sent.id)
    elif text:
        desk.send(view.network, number, text, view.network.new_id())


def _take(desk: Desk, code: str) -> ResponseReturnValue:
    network = desk.networks().get(code)
    if network is None:
        return "", 401
    try:
        network.deliver(dict(request.headers), request.get_data(cache=False))
    except ForgedError:
        return "", 401
    return "", 204


def _guard(response: Response) -> Response:
    """Let the page load nothing from elsewhere, and let no browser keep what it shows."""
    for name, value in _HEADERS.items():
        response.headers[name] = value
    if request.endpoint != "phone.static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _words(view: View) -> dict[str, object]:
    speech = view.speech
    return {
        "view": view,
        "speech": speech,
        "say": speech.say,
        "link": partial(_link, view.choice),
        "measure": segments.measure,
        "room": thread.room,
        "ladder_of": _ladder_of,
    }


def _link(choice: Choice, path: str = "phone.page", **changes: object) -> str:
    return _address(path, choice, changes)


def _address(path: str, choice: Choice, changes: dict[str, object] | None = None) -> str:
    values: dict[str, object] = {**choice.address(), **(changes or {})}
    return url_for(path, **values)  # type: ignore[arg-type] # the values of an address are any


def _ladder_of(sealing: Sealing) -> tuple[Rung, ...]:
    return rungs(sealing.index, sealing.size, sealing.path)
