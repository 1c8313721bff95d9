"""The catalogue of fields: what the law lets the register hold, and what of it an SMS may carry.

Every one of the 26 items of the law stands here. Only the fields that some reply may carry, or that
decide whether one is sent, are kept by the register: the rest is known by name and left out.
Source: Luật Căn cước 26/2023/QH15, điều 9.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LAW = "Luật Căn cước 2023, điều 9"
ITEMS = range(1, 27)


class Group(StrEnum):
    """Fields that are asked for together: the word after the number in `DC 001085123456 CT`."""

    DEFAULT = ""
    RESIDENCE = "CT"
    CARD = "TT"


class Sensitivity(StrEnum):
    """How the law on personal data ranks a field. Source: Luật 91/2025/QH15."""

    BASIC = "basic"
    SENSITIVE = "sensitive"


class SmsForm(StrEnum):
    """How much of a field an SMS carries, and how it is written."""

    NEVER = "never"
    NAME = "name"  # unaccented; middle names may be cut to initials
    SEX = "sex"  # nam, nu
    YEAR = "year"  # of a date, its year
    LAST_THREE = "last-three"  # of a number, its last three digits
    MONTH = "month"  # of a date, MM/YYYY
    DAY = "day"  # of a date, DD/MM/YYYY
    PLACE = "place"  # unaccented; P., X. and TP for the kinds of place
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: its name in imports, entries and code, and what may be done with it."""

    code: str
    item: int
    vi: str
    en: str
    groups: frozenset[Group] = frozenset()
    sensitivity: Sensitivity = Sensitivity.BASIC
    form: SmsForm = SmsForm.NEVER
    kept: bool = False
    required: bool = False

    @property
    def by_sms(self) -> bool:
        """Whether an SMS may carry any of it."""
        return self.form is not SmsForm.NEVER


_D, _R, _C = (frozenset({group}) for group in Group)
_SECRET = Sensitivity.SENSITIVE


def _kept(code: str, item: int, vi: str, en: str, groups: frozenset[Group], form: SmsForm) -> Field:
    return Field(
        code=code, item=item, vi=vi, en=en, groups=groups, form=form, kept=True, required=True
    )


def _gate(code: str, item: int, vi: str, en: str) -> Field:
    """Describe a field that decides whether anything is told and is itself never told."""
    return Field(code=code, item=item, vi=vi, en=en, kept=True, required=True)


def _optional(code: str, item: int, vi: str, en: str) -> Field:
    return Field(code=code, item=item, vi=vi, en=en, groups=_R, form=SmsForm.PLACE, kept=True)


def _left(
    code: str, item: int, vi: str, en: str, sensitivity: Sensitivity = Sensitivity.BASIC
) -> Field:
    return Field(code=code, item=item, vi=vi, en=en, sensitivity=sensitivity)


FIELDS: tuple[Field, ...] = (
    _kept("full_name", 1, "Họ, chữ đệm và tên khai sinh", "Full name", _D, SmsForm.NAME),
    _left("other_names", 2, "Tên gọi khác", "Other names"),
    _kept("personal_id", 3, "Số định danh cá nhân", "Personal number", _D, SmsForm.LAST_THREE),
    _kept("date_of_birth", 4, "Ngày, tháng, năm sinh", "Date of birth", _D, SmsForm.YEAR),
    _kept("sex", 5, "Giới tính", "Sex", _D, SmsForm.SEX),
    _left("place_of_birth", 6, "Nơi sinh", "Place of birth"),
    _left("place_of_birth_registration", 7, "Nơi đăng ký khai sinh", "Place birth was registered"),
    _left("place_of_origin", 8, "Quê quán", "Place of origin"),
    _left("ethnicity", 9, "Dân tộc", "Ethnicity", _SECRET),
    _left("religion", 10, "Tôn giáo", "Religion", _SECRET),
    _left("nationality", 11, "Quốc tịch", "Nationality"),
    _left("blood_group", 12, "Nhóm máu", "Blood group", _SECRET),
    _left("old_identity_number", 13, "Số chứng minh nhân dân 9 số", "Nine-digit identity number"),
    _kept("card_issued_on", 14, "Ngày cấp thẻ căn cước", "Card issued on", _C, SmsForm.DAY),
    _kept("card_expires_on", 14, "Thẻ hết hạn ngày", "Card expires on", _D | _C, SmsForm.MONTH),
    _left("card_issued_at", 14, "Nơi cấp thẻ căn cước", "Card issued at"),
    _left("family", 15, "Cha, mẹ, vợ, chồng, con, người đại diện", "Family", _SECRET),
    _kept("commune", 16, "Nơi thường trú: cấp xã", "Residence: commune", _D | _R, SmsForm.PLACE),
    _kept("province", 16, "Nơi thường trú: tỉnh", "Residence: province", _D | _R, SmsForm.PLACE),
    _left("temporary_residence", 17, "Nơi tạm trú", "Temporary residence"),
    _optional("current_commune", 18, "Nơi ở hiện tại: cấp xã", "Lives now in: commune"),
    _optional("current_province", 18, "Nơi ở hiện tại: tỉnh", "Lives now in: province"),
    _left("temporary_absence", 19, "Tình trạng khai báo tạm vắng", "Temporary absence", _SECRET),
    _left("residence_file_number", 20, "Số hồ sơ cư trú", "Residence file number"),
    _left("marital_status", 21, "Tình trạng hôn nhân", "Marital status", _SECRET),
    _left("relation_to_head", 22, "Quan hệ với chủ hộ", "Relation to head of household", _SECRET),
    _left("household", 23, "Chủ hộ và thành viên hộ gia đình", "Household", _SECRET),
    _kept("status", 24, "Tình trạng", "Status", _C, SmsForm.STATUS),
    _gate("phone", 25, "Số thuê bao di động", "Mobile number"),
    _gate("phone_verified_on", 25, "Ngày xác thực số thuê bao", "Mobile number verified on"),
    _left("email", 25, "Địa chỉ thư điện tử", "E-mail address"),
    _left("other", 26, "Thông tin khác theo quy định của Chính phủ", "Other, by Government decree"),
)
BY_CODE = {field.code: field for field in FIELDS}
REQUIRED = tuple(field.code for field in FIELDS if field.required)


def group(wanted: Group) -> Iterator[Field]:
    """Yield the fields of one group that an SMS may carry."""
    return (field for field in FIELDS if wanted in field.groups and field.by_sms)
