"""The officers' journal: what officers, operators' people and the service did, for auditors.

Its rows count as those of the lookup log do, before they are shown.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console import dates, words
from console.access import meter
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.guard import Guard
from core.clock import vietnam_day
from journal import acts
from journal.acts import ActTold
from journal.entries import Kind
from journal.leaf import PayloadValue

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
        found = desk.database.read(
            lambda session: acts.page(session, desk.keyring, _ROWS + 1, before=before, kind=kind)
        )
        rows = found[:_ROWS]
        desk.meter.spend(login.officer, meter.ROWS, len(rows))
        said: dict[str, PayloadValue] = {"rows": len(rows)}
        if kind is not None:
            said["kind"] = kind
        desk.acts.record(login.officer, Act(name="see-acts", said=said))
        return render_template(
            "console/acts.html",
            login=login,
            days=_by_day(rows, vietnam_day(desk.clock.now())),
            older=rows[-1].entry_id if len(found) > _ROWS else None,
            kind=kind,
            kinds=_KINDS,
            act_names=words.ACTS,
            is_first=before is None,
        )


def _by_day(rows: Iterable[ActTold], today: date) -> list[tuple[str, str, list[ActTold]]]:
    """Group acts by their day in Viet Nam, each with a word for it if there is one."""
    near = {today: _("Hôm nay"), today - timedelta(days=1): _("Hôm qua")}
    days = groupby(rows, key=lambda row: vietnam_day(row.at))
    return [(near.get(day, ""), dates.written(day), list(those)) for day, those in days]


def _kind() -> Kind | None:
    word = request.args.get("kind", "")
    return Kind(word) if word in set(_KINDS) else None


def _before() -> UUID | None:
    try:
        return UUID(request.args.get("before", ""))
    except ValueError:
        return None
