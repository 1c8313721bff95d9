"""One message: its stages as a timeline, and its entry with the proof checked in view."""

from http import HTTPStatus
from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue

from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.guard import Guard
from console.queries import message


class MessagePage:
    """The page of one message."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard
        guard.page("/messages/<uuid:message_id>", "message", Right.SEE_LOG, self.show)

    def show(self, login: Login, message_id: UUID) -> ResponseReturnValue:
        """Show one message; that it was looked at is in the journal before it is."""
        desk = self._desk
        desk.acts.record(login.officer, Act(name="see-message", said={"message": str(message_id)}))
        found = desk.database.read(
            lambda session: message.load(session, desk.keyring, desk.journal, message_id)
        )
        if found is None:
            return self._guard.refuse(HTTPStatus.NOT_FOUND, "unknown", login)
        return render_template("console/message.html", login=login, found=found)
