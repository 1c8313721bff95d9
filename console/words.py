"""What the console calls things that the service stores by a word."""

from collections.abc import Mapping

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from console.access.roles import Role

ROLES: Mapping[str, LazyString] = {
    Role.VIEWER: _("Giám sát viên"),
    Role.INVESTIGATOR: _("Cán bộ xác minh"),
    Role.APPROVER: _("Người duyệt"),
    Role.OPERATOR_MANAGER: _("Quản lý nhà mạng"),
    Role.BILLING_MAKER: _("Lập đối soát"),
    Role.BILLING_CHECKER: _("Kiểm đối soát"),
    Role.SECURITY_OFFICER: _("Cán bộ an ninh"),
    Role.AUDITOR: _("Kiểm toán viên"),
    Role.USER_ADMIN: _("Quản trị tài khoản"),
}

# What is not here is shown by the word that the journal has for it.
ACTS: Mapping[str, LazyString] = {
    "auditor-add": _("Thêm kiểm toán viên bên ngoài"),
    "auditor-remove": _("Bỏ kiểm toán viên bên ngoài"),
    "cap-reached": _("Đến hạn mức xem"),
    "cdr-import": _("Nhập tệp cước của nhà mạng"),
    "cdr-mapping": _("Đặt cách đọc tệp cước của nhà mạng"),
    "destroy-keys": _("Hủy khóa của các mục"),
    "enrol": _("Nhận tài khoản"),
    "erase-again": _("Xóa lại sau khi khôi phục"),
    "expire": _("Xóa mục hết hạn lưu"),
    "import-people": _("Nhập dữ liệu dân cư"),
    "journal-extract": _("Trích nhật ký của một người"),
    "journal-open": _("Mở mục cho kiểm toán"),
    "journal-recover": _("Khôi phục nhật ký"),
    "link-add": _("Thêm đường nối"),
    "link-assess": _("Đánh giá kênh"),
    "link-disable": _("Tắt đường nối"),
    "link-enable": _("Bật lại đường nối"),
    "link-rotate": _("Xoay khóa đường nối"),
    "link-set": _("Đổi thỏa thuận về đường nối"),
    "link-step": _("Đánh dấu bước kết nối"),
    "link-step-undo": _("Bỏ đánh dấu bước kết nối"),
    "link-terminate": _("Chấm dứt đường nối"),
    "link-terminate-ask": _("Đề nghị chấm dứt đường nối"),
    "link-terminate-refuse": _("Không chấm dứt đường nối"),
    "login": _("Đăng nhập"),
    "officer-add": _("Thêm cán bộ"),
    "officer-invite": _("Mời lại cán bộ"),
    "officer-lock": _("Khóa tài khoản cán bộ"),
    "officer-roles": _("Đổi vai trò cán bộ"),
    "officer-unlock": _("Mở khóa tài khoản cán bộ"),
    "resume": _("Mở lại"),
    "resume-ask": _("Đề nghị mở lại"),
    "resume-refuse": _("Giữ dừng"),
    "reveal-ask": _("Đề nghị xem phần bị che"),
    "reveal-grant": _("Duyệt cho xem phần bị che"),
    "reveal-refuse": _("Từ chối cho xem phần bị che"),
    "reveal-show": _("Xem phần bị che"),
    "see-acts": _("Xem nhật ký cán bộ"),
    "see-differences": _("Xem bản ghi lệch"),
    "see-log": _("Xem nhật ký tra cứu"),
    "see-message": _("Xem một tin"),
    "session-end": _("Kết thúc một phiên"),
    "statement-close": _("Ký bảng đối soát"),
    "statement-export": _("Xuất biên bản đối soát"),
    "statement-open": _("Lập bảng đối soát"),
    "statement-reconciled": _("Đối soát với nhà mạng"),
    "statement-send": _("Gửi bảng đối soát"),
    "statement-settle": _("Bù trừ bảng đối soát"),
    "stop": _("Dừng"),
    "tariff-import": _("Nhập bảng giá"),
    "verify-journal": _("Kiểm nhật ký"),
}
