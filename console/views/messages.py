"""The lookup log: what kind of message came when, and how it ended; masked, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from console import dates
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.guard import Guard
from console.queries import messages
from console.queries.messages import Listing, Wanted
from core.clock import vietnam_day
from sms.inbound import State
from sms.links.model import Link
from sms.replies import ReplyClass
from sms.standing import COMMANDS

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address of the page asks for, as it was typed."""

    text: str
    since: str
    until: str
    link: str
    command: str
    state: str
    reply: str

    @classmethod
    def of_request(cls) -> "Filter":
        """Read it from the address."""
        given = {name: request.args.get(name, "").strip()[:_LONGEST] for name in cls.__slots__}
        return cls(**given)

    def as_arguments(self) -> dict[str, str]:
        """Return what of it is not empty, to be kept in links."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}


class Messages:
    """The lookup log of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        guard.page("/messages", "messages", Right.SEE_LOG, self.show)

    def show(self, login: Login) -> ResponseReturnValue:
        """Show a page of the log."""
        desk, asked = self._desk, Filter.of_request()
        links = desk.links.all()
        today = vietnam_day(desk.clock.now())
        is_live = request.args.get("live") == "1"

        def read(session: Session) -> Listing:
            wanted = self._wanted(session, asked, links, today)
            return messages.page(
                session,
                desk.keyring,
                desk.journal,
                wanted,
                before=_id(request.args.get("before")),
                after=_id(request.args.get("after")),
            )

        is_news = bool(request.headers.get("HX-Request"))
        if not is_news:
            # The news of a page that is open are a part of having opened it.
            desk.acts.record(login.officer, Act(name="see-log", said=asked.as_arguments()))
        listing = desk.database.read(read)
        part = "messages_rows" if is_news else "messages"
        return render_template(
            f"console/{part}.html",
            login=login,
            listing=listing,
            asked=asked,
            is_live=is_live,
            bad_days=[d for d in (asked.since, asked.until) if d and not dates.read_day(d, today)],
            codes={link.id: link.code for link in links},
            links=[link.code for link in links],
            commands=[command[0].split()[0] for command in COMMANDS],
            states=list(State),
            replies=list(ReplyClass),
            address=_address,
        )

    def _wanted(
        self, session: Session, asked: Filter, links: Sequence[Link], today: date
    ) -> Wanted:
        since, until = dates.read_day(asked.since, today), dates.read_day(asked.until, today)
        return Wanted(
            since=dates.start_of(since) if since else None,
            until=dates.end_of(until) if until else None,
            # What is not there is asked for all the same: nothing matches it.
            link_id=next((e.id for e in links if e.code == asked.link), 0) if asked.link else None,
            command=asked.command or None,
            state=asked.state or None,
            reply=asked.reply or None,
            ids=self._ids(session, asked.text, links) if asked.text else None,
        )

    def _ids(self, session: Session, text: str, links: Sequence[Link]) -> frozenset[UUID]:
        numbers = {link.code: link.id for link in links}
        return messages.ids_of(session, self._desk.keyring, numbers, text)


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _address(asked: Filter, **more: object) -> str:
    given = {**asked.as_arguments(), **{k: v for k, v in more.items() if v is not None}}
    return url_for("console.messages", **given)  # type: ignore[arg-type]  # its own keywords are none of ours
