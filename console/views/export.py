"""The lookup log as a file: masked as the page is, numbered, in the journal before it leaves."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO

from flask import get_template_attribute, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console import grounds, spreadsheets
from console.access import meter
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.errors import NotAllowedError
from console.guard import Guard
from console.log_filter import Filter
from console.queries import messages
from console.queries.messages import Listed, Listing
from console.speech import moment, number
from console.spreadsheets import Cell, Table
from core.clock import VIETNAM, vietnam_day
from journal.entries import Entry
from journal.journal import Head
from journal.leaf import PayloadValue

MOST = 1000
_NAMES = "console/message_words.html"
_MASK = "\N{BULLET}\N{BULLET}\N{BULLET}"


class Format(StrEnum):
    """What the file is for."""

    XLSX = "xlsx"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Made:
    """An export whose entry is sealed."""

    entry: Entry
    index: int
    head: Head
    digest: str

    @property
    def serial(self) -> str:
        """The number of the file: that of its entry in the journal, with the year."""
        return f"{self.entry.created_at.astimezone(VIETNAM):%Y}-{self.index:07d}"


class Export:
    """The exports of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        guard.page("/messages/export", "export_log", Right.EXPORT_LOG, self.export, "POST")

    def export(self, login: Login) -> ResponseReturnValue:
        """Hand the newest messages that match over as a file."""
        desk, asked, kind = self._desk, Filter.of(request.form), _format()
        reason = grounds.reason_of(request.form)
        links, today = desk.links.all(), vietnam_day(desk.clock.now())
        if asked.bad_days(today):
            raise NotAllowedError(
                _("Không đọc được ngày. Viết như 1/11/2026, 01112026 hoặc hôm nay.")
            )

        def read(session: Session) -> Listing:
            wanted = asked.wanted(session, desk.keyring, links, today)
            return messages.page(session, desk.keyring, desk.journal, wanted, most=MOST)

        listing = desk.database.read(read)
        desk.meter.spend(login.officer, meter.ROWS, len(listing.rows))
        rows = _rows(listing, {link.id: link.code for link in links})
        digest = hashlib.sha256(spreadsheets.lines_of(rows)).hexdigest()
        said: dict[str, PayloadValue] = {**asked.as_arguments(), "reason": reason}
        said |= {"format": kind, "rows": len(rows), "digest": digest}
        entry = desk.acts.record(login.officer, Act(name="export-log", said=said))
        made = self._sealed(entry, digest)
        table = Table(
            names=(_("Nhật ký tra cứu"), _("Thông tin")),
            about=_about(login, asked, listing, made, reason),
            header=_header(),
            rows=rows,
        )
        name = f"tradan-nhat-ky-tra-cuu-{made.serial}.{kind}"
        return _file(
            spreadsheets.xlsx_of if kind is Format.XLSX else spreadsheets.csv_of, table, name
        )

    def _sealed(self, entry: Entry, digest: str) -> Made:
        journal = self._desk.journal

        def read(session: Session) -> Made:
            index = journal.index_of(session, entry.id)
            return Made(entry, index or 0, journal.head(session), digest)

        return self._desk.database.read(read)


def _file(write: Callable[[Table], bytes], table: Table, name: str) -> ResponseReturnValue:
    return send_file(BytesIO(write(table)), as_attachment=True, download_name=name)


def _format() -> Format:
    word = request.form.get("format", "")
    if word not in set(Format):
        raise NotAllowedError(_("Hãy chọn loại tệp."))
    return Format(word)


def _header() -> list[str]:
    return [
        _("Thời điểm"), _("Mã tin"), _("Thuê bao"), _("Đường nối"), _("Lệnh"), _("Trạng thái"),
        _("Lý do"), _("Trả lời"), _("Gửi đi"), _("Số phần"), _("Độ trễ (giây)"), _("Mục nhật ký"),
        _("Mã trong hệ thống"),
    ]  # fmt: skip


def _rows(listing: Listing, codes: Mapping[int, str]) -> list[tuple[Cell, ...]]:
    state_name = get_template_attribute(_NAMES, "state_name")
    reply_name = get_template_attribute(_NAMES, "reply_name")

    def row(each: Listed) -> tuple[Cell, ...]:
        return (
            each.stored_at,
            each.operator_message_id,
            f"{_MASK}{each.ending}" if each.ending else None,
            codes.get(each.link_id),
            each.command,
            str(state_name(each.state)),
            each.reason,
            str(reply_name(each.reply)) if each.reply else None,
            str(state_name(each.reply_state)) if each.reply_state else None,
            each.segments,
            each.took.total_seconds() if each.took else None,
            each.index,
            str(each.id),
        )

    return [row(each) for each in listing.rows]


def _about(
    login: Login, asked: Filter, listing: Listing, made: Made, reason: str
) -> list[tuple[str, str]]:
    chosen = ", ".join(f"{name}: {value}" for name, value in asked.as_arguments().items())
    count = number(len(listing.rows))
    if listing.looked_until:
        until = moment(listing.looked_until)
        count = _("%(count)s, đã xem đến %(at)s", count=count, at=until)
    elif listing.older:
        count = _("%(count)s tin mới nhất; còn tin cũ hơn", count=count)
    return [
        (_("Số tệp"), made.serial),
        (_("Mục nhật ký của lần xuất"), str(made.entry.id)),
        (_("Biên nhận"), made.entry.receipt),
        (_("Người xuất"), f"{login.officer.full_name} ({login.officer.name})"),
        (_("Thời điểm xuất"), moment(made.entry.created_at)),
        (_("Lý do"), reason),
        (_("Bộ lọc"), chosen or _("Tất cả")),
        (_("Số dòng"), count),
        (_("SHA-256 của các dòng"), made.digest),
        (_("Đầu nhật ký"), f"{made.head.size} {made.head.root.hex()}"),
        (_("Phần bị che"), _("Thuê bao chỉ còn ba số cuối; không có họ tên, nội dung tin.")),
    ]
