"""What is masked in a message, seen by four eyes: asked for, granted by another, shown once."""

from http import HTTPStatus
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console import grounds, reveals
from console.access import meter
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.errors import NotAllowedError
from console.guard import Guard
from console.queries import masked
from console.queries.masked import Masked
from console.queries.message import is_there
from console.queries.reveals import Told, with_grounds
from console.reveals import Part, Reveal, State
from core.ids import uuid7
from journal.entries import Entry
from journal.leaf import PayloadValue


class Reveals:
    """The pages of one console on which officers ask to see what is masked."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        guard.page("/reveals", "reveals", Right.SEE_REVEALS, self.show)
        guard.page(
            "/messages/<uuid:message_id>/reveal", "ask_reveal", Right.ASK_REVEAL, self.ask, "POST"
        )
        one = "/reveals/<uuid:reveal_id>"
        guard.page(f"{one}/grant", "grant_reveal", Right.GRANT_REVEAL, self.grant, "POST")
        guard.page(f"{one}/refuse", "refuse_reveal", Right.GRANT_REVEAL, self.refuse, "POST")
        guard.page(f"{one}/show", "show_reveal", Right.ASK_REVEAL, self.reveal, "POST")

    def show(self, login: Login) -> ResponseReturnValue:
        """Show what waits to be decided, and what one asked for oneself."""
        desk, now = self._desk, self._desk.clock.now()
        decides = Right.GRANT_REVEAL in login.officer.rights

        def read(session: Session) -> list[Told]:
            asked = [
                each
                for each in reveals.lately(session, now)
                if decides or each.asked_by_id == login.officer.id
            ]
            return with_grounds(session, desk.keyring, asked)

        part = "reveals_rows" if request.headers.get("HX-Request") else "reveals"
        told = desk.database.read(read)
        return render_template(f"console/{part}.html", login=login, told=told, decides=decides)

    def ask(self, login: Login, message_id: UUID) -> ResponseReturnValue:
        """Ask to see parts of a message."""
        desk, now = self._desk, self._desk.clock.now()
        parts = tuple(part for part in Part if part in request.form.getlist("part"))
        if not parts:
            raise NotAllowedError(_("Hãy chọn phần cần xem."))
        given = grounds.of_form(request.form)

        def read(session: Session) -> tuple[bool, list[Reveal]]:
            return is_there(session, message_id), reveals.of_message(session, message_id, now)

        is_known, earlier = desk.database.read(read)
        if not is_known:
            raise NotAllowedError(_("Không có tin này."))
        if any(each.is_open and each.asked_by_id == login.officer.id for each in earlier):
            raise NotAllowedError(_("Bạn đã đề nghị xem tin này."))
        desk.meter.spend(login.officer, meter.REVEALS)
        reveal_id = uuid7()

        def work(session: Session, entry: Entry) -> None:
            reveals.add(
                session, reveal_id, message_id, parts,
                officer=login.officer, entry_id=entry.id, now=now,
            )  # fmt: skip

        said = {**_named(reveal_id, message_id, parts), **given.said()}
        desk.acts.enter(login.officer, Act(name="reveal-ask", said=said), work)
        return _back()

    def grant(self, login: Login, reveal_id: UUID) -> ResponseReturnValue:
        """Grant what somebody else asked."""
        self._desk.meter.spend(login.officer, meter.GRANTS)
        return self._decide(login, reveal_id, State.GRANTED, "reveal-grant")

    def refuse(self, login: Login, reveal_id: UUID) -> ResponseReturnValue:
        """Refuse what somebody else asked."""
        return self._decide(login, reveal_id, State.REFUSED, "reveal-refuse")

    def reveal(self, login: Login, reveal_id: UUID) -> ResponseReturnValue:
        """Show what was granted, once, after the entry that tells the citizen of it."""
        desk, now = self._desk, self._desk.clock.now()
        granted = self._find(reveal_id)

        def read(session: Session) -> tuple[Told, str | None]:
            (told,) = with_grounds(session, desk.keyring, [granted])
            return told, masked.subject(session, desk.keyring, granted.message_id)

        def use(session: Session) -> None:
            if not reveals.use(session, reveal_id, login.officer, now):
                raise NotAllowedError(
                    _("Không còn gì để xem: chưa được duyệt, đã xem hoặc quá hạn.")
                )

        def look(session: Session) -> Masked:
            return masked.load(session, desk.keyring, granted.message_id, granted.parts)

        told, subject = desk.database.read(read)
        why = {name: told.why.get(name, "") for name in ("reason", "case", "receiver")}
        said = {**_named(reveal_id, granted.message_id, granted.parts), **why}
        act = Act(name="reveal-show", said=said, subject=subject)
        _done, entry = desk.acts.perform(login.officer, act, use)
        return make_response(
            render_template(
                "console/reveal.html",
                login=login,
                told=told,
                seen=desk.database.read(look),
                receipt=entry.receipt,
            )
        )

    def _decide(
        self, login: Login, reveal_id: UUID, became: State, act: str
    ) -> ResponseReturnValue:
        now, asked = self._desk.clock.now(), self._find(reveal_id)
        if asked.asked_by_id == login.officer.id:
            raise NotAllowedError(_("Không ai tự duyệt đề nghị của mình."))

        def work(session: Session) -> None:
            if not reveals.decide(session, reveal_id, login.officer, became, now):
                raise NotAllowedError(_("Đề nghị này đã có người quyết định hoặc đã quá hạn."))

        said: dict[str, PayloadValue] = {
            **_named(reveal_id, asked.message_id, asked.parts),
            "asked_by": f"officer:{asked.asked_by}",
        }
        self._desk.acts.perform(login.officer, Act(name=act, said=said), work)
        return _back()

    def _find(self, reveal_id: UUID) -> Reveal:
        now = self._desk.clock.now()
        asked = self._desk.database.read(lambda session: reveals.find(session, reveal_id, now))
        if asked is None:
            raise NotAllowedError(_("Không có đề nghị này."))
        return asked


def _named(reveal_id: UUID, message_id: UUID, parts: tuple[Part, ...]) -> dict[str, PayloadValue]:
    named = tuple(str(part) for part in parts)
    return {"reveal": str(reveal_id), "message": str(message_id), "parts": named}


def _back() -> ResponseReturnValue:
    return redirect(url_for("console.reveals"), HTTPStatus.SEE_OTHER)
