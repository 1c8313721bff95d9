"""Stands before every page of the console: who asks, whether they may, and whether they meant to.

A page is reached through `Guard.page` or it is not reached: there is no other way to add one that
shows or does anything. Session and token against forged forms hang on one cookie (ADR 0020).
"""

import hmac
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.access import meter, sessions
from console.access.login import Visitor
from console.access.roles import DANGEROUS, Right
from console.access.sessions import Login
from console.desk import Desk
from console.errors import NotAllowedError, OverCapError
from core import log
from core.errors import CoreError
from journal.errors import JournalError

P = ParamSpec("P")
View = Callable[Concatenate[Login, P], ResponseReturnValue]

_COOKIE = "tradan-console"
_AGENT_SHOWN = 200
# Whoever has clicked too much can still stop the service.
_NEVER_SHED = frozenset({Right.SEE_CONTROL, Right.STOP})
_log = log.get_logger(__name__)


class Guard:
    """Adds pages to the console's blueprint, each with the right that opens it."""

    def __init__(self, blueprint: Blueprint, desk: Desk) -> None:
        self._blueprint = blueprint
        self._desk = desk
        self._is_secure = desk.settings.public_url.startswith("https:")
        # The prefix binds the cookie to this host and to TLS; a browser refuses it without.
        self.cookie = f"__Host-{_COOKIE}" if self._is_secure else _COOKIE
        self.rights: dict[str, Right | None] = {}

    def page(
        self, path: str, endpoint: str, right: Right | None, view: View[...], *methods: str
    ) -> None:
        """Add a page that an officer with *right* may open, or, without one, any officer."""
        self.rights[endpoint] = right
        guarded = partial(self._serve, right, view)
        self._blueprint.add_url_rule(path, endpoint, guarded, methods=methods or ("GET",))

    def open_page(self, path: str, endpoint: str, view: Callable[..., ResponseReturnValue]) -> None:
        """Add a page for those who are not let in yet; what it is sent must come from itself."""

        def guarded(**arguments: object) -> ResponseReturnValue:
            if request.method != "GET" and not _is_from_here():
                return self.refuse(HTTPStatus.FORBIDDEN, "forged")
            return view(**arguments)

        self._blueprint.add_url_rule(path, endpoint, guarded, methods=("GET", "POST"))

    def let_in(self, response: Response, token: str) -> Response:
        """Give the browser the token of its session."""
        response.set_cookie(
            self.cookie,
            token,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="Strict",
        )
        return response

    def let_out(self, response: Response) -> Response:
        """Have the browser forget its session, and what it keeps of our pages."""
        response.delete_cookie(self.cookie, path="/", secure=self._is_secure, samesite="Strict")
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def token_against_forgery(self) -> str:
        """Return what every form of this session carries."""
        return self.mark("form")

    def mark(self, words: str) -> str:
        """Mark words as those of a page that this session was shown."""
        session_token = request.cookies.get(self.cookie, "")
        return hmac.digest(session_token.encode(), f"mark/1\n{words}".encode(), "sha256").hex()

    def is_marked(self, mark: str, words: str) -> bool:
        """Tell whether a page of this session bore these words."""
        return hmac.compare_digest(mark.encode(), self.mark(words).encode())

    def visitor(self) -> Visitor:
        """Return where this request comes from."""
        agent = request.headers.get("User-Agent", "")[:_AGENT_SHOWN]
        return Visitor(request.remote_addr or "", "".join(c for c in agent if c.isprintable()))

    def refuse(self, status: HTTPStatus, why: str, login: Login | None = None) -> Response:
        """Say why nothing is shown; whoever is logged in keeps the menu."""
        page = render_template("console/refused.html", why=why, login=login)
        response = make_response(page, status)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _serve(
        self, right: Right | None, view: View[...], **arguments: object
    ) -> ResponseReturnValue:
        login = None
        try:
            login = self._login(right)
            if login is None:
                return self._to_login()
            refused = self._refused(login, right)
            if refused is not None:
                return refused
            self._count(login, right)
            return view(login, **arguments)
        except OverCapError as error:
            return self._stopped(error, login)
        except NotAllowedError as error:
            _log.warning("console.not_allowed", reason=str(error))
            return self.refuse(HTTPStatus.CONFLICT, str(error), login)
        except (CoreError, JournalError) as error:
            # What cannot be written down, or read as it was written, is not shown.
            _log.error("console.unavailable", **log.failure(error))
            return self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")

    def _login(self, right: Right | None) -> Login | None:
        token, now = request.cookies.get(self.cookie, ""), self._desk.clock.now()
        if not token:
            return None
        stops = right is Right.STOP
        database = self._desk.switch if stops else self._desk.database
        login = database.read(lambda session: sessions.find(session, token, now))
        if login is None or login.officer.disabled_at is not None:
            return None
        # Who stops waits for nothing that the stop does not need; a page that asks for its news by
        # itself is nobody at work.
        if sessions.is_stale(login, now) and not stops and not _is_for_news():
            self._desk.database.write(lambda session: sessions.see(session, login, now))
        return login

    def _count(self, login: Login, right: Right | None) -> None:
        if right in _NEVER_SHED or request.endpoint == "console.logout":
            return
        most = self._desk.settings.console_requests_per_minute
        cap = meter.refreshes(most) if _is_for_news() else meter.requests(most)
        self._desk.meter.spend(login.officer, cap)

    def _stopped(self, error: OverCapError, login: Login | None) -> Response:
        page = render_template("console/capped.html", cap=error, login=login)
        response = make_response(page, HTTPStatus.TOO_MANY_REQUESTS)
        if error.is_daily:
            # A live part has no room to say so: the whole page is asked for, and is this one.
            response.headers["HX-Refresh"] = "true"
        else:
            response.headers["Retry-After"] = "60"
        return response

    def _refused(self, login: Login, right: Right | None) -> ResponseReturnValue | None:
        if right is not None and right not in login.officer.rights:
            return self.refuse(HTTPStatus.FORBIDDEN, "right", login)
        if request.method == "GET":
            return None
        sent = request.form.get("form_token", "") or request.headers.get("X-Form-Token", "")
        if not _is_from_here() or not self.is_marked(sent, "form"):
            return self.refuse(HTTPStatus.FORBIDDEN, "forged", login)
        if right in DANGEROUS and not login.is_fresh(self._desk.clock.now()):
            back = urlsplit(request.referrer or "").path or url_for("console.overview")
            return redirect(url_for("console.step_up", back=back), HTTPStatus.SEE_OTHER)
        return None

    def _to_login(self) -> ResponseReturnValue:
        if _is_for_news():
            # A live part of a page whose session has ended: the whole page goes to the login.
            return "", HTTPStatus.UNAUTHORIZED, {"HX-Redirect": url_for("console.login")}
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        # Whoever holds a token was logged in: what they sent now was not done.
        ended = "1" if request.cookies.get(self.cookie) else None
        return redirect(url_for("console.login", back=back, ended=ended), HTTPStatus.SEE_OTHER)


def _is_for_news() -> bool:
    """Tell whether a live part of an open page asks."""
    return bool(request.headers.get("HX-Request"))


def _is_from_here() -> bool:
    """Tell whether the page that sent this form is one of ours, by what every browser says."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def own_path(text: str | None) -> str | None:
    """Return an address of the console that somebody may be sent back to; None for any other."""
    parts = urlsplit(text or "")
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith("/console")
    return text if is_ours and "\\" not in parts.path and "//" not in parts.path else None
