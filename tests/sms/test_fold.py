import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.fold import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("dc 001085123456", "DC 001085123456"),
        ("ĐC", "DC"),
        ("đC", "DC"),
        ("\u00d0C \u0189C", "DC DC"),  # eth and African D, from keyboards that have no Đ
        ("tra cứu", "TRA CUU"),
        (unicodedata.normalize("NFD", "tra cứu nhật ký"), "TRA CUU NHAT KY"),
        ("ＤＣ　００１０８５", "DC 001085"),
        ("1️⃣2️⃣3️⃣", "123"),
        ("\u200bXN\u2060\u00a0482\u00ad913\ufeff", "XN 482913"),
        ("“DC” ‘001’ «085» (123) <456> [7] {8} `9`", "DC 001 085 123 456 7 8 9"),
        ("001–085—123‑456−7", "001-085-123-456-7"),
        ("DC_001085123456", "DC 001085123456"),
        ("DC\r\n\r\n 001085123456 \t\r\n -- \rAnh", "DC\n001085123456\n--\nANH"),
        ("DC\u2028001085123456", "DC\n001085123456"),
        ("D\x00C\x07 0\x7f01", "DC 001"),
        ("DC 001085123456 gui 1414", "DC 001085123456"),
        ("DC 001085123456 gửi 1414.", "DC 001085123456"),
        ("DC 001085123456 guwri 8079", "DC 001085123456"),
        ("DC 001085123456 gui den so 1414", "DC 001085123456"),
        ("HD Gửi tới: 1414", "HD"),
        ("KHONG gui 1414\nAnh", "KHONG\nANH"),
        ("XN gui 482913", "XN GUI 482913"),
        ("gui 1414", ""),
        ("٤٨٢٩١٣", "٤٨٢٩١٣"),
        ("XN 48291²", "XN 482912"),
        ("", ""),
        (" \t\n ", ""),
    ],
)
def test_what_does_not_matter_is_folded_away(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=200))
def test_folding_is_total_and_leaves_nothing_unseen(text: str) -> None:
    folded = fold(text)

    assert folded == folded.strip()
    assert "  " not in folded
    unseen = {unicodedata.category(sign) for sign in folded.replace("\n", "")}
    assert not unseen & {"Cc", "Cf", "Cs", "Mn", "Me", "Mc", "Zl", "Zp"}
    assert not any("a" <= sign <= "z" for sign in folded)


@given(st.text(st.characters(codec="ascii"), max_size=200))
def test_ascii_folds_as_it_does_beside_other_scripts(text: str) -> None:
    assert fold(f"{text}\n中") == f"{fold(text)}\n中".lstrip("\n")


@given(st.text(max_size=100))
def test_composed_and_decomposed_texts_fold_alike(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    decomposed = unicodedata.normalize("NFD", text)

    assert fold(composed) == fold(decomposed)
