"""The two tables of provinces: the 63 of before 1 July 2025, and the 34 since.

A code may stand in both for different provinces (15 was Yên Bái and is Lào Cai), so the tables are
never mixed; personal numbers go on carrying the old codes.
Source: Thông tư 07/2016/TT-BCA, phụ lục 1; Nghị quyết 202/2025/QH15; Quyết định 19/2025/QĐ-TTg.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

REORGANISED_ON = date(2025, 7, 1)


@dataclass(frozen=True, slots=True)
class Province:
    """A province or a city under central government, in one of the two tables."""

    code: str  # three digits before the reorganisation, two since
    name: str
    is_city: bool

    @property
    def short(self) -> str:
        """Write the name as addresses do: `TP` before a city, nothing before a province."""
        return f"TP {self.name}" if self.is_city else self.name


_OLD_CITIES = frozenset({"001", "031", "048", "079", "092"})
_NEW_CITIES = frozenset({"01", "31", "46", "48", "79", "92"})

# Old code, old name, the new code it belongs to since.
_OLD_ROWS = """
001 Hà Nội            01|002 Hà Giang       08|004 Cao Bằng       04|006 Bắc Kạn        19
008 Tuyên Quang       08|010 Lào Cai        15|011 Điện Biên      11|012 Lai Châu       12
014 Sơn La            14|015 Yên Bái        15|017 Hòa Bình       25|019 Thái Nguyên    19
020 Lạng Sơn          20|022 Quảng Ninh     22|024 Bắc Giang      24|025 Phú Thọ        25
026 Vĩnh Phúc         25|027 Bắc Ninh       24|030 Hải Dương      31|031 Hải Phòng      31
033 Hưng Yên          33|034 Thái Bình      33|035 Hà Nam         37|036 Nam Định       37
037 Ninh Bình         37|038 Thanh Hóa      38|040 Nghệ An        40|042 Hà Tĩnh        42
044 Quảng Bình        44|045 Quảng Trị      44|046 Thừa Thiên Huế 46|048 Đà Nẵng        48
049 Quảng Nam         48|051 Quảng Ngãi     51|052 Bình Định      52|054 Phú Yên        66
056 Khánh Hòa         56|058 Ninh Thuận     56|060 Bình Thuận     68|062 Kon Tum        51
064 Gia Lai           52|066 Đắk Lắk        66|067 Đắk Nông       68|068 Lâm Đồng       68
070 Bình Phước        75|072 Tây Ninh       80|074 Bình Dương     79|075 Đồng Nai       75
077 Bà Rịa - Vũng Tàu 79|079 Hồ Chí Minh    79|080 Long An        80|082 Tiền Giang     82
083 Bến Tre           86|084 Trà Vinh       86|086 Vĩnh Long      86|087 Đồng Tháp      82
089 An Giang          91|091 Kiên Giang     91|092 Cần Thơ        92|093 Hậu Giang      92
094 Sóc Trăng         92|095 Bạc Liêu       96|096 Cà Mau         96
"""
_NEW_ROWS = """
01 Hà Nội    |04 Cao Bằng  |08 Tuyên Quang|11 Điện Biên|12 Lai Châu   |14 Sơn La   |15 Lào Cai
19 Thái Nguyên|20 Lạng Sơn |22 Quảng Ninh |24 Bắc Ninh |25 Phú Thọ    |31 Hải Phòng|33 Hưng Yên
37 Ninh Bình |38 Thanh Hóa |40 Nghệ An    |42 Hà Tĩnh  |44 Quảng Trị  |46 Huế      |48 Đà Nẵng
51 Quảng Ngãi|52 Gia Lai   |56 Khánh Hòa  |66 Đắk Lắk  |68 Lâm Đồng   |75 Đồng Nai |79 Hồ Chí Minh
80 Tây Ninh  |82 Đồng Tháp |86 Vĩnh Long  |91 An Giang |92 Cần Thơ    |96 Cà Mau
"""
# Other spellings in use, without accents, prefixes and spaces.
_ALSO = {
    "hcm": "hochiminh",
    "tphcm": "hochiminh",
    "brvt": "bariavungtau",
    "baccan": "backan",
    "contum": "kontum",
    "daclac": "daklak",
    "dacnong": "daknong",
}
_PREFIX = re.compile(r"(?:tinh|thanh pho|tp)(?=[ .])[ .]*")
_LONGEST = 60


def find(name: str) -> Province | None:
    """Find a province of either table by its name, however that is written.

    Shape: accents, case, hyphens and `Tỉnh`, `Thành phố`, `TP.` before it do not count; a name that
    stands in both tables is the new province.
    """
    return _find(name) if len(name) <= _LONGEST else None


def successor(old: Province) -> Province:
    """Return the province that an old one belongs to since the reorganisation."""
    return NEW[SUCCESSORS[old.code]]


@lru_cache(maxsize=1024)
def _find(name: str) -> Province | None:
    folded = _fold(name)
    for key in (_squeeze(_PREFIX.sub("", folded, count=1)), _squeeze(folded)):
        if found := _BY_KEY.get(_ALSO.get(key, key)):
            return found
    return None


def _fold(name: str) -> str:
    # đ has no decomposition, and ð is what some keyboards make of it.
    plain = unicodedata.normalize("NFKD", name.casefold().translate({ord("đ"): "d", ord("ð"): "d"}))
    return "".join(c for c in plain if not unicodedata.combining(c)).strip()


def _squeeze(folded: str) -> str:
    return re.sub(r"[ .\-–−]+", "", folded)


def _old() -> tuple[dict[str, Province], dict[str, str]]:
    table, moved = {}, {}
    for row in _OLD_ROWS.replace("\n", "|").split("|"):
        if row:
            code, name, new = row[:3], row[4:-2].strip(), row[-2:]
            table[code] = Province(code, name, code in _OLD_CITIES)
            moved[code] = new
    return table, moved


def _new() -> dict[str, Province]:
    rows = [row.strip() for row in _NEW_ROWS.replace("\n", "|").split("|") if row]
    return {row[:2]: Province(row[:2], row[3:], row[:2] in _NEW_CITIES) for row in rows}


_old_table, SUCCESSORS = _old()
OLD: Mapping[str, Province] = _old_table
NEW: Mapping[str, Province] = _new()
_BY_KEY = {_squeeze(_fold(province.name)): province for province in (*OLD.values(), *NEW.values())}
