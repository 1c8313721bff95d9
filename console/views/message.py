"""One message: its stages as a timeline, and its entry with the proof checked in view."""

from http import HTTPStatus
from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from console import reveals
from console.access import meter
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.guard import Guard
from console.queries import message
from console.queries.message import Message
from console.queries.reveals import Told, with_grounds


class MessagePage:
    """The page of one message."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard
        guard.page("/messages/<uuid:message_id>", "message", Right.SEE_LOG, self.show)

    def show(self, login: Login, message_id: UUID) -> ResponseReturnValue:
        """Show one message; that it was looked at is in the journal before it is."""
        desk = self._desk
        desk.meter.spend(login.officer, meter.DETAILS)
        desk.acts.record(login.officer, Act(name="see-message", said={"message": str(message_id)}))

        def read(session: Session) -> tuple[Message | None, list[Told] | None]:
            found = message.load(session, desk.keyring, desk.journal, message_id)
            return found, self._told(session, login, message_id)

        found, told = desk.database.read(read)
        if found is None:
            return self._guard.refuse(HTTPStatus.NOT_FOUND, "unknown", login)
        mine = [each.reveal for each in told or () if each.reveal.asked_by_id == login.officer.id]
        return render_template(
            "console/message.html",
            login=login,
            found=found,
            told=told,
            has_open=any(each.is_open for each in mine),
        )

    def _told(self, session: Session, login: Login, message_id: UUID) -> list[Told] | None:
        """Return what was asked about a message, as far as it concerns this officer."""
        rights, now = login.officer.rights, self._desk.clock.now()
        if Right.SEE_REVEALS not in rights:
            return None
        asked = [
            each
            for each in reveals.of_message(session, message_id, now)
            if Right.GRANT_REVEAL in rights or each.asked_by_id == login.officer.id
        ]
        return with_grounds(session, self._desk.keyring, asked)
