"""What the console calls things that the service stores by a word."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from console.access.roles import Role

ROLES: dict[str, LazyString] = {
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
