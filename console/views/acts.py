"""The officers' journal: what officers, operators' people and the service did, for auditors."""

from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue

from console import words
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.guard import Guard
from journal import acts
from journal.entries import Kind

_ROWS = 50
_KINDS = tuple(kind for kind in Kind if kind is not Kind.LOOKUP)


class ActsPage:
    """The officers' journal of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        guard.page("/acts", "acts", Right.SEE_ACTS, self.show)

    def show(self, login: Login) -> ResponseReturnValue:
        """Show a page of acts; that an auditor looked is one itself."""
        desk, kind, before = self._desk, _kind(), _before()
        desk.acts.record(login.officer, Act(name="see-acts"))
        found = desk.database.read(
            lambda session: acts.page(session, desk.keyring, _ROWS + 1, before=before, kind=kind)
        )
        return render_template(
            "console/acts.html",
            login=login,
            found=found[:_ROWS],
            older=found[_ROWS - 1].entry_id if len(found) > _ROWS else None,
            kind=kind,
            kinds=_KINDS,
            act_names=words.ACTS,
            is_first=before is None,
        )


def _kind() -> Kind | None:
    word = request.args.get("kind", "")
    return Kind(word) if word in set(_KINDS) else None


def _before() -> UUID | None:
    try:
        return UUID(request.args.get("before", ""))
    except ValueError:
        return None
