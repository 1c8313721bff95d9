"""Files of billing: the minutes to print and to sign, and the lists of what differs.

Nobody's number is in them, so nothing is masked and no row is counted; that somebody took one is
in the journal before it leaves.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from io import BytesIO

from flask import Response, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from billing import kept_lines, minutes, minutes_page, minutes_sheet, statements
from billing.lines import Line
from billing.reconciliation import results
from billing.statements import Statement
from console import months
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.errors import NotAllowedError
from console.guard import Guard
from console.months import Month

# An answer is held in memory whole, by the process that serves citizens too.
LARGEST = 50_000_000  # bytes
_Kept = tuple[Statement, tuple[Line, ...]]


class BillingFiles:
    """The files of billing of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard
        see, one = Right.SEE_BILLING, "/billing/<operator>/<period>"
        guard.page("/billing/minutes.css", "minutes_sheet", see, self.sheet)
        guard.page(f"{one}/minutes", "minutes", see, self.page)
        guard.page(f"{one}/minutes/<form>", "minutes_file", see, self.file)
        guard.page(f"{one}/lists/<form>", "lists", see, self.list)

    def sheet(self, _login: Login) -> ResponseReturnValue:
        """Hand over how the minutes look: a page of ours has no style of its own in it."""
        return Response(minutes_page.sheet(), mimetype="text/css")

    def page(self, login: Login, operator: str, period: str) -> ResponseReturnValue:
        """Show the minutes, to be printed."""
        month, kept = self._kept(operator, period)
        if month is None or kept is None:
            return self._unknown(login)
        self._tell(login, month, kept, "page")
        return minutes_page.page(minutes.of(*kept), "", sheet=url_for("console.minutes_sheet"))

    def file(self, login: Login, operator: str, period: str, form: str) -> ResponseReturnValue:
        """Hand over the minutes as a workbook, or their lines as CSV."""
        month, kept = self._kept(operator, period)
        make = _FORMS.get(form)
        if month is None or kept is None or make is None:
            return self._unknown(login)
        content = make(self._desk, kept)
        self._tell(login, month, kept, form)
        name = f"bien-ban-doi-soat-{operator}-{month.period}.{form}"
        return send_file(BytesIO(content), as_attachment=True, download_name=name)

    def list(self, login: Login, operator: str, period: str, form: str) -> ResponseReturnValue:
        """Hand over the list of every record that differs."""
        month = months.find(self._desk, operator, period)
        if month is None or form not in {"xlsx", "csv"}:
            return self._unknown(login)
        found = results.lists(month.store, month.period)
        path = found.sheet if form == "xlsx" else found.text
        if not path.is_file():
            return self._unknown(login)
        if path.stat().st_size > LARGEST:
            raise NotAllowedError(
                _("Tệp này lớn quá: hãy lấy nó bằng lệnh billing reconcile với --to.")
            )
        said = {"operator": operator, "period": str(month.period), "format": form}
        self._desk.acts.record(login.officer, Act(name="see-differences", said=said))
        content = BytesIO(path.read_bytes())
        return send_file(content, as_attachment=True, download_name=path.name)

    def _kept(self, operator: str, period: str) -> tuple[Month | None, _Kept | None]:
        month = months.find(self._desk, operator, period)
        if month is None:
            return None, None

        def read(session: Session) -> _Kept | None:
            found = statements.find(session, month.operator, month.period)
            return None if found is None else (found, kept_lines.load(session, found.id))

        return month, self._desk.database.read(read)

    def _tell(self, login: Login, month: Month, kept: _Kept, form: str) -> None:
        said = {"operator": month.operator, "period": str(month.period), "digest": kept[0].digest}
        act = Act(name="statement-export", said={**said, "format": form})
        self._desk.acts.record(login.officer, act)

    def _unknown(self, login: Login) -> ResponseReturnValue:
        return self._guard.refuse(HTTPStatus.NOT_FOUND, "unknown", login)


_FORMS: Mapping[str, Callable[[Desk, _Kept], bytes]] = {
    "xlsx": lambda desk, kept: minutes_sheet.workbook(minutes.of(*kept), "", desk.clock.now()),
    "csv": lambda _, kept: minutes_sheet.lines_csv(kept[1], plain=False).encode(),
}
