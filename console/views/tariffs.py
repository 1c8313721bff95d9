"""The prices of operators, to be read: they are set from files, on the command line."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from console.access.roles import Right
from console.access.sessions import Login
from console.desk import Desk
from console.guard import Guard
from console.queries import tariffs
from core.clock import vietnam_day


class TariffsPage:
    """The page of prices of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        guard.page("/billing/tariffs", "tariffs", Right.SEE_BILLING, self.show)

    def show(self, login: Login) -> ResponseReturnValue:
        """Show the prices, and the days on which there is none."""
        desk, today = self._desk, vietnam_day(self._desk.clock.now())
        links, is_all = desk.links.all(), request.args.get("all") == "1"
        return render_template(
            "console/tariffs.html",
            login=login,
            today=today,
            prices=desk.database.read(lambda s: tariffs.load(s, links, today, is_all=is_all)),
        )
