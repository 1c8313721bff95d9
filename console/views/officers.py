"""Officers and their sessions: added, given roles, shut out, invited anew, logged out."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console import agents
from console.access import invitations, officers, sessions
from console.access.invitations import InvitationKind
from console.access.officers import Officer, is_name
from console.access.roles import Right, Role, conflict
from console.access.sessions import Ended, Login
from console.acts import Act
from console.desk import Desk
from console.errors import NotAllowedError, OfficerExistsError, UnknownOfficerError
from console.guard import Guard
from journal.leaf import PayloadValue

T = TypeVar("T")

_LONGEST_FULL_NAME = 100


class Officers:
    """The page of officers of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        guard.page("/officers", "officers", Right.SEE_OFFICERS, self.show)
        manage = Right.MANAGE_OFFICERS
        guard.page("/officers/add", "add_officer", manage, self.add, "POST")
        guard.page("/officers/invite", "invite_officer", manage, self.invite, "POST")
        guard.page("/officers/roles", "give_roles", manage, self.give_roles, "POST")
        guard.page("/officers/lock", "lock_officer", manage, self.lock, "POST")
        guard.page("/officers/end", "end_session", manage, self.end, "POST")

    def show(self, login: Login) -> ResponseReturnValue:
        """Show the officers and who is logged in."""
        return self._page(login)

    def add(self, login: Login) -> ResponseReturnValue:
        """Add an officer and show the link of the invitation, once."""
        name = request.form.get("name", "").strip()
        full_name = " ".join(request.form.get("full_name", "").split())
        roles, now = _roles(), self._desk.clock.now()
        if not is_name(name):
            raise NotAllowedError(_("Tên đăng nhập chỉ gồm chữ thường không dấu, số và gạch dưới."))
        if not full_name or not full_name.isprintable() or len(full_name) > _LONGEST_FULL_NAME:
            raise NotAllowedError(_("Hãy ghi họ tên, tối đa 100 ký tự."))

        def work(session: Session) -> str:
            return self._invite(session, officers.add(session, name, full_name, roles, now))

        token = self._perform(login, "officer-add", name, work, roles=tuple(sorted(roles)))
        return self._page(login, token=token, name=name)

    def invite(self, login: Login) -> ResponseReturnValue:
        """Let an officer enrol anew and show the link, once."""
        name, now = request.form.get("name", ""), self._desk.clock.now()

        def work(session: Session) -> str:
            officer = _other(session, login, name)
            sessions.end_all(session, officer.id, Ended.CHANGED, now)
            return self._invite(session, officer)

        token = self._perform(login, "officer-invite", name, work)
        return self._page(login, token=token, name=name)

    def give_roles(self, login: Login) -> ResponseReturnValue:
        """Have an officer play other parts."""
        name, roles, now = request.form.get("name", ""), _roles(), self._desk.clock.now()

        def work(session: Session) -> None:
            officer = _other(session, login, name)
            officers.set_roles(session, officer, roles)
            sessions.end_all(session, officer.id, Ended.CHANGED, now)

        self._perform(login, "officer-roles", name, work, roles=tuple(sorted(roles)))
        return _back()

    def lock(self, login: Login) -> ResponseReturnValue:
        """Shut an officer out, or let the officer in again."""
        name, now = request.form.get("name", ""), self._desk.clock.now()
        undo = request.form.get("undo") == "1"

        def work(session: Session) -> None:
            officer = _other(session, login, name)
            officers.disable(session, officer, None if undo else now)
            sessions.end_all(session, officer.id, Ended.REVOKED, now)

        self._perform(login, "officer-unlock" if undo else "officer-lock", name, work)
        return _back()

    def end(self, login: Login) -> ResponseReturnValue:
        """End one session."""
        now = self._desk.clock.now()
        try:
            session_id = UUID(request.form.get("session", ""))
        except ValueError as error:
            raise NotAllowedError(_("Không có phiên này.")) from error
        self._perform(
            login,
            "session-end",
            str(session_id),
            lambda session: sessions.end(session, session_id, Ended.REVOKED, now),
        )
        return _back()

    def _page(
        self, login: Login, token: str | None = None, name: str | None = None
    ) -> ResponseReturnValue:
        desk, now = self._desk, self._desk.clock.now()

        def read(session: Session) -> tuple[list[Officer], list[Login]]:
            return officers.everybody(session), sessions.in_force(session, now)

        everybody, logins = desk.database.read(read)
        link = None
        if token is not None:
            link = desk.settings.public_url + url_for("console.invitation", token=token)
        page = render_template(
            "console/officers.html",
            login=login,
            everybody=everybody,
            logins=logins,
            browser=agents.short,
            roles=list(Role),
            link=link,
            invited=name,
        )
        return make_response(page)

    def _invite(self, session: Session, officer: Officer) -> str:
        desk = self._desk
        return invitations.invite(
            session, officer, InvitationKind.ENROL, desk.keyring, desk.clock.now()
        )

    def _perform(
        self,
        login: Login,
        act: str,
        name: str,
        work: Callable[[Session], T],
        roles: tuple[str, ...] = (),
    ) -> T:
        said: dict[str, PayloadValue] = {"officer": name}
        if roles:
            said["roles"] = roles
        try:
            done, _entry = self._desk.acts.perform(login.officer, Act(name=act, said=said), work)
        except OfficerExistsError as error:
            raise NotAllowedError(_("Đã có cán bộ tên này.")) from error
        except UnknownOfficerError as error:
            raise NotAllowedError(_("Không có cán bộ này.")) from error
        return done


def _other(session: Session, login: Login, name: str) -> Officer:
    if name == login.officer.name:
        raise NotAllowedError(_("Không ai tự đổi tài khoản của mình."))
    return officers.by_name(session, name)


def _roles() -> list[Role]:
    chosen = [Role(word) for word in request.form.getlist("role") if word in set(Role)]
    if not chosen:
        raise NotAllowedError(_("Hãy chọn ít nhất một vai trò."))
    if conflict(chosen):
        raise NotAllowedError(
            _(
                "Các vai trò này không đi cùng nhau: kiểm toán viên và quản trị tài khoản không "
                "giữ vai trò nào khác; người lập và người kiểm đối soát phải là hai người."
            )
        )
    return chosen


def _back() -> ResponseReturnValue:
    return redirect(url_for("console.officers"), HTTPStatus.SEE_OTHER)
