"""Words that made-up people are made of: family, middle and given names, and places to live in.

Family names stand with roughly the share of Vietnamese people who bear them, in tenths of a
percent. The communes are joined from syllables of real ones; some will happen to exist.
"""

from itertools import accumulate, product

_FAMILY_SHARES = {
    "Nguyễn": 315, "Trần": 109, "Lê": 89, "Phạm": 60, "Hoàng": 30, "Huỳnh": 25, "Vũ": 26, "Võ": 23,
    "Phan": 28, "Trương": 22, "Bùi": 21, "Đặng": 19, "Đỗ": 19, "Ngô": 17, "Hồ": 15, "Dương": 14,
    "Đinh": 10, "Lý": 9, "Đào": 9, "Lương": 8, "Mai": 8, "Cao": 7, "Trịnh": 7, "Lâm": 6, "Đoàn": 6,
    "Hà": 6, "Tạ": 5, "Phùng": 5, "Thái": 4, "Châu": 4, "Tô": 4, "Quách": 3, "Kiều": 3, "La": 3,
    "Nông": 3, "Hứa": 2, "Triệu": 2, "Từ": 2, "Vương": 2, "Chu": 2, "Nghiêm": 1, "Thạch": 1,
    "Giang": 1, "Khổng": 1, "Ông": 1, "Uông": 1,
}  # fmt: skip

MIDDLE_NAMES_OF_MEN = (
    "Văn", "Văn", "Văn", "Hữu", "Đức", "Công", "Quang", "Minh", "Xuân", "Ngọc", "Đình", "Thanh",
    "Quốc", "Anh", "Gia", "Hoàng", "Mạnh", "Tiến", "Trọng", "Thế", "Bá", "Duy", "Nhật", "Khắc",
)  # fmt: skip
MIDDLE_NAMES_OF_WOMEN = (
    "Thị", "Thị", "Thị", "Ngọc", "Thu", "Thanh", "Kim", "Mỹ", "Hồng", "Phương", "Thùy", "Bích",
    "Thị Ngọc", "Thị Thu", "Thị Kim", "Thị Thanh", "Quỳnh", "Minh", "Hoài", "Khánh", "Diệu", "Như",
)  # fmt: skip
GIVEN_NAMES_OF_MEN = (
    "Hùng", "Dũng", "Tuấn", "Minh", "Hải", "Long", "Nam", "Sơn", "Thắng", "Cường", "Đức", "Hiếu",
    "Hoàng", "Huy", "Khánh", "Khoa", "Kiên", "Lâm", "Mạnh", "Nghĩa", "Phong", "Phúc", "Quân",
    "Quang", "Tài", "Tâm", "Thành", "Thịnh", "Tiến", "Toàn", "Trung", "Tùng", "Việt", "Vinh",
    "Bình", "Đạt", "Hòa", "Lộc", "Phước", "Trí",
)  # fmt: skip
GIVEN_NAMES_OF_WOMEN = (
    "Lan", "Hoa", "Hương", "Linh", "Trang", "Thảo", "Hà", "Hằng", "Hiền", "Hạnh", "Huyền", "Mai",
    "Nga", "Ngân", "Ngọc", "Nhung", "Oanh", "Phương", "Phượng", "Quyên", "Quỳnh", "Thu", "Thủy",
    "Trâm", "Tuyết", "Uyên", "Vân", "Vy", "Xuân", "Yến", "Anh", "Bích", "Châu", "Chi", "Dung",
    "Giang", "Loan", "My", "Thanh", "Thúy",
)  # fmt: skip

_FIRST_SYLLABLES = (
    "Tân", "An", "Bình", "Phú", "Long", "Hòa", "Thạnh", "Vĩnh", "Đông", "Tây", "Nam", "Bắc", "Minh",
    "Đại", "Hưng", "Thanh", "Xuân", "Kim",
)  # fmt: skip
_SECOND_SYLLABLES = (
    "Lộc", "Phước", "Thành", "Hải", "Sơn", "Giang", "Lợi", "Mỹ", "Khánh", "Hiệp", "Trung", "Quang",
    "Điền", "Thịnh", "Châu", "Lâm", "Thuận", "Cường",
)  # fmt: skip
COMMUNES = tuple(f"{one} {two}" for one, two in product(_FIRST_SYLLABLES, _SECOND_SYLLABLES))

FAMILY_NAMES = tuple(_FAMILY_SHARES)
FAMILY_BOUNDS = tuple(accumulate(_FAMILY_SHARES.values()))
