"""The pages that the console's menu leads to, in their order."""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from console.access.roles import Right


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the menu, shown to whoever has the right to open it."""

    endpoint: str
    title: LazyString
    right: Right


MENU = (
    Page("overview", _("Tổng quan"), Right.SEE_OVERVIEW),
    Page("messages", _("Nhật ký tra cứu"), Right.SEE_LOG),
    Page("reveals", _("Đề nghị xem"), Right.SEE_REVEALS),
    Page("access_file", _("Hồ sơ truy cập"), Right.OPEN_ACCESS_FILE),
    Page("journal", _("Nhật ký chống sửa"), Right.SEE_JOURNAL),
    Page("control", _("Điều khiển dịch vụ"), Right.SEE_CONTROL),
    Page("operators", _("Các nhà mạng"), Right.SEE_OPERATORS),
    Page("billing", _("Cước và đối soát"), Right.SEE_BILLING),
    Page("officers", _("Cán bộ và phiên"), Right.SEE_OFFICERS),
    Page("acts", _("Nhật ký cán bộ"), Right.SEE_ACTS),
    Page("diagnostics", _("Chẩn đoán"), Right.SEE_DIAGNOSTICS),
)
