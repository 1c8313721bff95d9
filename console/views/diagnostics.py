"""Diagnostics: how the machinery does, for whoever is called when it does not."""

from flask import render_template
from flask.typing import ResponseReturnValue

from console.access.roles import Right
from console.access.sessions import Login
from console.desk import Desk
from console.guard import Guard
from console.queries import diagnostics

_FAULTS_SHOWN = 50


class Diagnostics:
    """The page of diagnostics of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        guard.page("/diagnostics", "diagnostics", Right.SEE_DIAGNOSTICS, self.show)

    def show(self, login: Login) -> ResponseReturnValue:
        """Show how the machinery does; nothing here is about a person."""
        desk = self._desk
        health = diagnostics.load(desk.database, desk.journal, desk.clock)
        return render_template(
            "console/diagnostics.html",
            login=login,
            health=health,
            faults=health.faults[:_FAULTS_SHOWN],
            disk=diagnostics.disk(desk.settings.state_dir),
            versions=diagnostics.versions(),
            settings=diagnostics.settings_of(desk.settings),
        )
