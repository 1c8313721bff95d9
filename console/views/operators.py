"""The links to operators: how they do, who vouches for them, and the steps of connecting one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console import dates
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.errors import NotAllowedError
from console.guard import Guard
from console.queries import operators
from core.clock import vietnam_day
from core.settings import Route
from sms.links import endings, registry, steps
from sms.links.assessments import LONGEST_EVIDENCE, LONGEST_RESPONSIBLE, Assessment
from sms.links.endings import LONGEST_REASON
from sms.links.errors import LinkError
from sms.links.model import Link, LinkState
from sms.links.registry import ASSESSMENT_LIFE
from sms.links.steps import LONGEST_NOTE, VOUCHED_FOR, Step

_SHORTEST_EVIDENCE = 10


class Operators:
    """The pages of operators of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard
        guard.page("/operators", "operators", Right.SEE_OPERATORS, self.show)
        guard.page("/operators/<code>", "operator", Right.SEE_OPERATORS, self.show_one)
        manage = Right.MANAGE_OPERATORS
        for name, view in (("state", self.switch), ("assess", self.assess), ("step", self.tick)):
            guard.page(f"/operators/<code>/{name}", f"link_{name}", manage, view, "POST")
        for name, end in (("ask", self.ask_end), ("end", self.end), ("keep", self.keep)):
            path = f"/operators/<code>/{name}-ending"
            guard.page(path, f"link_{name}_ending", Right.TERMINATE, end, "POST")

    def show(self, login: Login) -> ResponseReturnValue:
        """Show every link and how it does."""
        desk, now = self._desk, self._desk.clock.now()
        links = desk.links.all()
        lines = desk.database.read(lambda session: operators.lines(session, links, now))
        return render_template(
            "console/operators.html",
            login=login,
            lines=lines,
            shared={link.id for group in desk.links.shared() for link in group},
            looked_at=operators.LOOKED_AT,
        )

    def show_one(self, login: Login, code: str) -> ResponseReturnValue:
        """Show one link; its secrets are shown to nobody."""
        desk, now = self._desk, self._desk.clock.now()
        link = desk.links.get(code)
        if link is None:
            return self._guard.refuse(HTTPStatus.NOT_FOUND, "unknown")
        return render_template(
            "console/operator.html",
            login=login,
            link=link,
            peers=desk.links.peers(link.id),
            serves=desk.links.prefixes()[link.operator],
            is_by_serving=desk.settings.route is Route.SERVING,
            found=desk.database.read(lambda session: operators.details(session, link, now)),
            vouched_for=VOUCHED_FOR,
            longest={
                "evidence": LONGEST_EVIDENCE, "note": LONGEST_NOTE, "reason": LONGEST_REASON,
                "responsible": LONGEST_RESPONSIBLE,
            },
            latest=dates.written(vietnam_day(now + ASSESSMENT_LIFE)),
        )  # fmt: skip

    def switch(self, login: Login, code: str) -> ResponseReturnValue:
        """Disable a link, or enable it again."""
        link = self._link(code)
        state = LinkState.ACTIVE if request.form.get("undo") == "1" else LinkState.DISABLED
        act = "link-enable" if state is LinkState.ACTIVE else "link-disable"
        return self._perform(
            login, act, link, {}, lambda session: registry.set_state(session, link, state)
        )

    def assess(self, login: Login, code: str) -> ResponseReturnValue:
        """Vouch for the channel of a link."""
        link, now = self._link(code), self._desk.clock.now()
        evidence = _line("evidence", LONGEST_EVIDENCE)
        if len(evidence) < _SHORTEST_EVIDENCE:
            raise NotAllowedError(_("Hãy ghi căn cứ đánh giá, ít nhất 10 ký tự."))
        # Whoever leaves the field empty answers for it.
        responsible = _line("responsible", LONGEST_RESPONSIBLE) or login.officer.full_name
        made = Assessment(login.officer.actor, now, _until(now), evidence, responsible)
        said = {
            "assessed_by": made.by,
            "assessed_until": made.until.isoformat(timespec="seconds"),
            "evidence": evidence,
            "responsible": responsible,
        }
        return self._perform(
            login, "link-assess", link, said, lambda session: registry.assess(session, link, made)
        )

    def tick(self, login: Login, code: str) -> ResponseReturnValue:
        """Vouch for a step of connecting an operator, or take that back."""
        link, now = self._link(code), self._desk.clock.now()
        word, note = request.form.get("step", ""), _line("note", LONGEST_NOTE)
        if word not in set(VOUCHED_FOR):
            raise NotAllowedError(_("Bước này do hệ thống tự thấy, không đánh dấu bằng tay."))
        step, by = Step(word), login.officer.actor
        if request.form.get("undo") == "1":
            return self._perform(
                login, "link-step-undo", link, {"step": step},
                lambda session: steps.untick(session, link, step),
            )  # fmt: skip
        if not note:
            raise NotAllowedError(_("Hãy ghi số văn bản hoặc nơi giữ bằng chứng."))
        return self._perform(
            login, "link-step", link, {"step": step, "note": note},
            lambda session: steps.tick(session, link, step, by=by, note=note, now=now),
        )  # fmt: skip

    def ask_end(self, login: Login, code: str) -> ResponseReturnValue:
        """Ask that a link be ended for good."""
        link, now, by = self._link(code), self._desk.clock.now(), login.officer.actor
        reason = _line("reason", LONGEST_REASON)
        if not reason:
            raise NotAllowedError(_("Hãy ghi lý do chấm dứt."))
        return self._perform(
            login, "link-terminate-ask", link, {"reason": reason},
            lambda session: endings.ask(session, link, reason, by, now),
        )  # fmt: skip

    def end(self, login: Login, code: str) -> ResponseReturnValue:
        """End a link for good that somebody else has asked to end."""
        link, now, by = self._link(code), self._desk.clock.now(), login.officer.actor
        asked = self._desk.database.read(lambda session: endings.find(session, link.id))
        said = {} if asked is None else {"reason": asked.reason, "asked_by": asked.asked_by}
        if request.form.get("code", "").strip() != link.code:
            raise NotAllowedError(_("Hãy gõ lại đúng mã đường nối cần chấm dứt."))
        return self._perform(
            login, "link-terminate", link, said,
            lambda session: endings.agree(session, link, by, now),
        )  # fmt: skip

    def keep(self, login: Login, code: str) -> ResponseReturnValue:
        """Let a link go on that somebody asked to end."""
        link = self._link(code)
        return self._perform(
            login, "link-terminate-refuse", link, {},
            lambda session: endings.refuse(session, link),
        )  # fmt: skip

    def _link(self, code: str) -> Link:
        link = self._desk.links.get(code)
        if link is None:
            raise NotAllowedError(_("Không có đường nối này."))
        return link

    def _perform(
        self,
        login: Login,
        act: str,
        link: Link,
        said: dict[str, str],
        work: Callable[[Session], object],
    ) -> ResponseReturnValue:
        try:
            self._desk.acts.perform(
                login.officer, Act(name=act, said={"link": link.code, **said}), work
            )
        except LinkError as error:
            raise NotAllowedError(str(error)) from error
        return redirect(url_for("console.operator", code=link.code), HTTPStatus.SEE_OTHER)


def _line(name: str, longest: int) -> str:
    text = " ".join(request.form.get(name, "").split())
    if len(text) > longest or not text.isprintable():
        raise NotAllowedError(_("Ghi chú dài quá."))
    return text


def _until(now: datetime) -> datetime:
    """Return the end of the day that was typed; a year from now if none was.

    Raises: NotAllowedError for no day, one in the past and one after more than a year.
    """
    text, latest = request.form.get("until", "").strip(), now + ASSESSMENT_LIFE
    if not text:
        return latest
    day = dates.read_day(text, vietnam_day(now))
    until = now if day is None else min(dates.end_of(day) - timedelta(seconds=1), latest)
    if day is None or not now < until or dates.start_of(day) > latest + timedelta(days=1):
        raise NotAllowedError(_("Hạn đánh giá là một ngày trong vòng một năm tới, như 1/11/2026."))
    return until
