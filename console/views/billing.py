"""Statements of operators' months: listed, opened, sent, signed and settled by two officers.

The acts are those of the command line (`billing.statements`), with the same entries; comparing the
operator's records is left to it, for they may be ten million.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from billing import acts, checks, drafts, lines, statements
from billing.acts import Told
from billing.carried import Section
from billing.checks import LONGEST_REASON, LONGEST_REFERENCE
from billing.drafts import Counted
from billing.errors import StatementError, Why
from billing.periods import Period
from billing.statements import Done, State, Statement
from billing.usage import Direction
from console import acts as entries
from console import grounds, months
from console.access.roles import Right
from console.access.sessions import Login
from console.desk import Desk
from console.errors import NotAllowedError
from console.guard import Guard
from console.months import Month
from console.queries import billing
from console.queries.billing import Opened
from core.clock import vietnam_day


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a statement; one that is not done yet has no *at*."""

    name: str
    by: str | None = None
    at: datetime | None = None


class Billing:
    """The pages of statements of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard
        guard.page("/billing", "billing", Right.SEE_BILLING, self.show)
        guard.page("/billing/month", "billing_month", Right.SEE_BILLING, self.find)
        one = "/billing/<operator>/<period>"
        guard.page(one, "statement", Right.SEE_BILLING, self.show_one)
        for name, right, act in (
            ("open", Right.MAKE_STATEMENTS, self.open),
            ("send", Right.MAKE_STATEMENTS, self.send),
            ("close", Right.CHECK_STATEMENTS, self.close),
            ("settle", Right.CHECK_STATEMENTS, self.settle),
        ):
            guard.page(f"{one}/{name}", f"statement_{name}", right, act, "POST")

    def show(self, login: Login) -> ResponseReturnValue:
        """Show the statements, the newest month first."""
        desk, today = self._desk, vietnam_day(self._desk.clock.now())
        links, state_dir = desk.links.all(), desk.settings.state_dir
        operator, before = request.args.get("operator") or None, request.args.get("before") or None
        return render_template(
            "console/billing.html",
            login=login,
            listing=desk.database.read(lambda s: billing.page(s, state_dir, operator, before)),
            due=desk.database.read(lambda s: billing.due(s, links, today)),
            over=Period(today.year, today.month).preceding,
            operators=sorted({link.operator for link in links}),
            operator=operator,
            is_first=before is None,
        )

    def find(self, _login: Login) -> ResponseReturnValue:
        """Lead to the month that was typed."""
        args = request.args
        month = months.find(self._desk, args.get("operator", ""), args.get("period", ""))
        if month is None:
            raise NotAllowedError(_("Hãy chọn nhà mạng và ghi tháng, như 10/2026."))
        return _to(month)

    def show_one(self, login: Login, operator: str, period: str) -> ResponseReturnValue:
        """Show a month of an operator."""
        desk, month = self._desk, months.find(self._desk, operator, period)
        if month is None:
            return self._guard.refuse(HTTPStatus.NOT_FOUND, "unknown", login)
        is_over = vietnam_day(desk.clock.now()) > month.period.last_day
        found = desk.database.read(lambda s: billing.opened(s, month.store, month.period))
        return render_template(
            "console/statement.html",
            login=login,
            month=month,
            found=found,
            statement=found.statement,
            steps=_steps(found.statement),
            may=_may(login, found.statement, is_over=is_over),
            is_over=is_over,
            sections=[(section, found.of(section)) for section in Section],
            summed=lines.summed,
            mo=lines.total(found.lines, Direction.MO),
            mt=lines.total(found.lines, Direction.MT),
            is_stale=_is_stale(found),
            longest={"agreed": LONGEST_REASON, "reference": LONGEST_REFERENCE},
        )

    def open(self, login: Login, operator: str, period: str) -> ResponseReturnValue:
        """Make a draft, or make it anew."""
        month, now = self._month(operator, period), self._desk.clock.now()
        found = self._computed(month)
        return self._perform(
            login, acts.Act.OPEN, month,
            lambda s: statements.open_draft(
                s, operator, month.period, found.lines, login.officer.actor, now
            ),
        )  # fmt: skip

    def send(self, login: Login, operator: str, period: str) -> ResponseReturnValue:
        """Fix the lines of a draft, counted once more."""
        month, now = self._month(operator, period), self._desk.clock.now()
        found = self._computed(month)
        return self._perform(
            login, acts.Act.SEND, month,
            lambda s: statements.send(
                s, operator, month.period, found.lines, login.officer.actor, now,
                beside=found.beside,
            ),
        )  # fmt: skip

    def close(self, login: Login, operator: str, period: str) -> ResponseReturnValue:
        """Sign a statement, for good."""
        month, now = self._month(operator, period), self._desk.clock.now()
        agreed = _line("agreed", LONGEST_REASON) or None
        told = self._told(month)
        return self._perform(
            login, acts.Act.CLOSE, month,
            lambda s: _as_seen(
                checks.close(
                    s, operator, month.period, agreed, login.officer.actor, now, told=told
                )
            ),
        )  # fmt: skip

    def settle(self, login: Login, operator: str, period: str) -> ResponseReturnValue:
        """Note that what a signed statement comes to was netted."""
        month, now = self._month(operator, period), self._desk.clock.now()
        reference = _line("reference", LONGEST_REFERENCE)
        if not reference:
            raise NotAllowedError(_("Hãy ghi chứng từ thanh toán hoặc bù trừ."))
        told = self._told(month)
        return self._perform(
            login, acts.Act.SETTLE, month,
            lambda s: _as_seen(
                checks.settle(
                    s, operator, month.period, reference, login.officer.actor, now, told=told
                )
            ),
        )  # fmt: skip

    def _perform(
        self, login: Login, act: acts.Act, month: Month, work: Callable[[Session], Done]
    ) -> ResponseReturnValue:
        def together(session: Session) -> tuple[Done, entries.Act | None]:
            done = work(session)
            said = acts.said(act, done.statement)
            entry = entries.Act(name=str(said["act"]), said=said)
            return done, entry if done.is_new else None

        try:
            self._desk.acts.perform_told(login.officer, together)
        except StatementError as error:
            raise NotAllowedError(_because(error.why)) from error
        return _to(month)

    def _told(self, month: Month) -> Told | None:
        keyring, operator = self._desk.keyring, month.operator
        found = self._desk.database.read(
            lambda s: acts.newest(s, keyring, month.period, [operator])
        )
        return found.get(operator)

    def _computed(self, month: Month) -> Counted:
        # Counted before anything is locked: a large month must not make messages wait.
        return self._desk.database.read(lambda s: drafts.compute(s, month.account, month.period))

    def _month(self, operator: str, period: str) -> Month:
        month = months.find(self._desk, operator, period)
        if month is None:
            raise NotAllowedError(_("Không có nhà mạng hoặc kỳ này."))
        return month


def _to(month: Month) -> ResponseReturnValue:
    address = url_for("console.statement", operator=month.operator, period=str(month.period))
    return redirect(address, HTTPStatus.SEE_OTHER)


def _line(name: str, longest: int) -> str:
    text = grounds.one_line(request.form.get(name, ""))
    if len(text) > longest:
        raise NotAllowedError(_("Ghi chú dài quá."))
    return text


def _because(why: Why) -> str:
    """Say why nothing was done, in the language of the page."""
    told: Mapping[Why, str] = {
        Why.NONE: _("Kỳ này chưa lập bảng đối soát."),
        Why.STATE: _("Bảng đối soát đã sang bước khác. Hãy mở lại trang."),
        Why.RUNNING: _("Tháng này chưa hết: chỉ gửi khi tháng đã qua."),
        Why.UNPRICED: _("Có tin chưa có giá. Hãy nhập bảng giá rồi lập lại."),
        Why.DIFFERENT: _("Số liệu hai bên lệch: hãy ghi điều hai bên đã thống nhất."),
        Why.CHANGED: _("Các dòng không còn như lúc gửi. Báo cán bộ an ninh, đừng ký."),
        Why.UNTOLD: _(
            "Các dòng không phải là những dòng nhật ký đã ghi. Báo cán bộ an ninh, đừng ký."
        ),
        Why.MOVED: _("Kỳ khác vừa được gửi, có thể mang cùng điều chỉnh. Hãy bấm gửi lần nữa."),
        Why.MAKER: _("Người lập bảng không kiểm bảng: một cán bộ khác phải ký."),
    }
    return told[why]


def _as_seen(done: Done) -> Done:
    """Undo what is done to lines that are not those that the officer was shown."""
    if request.form.get("digest") != done.statement.digest:
        raise StatementError("its lines are others than those that were shown", Why.STATE)
    return done


def _steps(statement: Statement | None) -> list[Step]:
    """Return every step, those that are done with who did them and when."""
    if statement is None:
        return [Step("draft"), Step("sent"), Step("compared"), Step("signed"), Step("settled")]
    return [
        Step("draft", statement.opened_by, statement.opened_at),
        Step("sent", statement.sent_by, statement.sent_at),
        Step("compared", statement.reconciled_by, statement.reconciled_at),
        Step("signed", statement.closed_by, statement.closed_at),
        Step("settled", statement.settled_by, statement.settled_at),
    ]


def _may(login: Login, statement: Statement | None, *, is_over: bool) -> frozenset[acts.Act]:
    """Return what this officer may do to a statement now."""
    rights, state = login.officer.rights, statement.state if statement else None
    made = statement.makers if statement else frozenset()
    may = set()
    if Right.MAKE_STATEMENTS in rights:
        if state in {None, State.DRAFT, State.DIFFERENT}:
            may.add(acts.Act.OPEN)
        if state is State.DRAFT and is_over:
            may.add(acts.Act.SEND)
    if Right.CHECK_STATEMENTS in rights and login.officer.actor not in made:
        if state in {State.MATCHED, State.DIFFERENT}:
            may.add(acts.Act.CLOSE)
        if state is State.SIGNED:
            may.add(acts.Act.SETTLE)
    return frozenset(may)


def _is_stale(found: Opened) -> bool:
    """Tell whether usage has come to something else since the lines were fixed."""
    if found.result is None or not found.is_noted:
        return False
    ours = lines.summed(found.of(Section.USAGE))
    compared = found.result.ours
    return (ours.messages, ours.parts, ours.amount) != (
        compared.records, compared.parts, compared.amount
    )  # fmt: skip
