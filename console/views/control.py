"""Service control: one officer stops the service or a part of it, two let it go again."""

from collections.abc import Callable
from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.access.roles import Right
from console.access.sessions import Login
from console.desk import Desk
from console.errors import NotAllowedError
from console.guard import Guard
from records import stop_file, stops
from records.errors import NobodyAskedError, SamePersonError, StopError
from records.stops import LONGEST_NOTE, Order, Scope, Stop, StopReason
from sms.halt import WHOLE, Halt
from sms.standing import COMMANDS

_ENDED_SHOWN = 20
# As many digits as a column of numbers holds, whatever they are.
_LONGEST_NUMBER = 9
# What people give as a reason; the others are given by the trips.
REASONS = (
    StopReason.SECURITY,
    StopReason.MISUSE,
    StopReason.MAINTENANCE,
    StopReason.FORCE_MAJEURE,
)


class Control:
    """The control page of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        state_dir = desk.settings.state_dir
        self._halt = Halt(desk.database, desk.journal, state_dir, desk.clock)
        self._switch = Halt(desk.switch, desk.journal, state_dir, desk.clock)
        guard.page("/control", "control", Right.SEE_CONTROL, self.show)
        guard.page("/control/stop", "stop", Right.STOP, self.stop, "POST")
        guard.page("/control/ask", "ask_resume", Right.RESUME, self.ask_resume, "POST")
        guard.page("/control/resume", "resume", Right.RESUME, self.resume, "POST")
        guard.page("/control/refuse", "refuse_resume", Right.RESUME, self.refuse, "POST")

    def show(self, login: Login) -> ResponseReturnValue:
        """Show what is stopped, what was, and the switch."""
        desk = self._desk

        def read(session: Session) -> tuple[list[Stop], list[Stop]]:
            return stops.standing(session), stops.ended(session, _ENDED_SHOWN)

        standing, ended = desk.database.read(read)
        links = desk.links.all()
        return render_template(
            "console/control.html",
            login=login,
            standing=standing,
            ended=ended,
            is_by_file=stop_file.is_there(desk.settings.state_dir),
            operators=sorted({link.operator for link in links}),
            links=sorted(link.code for link in links),
            commands=[command[0].split()[0] for command in COMMANDS],
            reasons=REASONS,
            longest_note=LONGEST_NOTE,
            stopped=request.args.get("stopped"),
        )

    def stop(self, login: Login) -> ResponseReturnValue:
        """Stop what was chosen; when this answers nothing of it starts any more."""
        scope, key = self._chosen()
        order = Order(
            scope=scope,
            key=key,
            reason=self._reason(),
            note=_note(),
            by=login.officer.actor,
        )
        number = self._switch.stop(order)
        told = "by-file" if number is None else str(number)
        return _back(stopped=told)

    def ask_resume(self, login: Login) -> ResponseReturnValue:
        """Ask that a stop be lifted."""
        note = _note()
        if not note:
            raise NotAllowedError(_("Hãy ghi lý do mở lại."))
        number = _number()
        return self._changed(
            lambda: self._halt.ask_resume(number, by=login.officer.actor, note=note)
        )

    def resume(self, login: Login) -> ResponseReturnValue:
        """Lift a stop that somebody else has asked to lift."""
        number = _number()
        return self._changed(lambda: self._halt.resume(number, by=login.officer.actor))

    def refuse(self, login: Login) -> ResponseReturnValue:
        """Let a stop stand that somebody asked to lift."""
        number = _number()
        return self._changed(lambda: self._halt.refuse_resume(number, by=login.officer.actor))

    def _changed(self, change: Callable[[], Stop]) -> ResponseReturnValue:
        try:
            change()
        except NobodyAskedError as error:
            words = _("Chưa ai đề nghị mở lại: một người đề nghị, người khác mở.")
            raise NotAllowedError(words) from error
        except SamePersonError as error:
            words = _("Người đã đề nghị mở lại không tự mở được: phải là người khác.")
            raise NotAllowedError(words) from error
        except StopError as error:
            raise NotAllowedError(_("Không có lệnh dừng này.")) from error
        return _back()

    def _chosen(self) -> tuple[Scope, str]:
        """Return what was chosen to be stopped.

        Raises: NotAllowedError for what is not there to be stopped.
        """
        word, _colon, key = request.form.get("what", "").partition(":")
        if word in set(WHOLE) and not key:
            return Scope(word), ""
        links = self._desk.links.all()
        known = {
            Scope.OPERATOR: {link.operator for link in links},
            Scope.LINK: {link.code for link in links},
            Scope.COMMAND: {command[0].split()[0] for command in COMMANDS},
        }
        for scope, keys in known.items():
            if word == scope and key in keys:
                return scope, key
        raise NotAllowedError(_("Hãy chọn phạm vi cần dừng."))

    @staticmethod
    def _reason() -> StopReason:
        word = request.form.get("reason", "")
        if word not in set(REASONS):
            raise NotAllowedError(_("Hãy chọn lý do."))
        return StopReason(word)


def _note() -> str:
    note = " ".join(request.form.get("note", "").split())
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise NotAllowedError(_("Ghi chú dài quá."))
    return note


def _number() -> int:
    text = request.form.get("stop", "")
    if not (text.isascii() and text.isdecimal()) or len(text) > _LONGEST_NUMBER:
        raise NotAllowedError(_("Không có lệnh dừng này."))
    return int(text)


def _back(stopped: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("console.control", stopped=stopped), HTTPStatus.SEE_OTHER)
