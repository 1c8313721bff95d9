"""The first page: how the service stands."""

from flask import render_template
from flask.typing import ResponseReturnValue

from console.access.roles import Right
from console.access.sessions import Login
from console.desk import Desk
from console.guard import Guard
from sms.standing import Reader


class Overview:
    """The overview of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._reader = Reader(desk.settings, desk.database, desk.links, desk.journal, desk.clock)
        guard.page("/", "overview", Right.SEE_OVERVIEW, self.show)

    def show(self, login: Login) -> ResponseReturnValue:
        """Show how the service stands."""
        found = self._reader.look()
        return render_template("console/overview.html", login=login, standing=found)
