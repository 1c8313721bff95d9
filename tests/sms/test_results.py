import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from records import catalogue
from records.catalogue import Group
from sms.commands import Language
from sms.results import ResultFields, compose, unaccented
from sms.segments import GSM7_BASIC, GSM7_EXTENSION, Encoding, measure

VI, EN = Language.VI, Language.EN
CODE = "7F3K92"
THAO = ResultFields(
    full_name="Nguyễn Thị Phương Thảo",
    sex="F",
    birth_year=1985,
    id_last3="456",
    card_issued_on=date(2021, 3, 15),
    card_expires_on=date(2030, 3, 15),
    status="active",
    commune="Phường Cửa Nam",
    province="Thành phố Hà Nội",
    current_commune="Xã Tân Phú",
    current_province="Tỉnh Đồng Nai",
)

ODD_TEXT = st.one_of(
    st.text(max_size=200),
    st.text(st.sampled_from("李ﷺ😀가`[€Đ1 "), max_size=200),
    st.lists(st.sampled_from(["Nguyễn", "1234567", "Xã", "Phường", "€€€€"]), max_size=40).map(
        lambda words: " ".join(words)[:200]
    ),
)
DATES = st.none() | st.dates()
FIELDS = st.builds(
    ResultFields,
    full_name=st.none() | ODD_TEXT.map(lambda name: name[:100]),
    sex=st.sampled_from([None, "M", "F"]),
    birth_year=st.none() | st.integers(1, 9999),
    id_last3=st.none() | st.from_regex(r"[0-9]{3}", fullmatch=True),
    card_issued_on=DATES,
    card_expires_on=DATES,
    status=st.none() | ODD_TEXT | st.sampled_from(["active", "deceased", "missing"]),
    commune=st.none() | ODD_TEXT,
    province=st.none() | ODD_TEXT,
    current_commune=st.none() | ODD_TEXT,
    current_province=st.none() | ODD_TEXT,
)
# Crockford's base 32, at least one letter among six symbols.
CODES = st.from_regex(r"[0-9A-HJKMNP-TV-Z]{6}", fullmatch=True).filter(lambda c: not c.isdigit())
GIANT = "W" * 100


@pytest.mark.parametrize(
    ("group", "language", "text"),
    [
        (
            Group.DEFAULT,
            VI,
            (
                "CSDLDC: NGUYEN THI PHUONG THAO, nu, sinh 1985, so ...456, the het han 03/2030, "
                "thuong tru P. Cua Nam, TP Ha Noi. Ma GD 7F3K92. Sai: den Cong an cap xa"
            ),
        ),
        (
            Group.DEFAULT,
            EN,
            (
                "CSDLDC: NGUYEN THI PHUONG THAO, female, born 1985, no. ...456, card until "
                "03/2030, resident in P. Cua Nam, TP Ha Noi. Ref 7F3K92. Wrong: see commune police"
            ),
        ),
        (
            Group.RESIDENCE,
            VI,
            (
                "CSDLDC: thuong tru: P. Cua Nam, TP Ha Noi; noi o hien tai: X. Tan Phu, Dong Nai. "
                "Ma GD 7F3K92. Sai: den Cong an cap xa"
            ),
        ),
        (
            Group.RESIDENCE,
            EN,
            (
                "CSDLDC: registered in: P. Cua Nam, TP Ha Noi; lives now in: X. Tan Phu, Dong Nai. "
                "Ref 7F3K92. Wrong: see commune police"
            ),
        ),
        (
            Group.CARD,
            VI,
            (
                "CSDLDC: the cap ngay 15/03/2021, het han 03/2030, trang thai: dang hoat dong. "
                "Ma GD 7F3K92. Sai: den Cong an cap xa"
            ),
        ),
        (
            Group.CARD,
            EN,
            (
                "CSDLDC: card issued on 15/03/2021, expires 03/2030, status: active. "
                "Ref 7F3K92. Wrong: see commune police"
            ),
        ),
    ],
)
def test_a_result_reads_as_published(group: Group, language: Language, text: str) -> None:
    assert compose(THAO, group, CODE, language).text == text


@pytest.mark.parametrize(
    ("register", "told"),
    [
        ("Phường Cửa Nam", "P. Cua Nam"),
        ("phường 7", "P. 7"),
        ("XÃ Tân Phú", "X. Tan Phu"),
        ("Thị trấn Sa Pa", "TT. Sa Pa"),
        ("Thành phố Thủ Đức", "TP Thu Duc"),
        ("Đặc khu Phú Quốc", "DK Phu Quoc"),
        ("Cửa Nam", "Cua Nam"),
        ("Xã\nTân`Phú", "X. Tan'Phu"),
    ],
)
def test_the_kind_of_place_is_written_short(register: str, told: str) -> None:
    fields = replace(THAO, commune=register, current_commune=None, current_province=None)

    text = compose(fields, Group.RESIDENCE, CODE, VI).text

    assert text.startswith(f"CSDLDC: thuong tru: {told}, TP Ha Noi. Ma GD")


@pytest.mark.parametrize(
    ("register", "told"),
    [("Hà Nội", "TP Ha Noi"), ("Tỉnh Tây Ninh", "Tay Ninh"), ("TP HCM", "TP Ho Chi Minh")],
)
def test_a_province_is_written_one_way(register: str, told: str) -> None:
    text = compose(replace(THAO, province=register), Group.DEFAULT, CODE, VI).text

    assert f", {told}. Ma GD" in text


NAME = "Công Tằng Tôn Nữ Thị Phương Thảo"
COMMUNE = "Phường Thủy Nguyên Đông Hải Tây Sơn Nam"


@pytest.mark.parametrize(
    ("name", "commune", "told"),
    [
        (
            "Nguyễn Thị Phương Thảo",
            "Phường Thủy Nguyên Đông",
            (
                "NGUYEN THI PHUONG THAO, nu, sinh 1985, so ...456, the het han 03/2030, thuong tru "
                "P. Thuy Nguyen Dong"
            ),
        ),
        (
            NAME,
            "Phường Thủy Nguyên Đông Hải",
            (
                "CONG TANG TON NU THI PHUONG THAO, nu, sinh 1985, so ...456, thuong tru "
                "P. Thuy Nguyen Dong Hai"
            ),
        ),
        (
            NAME,
            COMMUNE,
            (
                "CONG TANG TON NU THI PHUONG THAO, sinh 1985, so ...456, thuong tru "
                "P. Thuy Nguyen Dong Hai Tay Son Nam"
            ),
        ),
        (
            f"{NAME} Vy",
            COMMUNE,
            (
                "CONG TANG TON NU THI PHUONG THAO VY, so ...456, thuong tru "
                "P. Thuy Nguyen Dong Hai Tay Son Nam"
            ),
        ),
        (
            f"{NAME} Quỳnh Trang Anh",
            COMMUNE,
            (
                "CONG T T NU THI PHUONG THAO QUYNH TRANG ANH, so ...456, thuong tru "
                "P. Thuy Nguyen Dong Hai Tay Son Nam"
            ),
        ),
        (
            f"{NAME} Vy",
            f"{COMMUNE} {COMMUNE}",
            (
                "CONG T T N T P T VY, so ...456, thuong tru "
                "P. Thuy Nguyen Dong Hai Tay Son Nam Phuong Thuy Nguyen Dong"
            ),
        ),
        ("Nguyễn Văn An", f"Phường {GIANT}", "NGUYEN V AN, so ...456, thuong tru"),
    ],
)
def test_what_is_too_long_is_given_up_in_order(name: str, commune: str, told: str) -> None:
    fields = replace(THAO, full_name=name, commune=commune)

    text = compose(fields, Group.DEFAULT, CODE, VI).text

    province = " TP Ha Noi" if told.endswith("thuong tru") else ", TP Ha Noi"
    assert text == f"CSDLDC: {told}{province}. Ma GD 7F3K92. Sai: den Cong an cap xa"


def test_only_the_fields_that_are_in_the_text_are_named() -> None:
    told = compose(replace(THAO, full_name=NAME, commune=COMMUNE), Group.DEFAULT, CODE, VI)

    assert told.fields == ("full_name", "date_of_birth", "personal_id", "commune", "province")


@pytest.mark.parametrize("group", Group)
def test_every_group_tells_what_the_catalogue_gives_it(group: Group) -> None:
    told = compose(THAO, group, CODE, VI)

    assert set(told.fields) == {known.code for known in catalogue.group(group)}


@pytest.mark.parametrize("group", Group)
@pytest.mark.parametrize("language", Language)
def test_a_record_without_data_says_so(group: Group, language: Language) -> None:
    told = compose(ResultFields(), group, CODE, language)

    assert {VI: "khong co du lieu", EN: "no data"}[language] in told.text
    assert told.fields == ()


@given(FIELDS, st.sampled_from(Group), CODES, st.sampled_from(Language))
@example(replace(THAO, full_name=GIANT, commune=GIANT * 2), Group.DEFAULT, CODE, VI)
@example(replace(THAO, full_name=" ".join("A" * 50)), Group.DEFAULT, CODE, VI)
@example(replace(THAO, full_name="😀" * 100, province="😀" * 99), Group.DEFAULT, CODE, EN)
@example(replace(THAO, full_name="ﷺ" * 100, commune="ﷺ" * 200), Group.DEFAULT, CODE, VI)
@example(replace(THAO, full_name="[" * 100), Group.DEFAULT, CODE, VI)
@example(replace(THAO, commune=GIANT, current_commune=GIANT), Group.RESIDENCE, CODE, VI)
@example(replace(THAO, province=GIANT, current_province="€" * 200), Group.RESIDENCE, CODE, EN)
@example(replace(THAO, status="ﷺ" * 200), Group.CARD, CODE, EN)
def test_whatever_the_register_holds_the_result_is_one_segment(
    fields: ResultFields, group: Group, code: str, language: Language
) -> None:
    told = compose(fields, group, code, language)

    measured = measure(told.text)
    assert (measured.encoding, measured.segments) == (Encoding.GSM7, 1)
    assert f"{'Ma GD' if language is VI else 'Ref'} {code}." in told.text
    assert not re.search(r"(?<![0-9])[0-9]{6}(?![0-9])", told.text)


@given(st.text())
@example("`´\t\n\x7f\x00")
@example("\ud800")
def test_an_unaccented_text_is_gsm7_without_six_digits_in_a_row(text: str) -> None:
    plain = unaccented(text)

    assert set(plain) <= set(GSM7_BASIC + GSM7_EXTENSION) - {"\n", "\r", "\f"}
    assert not re.search(r"[0-9]{6}", plain)


def test_long_numbers_are_broken_without_losing_a_digit() -> None:
    told = [unaccented(text) for text in ("12345", "123456", "So ０８２９１３", "1234567a")]

    assert told == ["12345", "123 456", "So 082 913", "1 234 567a"]


def test_printed_fields_show_nothing() -> None:
    assert repr(THAO) == "ResultFields()"
    assert "THAO" not in repr(compose(THAO, Group.DEFAULT, CODE, VI))
