"""The pages by which officers come in, show their second factor again, and go out."""

from http import HTTPStatus

import segno
from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from console.access import factor, officers, sessions
from console.access.invitations import Invitation, InvitationKind
from console.access.login import Admitted, Refusal
from console.access.sessions import Ended, Login
from console.acts import Act
from console.desk import Desk
from console.guard import Guard, own_path
from core import log
from core.errors import UnavailableError
from journal.errors import JournalError

_LONGEST_FIELD = 512
_log = log.get_logger(__name__)


class Entrance:
    """The pages of one console's entrance."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard
        guard.open_page("/login", "login", self.login)
        guard.open_page("/invitation/<token>", "invitation", self.invitation)
        guard.page("/step-up", "step_up", None, self.step_up, "GET", "POST")
        guard.page("/logout", "logout", None, self.logout, "POST")

    def login(self) -> ResponseReturnValue:
        """Let in who has a name, a password and a device."""
        back = own_path(request.values.get("back"))
        if request.method == "GET":
            return self._page("login", back=back, is_ended=request.args.get("ended") == "1")
        found = self._desk.reception.log_in(
            _field("name").strip(), _field("password"), _code(), self._guard.visitor()
        )
        if isinstance(found, Refusal):
            # The same page at the same status, whatever was wrong.
            return self._page("login", back=back, refusal=found, name=_field("name").strip())
        self._tell(found, "login")
        return self._let_in(found, back)

    def invitation(self, token: str) -> ResponseReturnValue:
        """Let in who was invited."""
        invited = self._desk.reception.invitation(token)
        if invited is None:
            return self._guard.refuse(HTTPStatus.GONE, "invitation")
        if request.method == "GET":
            return self._invited(invited)
        visitor = self._guard.visitor()
        if invited.kind is InvitationKind.ENTER:
            found = self._desk.reception.enter(token, visitor)
        elif _field("password") != _field("again"):
            return self._invited(invited, refusal="differ")
        else:
            found = self._desk.reception.enrol(token, _field("password"), _code(), visitor)
        if isinstance(found, Refusal):
            return self._invited(invited, refusal=found)
        self._tell(found, "login" if invited.kind is InvitationKind.ENTER else "enrol")
        if not found.recovery_codes:
            return self._let_in(found, None)
        page = self._page("recovery", codes=found.recovery_codes)
        return self._guard.let_in(page, found.token)

    def step_up(self, login: Login) -> ResponseReturnValue:
        """Have an officer show the second factor again before a dangerous act."""
        back = own_path(request.values.get("back"))
        if request.method == "GET":
            return self._page("step_up", login=login, back=back)
        now, desk = self._desk.clock.now(), self._desk

        def spend(session: Session) -> str | None:
            officer = officers.by_id(session, login.officer.id)
            if not officers.spend(session, officer, desk.keyring, _code(), now):
                return None
            return sessions.step_up(session, login, now)

        token = desk.database.write(spend)
        if token is None:
            return self._page("step_up", login=login, back=back, refusal=Refusal.WRONG)
        answer = make_response(redirect(back or url_for("console.overview"), HTTPStatus.SEE_OTHER))
        return self._guard.let_in(answer, token)

    def logout(self, login: Login) -> ResponseReturnValue:
        """End the session."""
        now = self._desk.clock.now()
        self._desk.database.write(
            lambda session: sessions.end(session, login.id, Ended.LOGOUT, now)
        )
        answer = make_response(redirect(url_for("console.login"), HTTPStatus.SEE_OTHER))
        return self._guard.let_out(answer)

    def _invited(self, invited: Invitation, refusal: str | None = None) -> Response:
        if invited.kind is InvitationKind.ENTER:
            return self._page("enter", officer=invited.officer, refusal=refusal)
        seed = self._desk.reception.seed(invited)
        picture = segno.make_qr(factor.address(seed, invited.officer.name))
        return self._page(
            "enrol",
            officer=invited.officer,
            seed=seed,
            picture=picture.svg_inline(scale=4, border=2, svgclass="qr", lineclass="qr-line"),
            refusal=refusal,
        )

    def _page(self, template: str, *, login: Login | None = None, **words: object) -> Response:
        return make_response(render_template(f"console/{template}.html", login=login, **words))

    def _let_in(self, admitted: Admitted, back: str | None) -> Response:
        answer = make_response(redirect(back or url_for("console.overview"), HTTPStatus.SEE_OTHER))
        return self._guard.let_in(answer, admitted.token)

    def _tell(self, admitted: Admitted, act: str) -> None:
        try:
            self._desk.acts.record(admitted.officer, Act(name=act))
        except (JournalError, UnavailableError) as error:
            # Whoever has to stop a service whose journal is broken must get in without an entry.
            _log.error("console.login_without_entry", **log.failure(error))


def _field(name: str) -> str:
    return request.form.get(name, "")[:_LONGEST_FIELD]


def _code() -> str:
    return _field("code").replace(" ", "")
