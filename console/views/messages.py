"""The lookup log: what kind of message came when, and how it ended; masked, a page at a time.

Every page is in the journal and is counted before it is shown. The news of a page that is open are
a part of having opened it: the mark that the page carries proves that, and counts what is new.
"""

import json
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from console.access import meter
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.guard import Guard
from console.log_filter import Filter
from console.queries import messages
from console.queries.messages import Listing
from core.clock import vietnam_day
from sms.inbound import State
from sms.replies import ReplyClass
from sms.standing import COMMANDS

_NOTHING = UUID(int=0)


class Messages:
    """The lookup log of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard
        guard.page("/messages", "messages", Right.SEE_LOG, self.show)

    def show(self, login: Login) -> ResponseReturnValue:
        """Show a page of the log."""
        desk, asked = self._desk, Filter.of(request.args)
        links = desk.links.all()
        today = vietnam_day(desk.clock.now())
        seen = self._seen(asked)
        if seen is None and asked.text:
            desk.meter.spend(login.officer, meter.SEARCHES)

        def read(session: Session) -> Listing:
            return messages.page(
                session,
                desk.keyring,
                desk.journal,
                asked.wanted(session, desk.keyring, links, today),
                before=_id(request.args.get("before")),
                after=_id(request.args.get("after")),
            )

        listing = desk.database.read(read)
        self._tell(login, asked, listing, seen)
        is_live = request.args.get("live") == "1"
        part = "messages_rows" if request.headers.get("HX-Request") else "messages"
        newest = listing.rows[0].id if listing.rows else seen or _NOTHING
        return render_template(
            f"console/{part}.html",
            login=login,
            listing=listing,
            asked=asked,
            is_live=is_live,
            news=_address(asked, live=1, seen=newest, mark=self._mark(asked, newest)),
            bad_days=asked.bad_days(today),
            codes={link.id: link.code for link in links},
            links=[link.code for link in links],
            commands=[command[0].split()[0] for command in COMMANDS],
            states=list(State),
            replies=list(ReplyClass),
            address=_address,
        )

    def _tell(self, login: Login, asked: Filter, listing: Listing, seen: UUID | None) -> None:
        """Count the rows that are about to be shown, and journal a page that is opened."""
        new = [row for row in listing.rows if seen is None or row.id > seen]
        self._desk.meter.spend(login.officer, meter.ROWS, len(new))
        if seen is None:
            act = Act(name="see-log", said={**asked.as_arguments(), "rows": len(new)})
            self._desk.acts.record(login.officer, act)

    def _seen(self, asked: Filter) -> UUID | None:
        """Return the newest message that the page shows which asks for news; None if none asks."""
        seen = _id(request.args.get("seen"))
        if not request.headers.get("HX-Request") or seen is None:
            return None
        if request.args.get("before") or request.args.get("after"):
            return None
        is_ours = self._guard.is_marked(request.args.get("mark", ""), _words(asked, seen))
        return seen if is_ours else None

    def _mark(self, asked: Filter, newest: UUID) -> str:
        return self._guard.mark(_words(asked, newest))


def _words(asked: Filter, newest: UUID) -> str:
    return json.dumps([str(newest), asked.as_arguments()])


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _address(asked: Filter, **more: object) -> str:
    given = {**asked.as_arguments(), **{k: v for k, v in more.items() if v is not None}}
    return url_for("console.messages", **given)  # type: ignore[arg-type]  # its own keywords are none of ours
