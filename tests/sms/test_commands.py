import unicodedata

import pytest

from records.catalogue import Group
from records.personal_id import PersonalId
from sms.codes import Code
from sms.commands import (
    AskLog,
    AskRecord,
    Cancel,
    Check,
    Command,
    GivePin,
    Help,
    Hint,
    Language,
    Lock,
    NotUnderstood,
    Price,
    SayWrong,
    Unlock,
    parse,
)

ID = PersonalId("001085123456")
VI, EN = Language.VI, Language.EN
RECORD = AskRecord(ID, Group.DEFAULT, VI)
RESIDENCE = AskRecord(ID, Group.RESIDENCE, VI)
CARD = AskRecord(ID, Group.CARD, VI)
PIN = GivePin("482913", None)
CODE, RECEIPT, MISTYPED = Code("7F3K92"), Code("6XWY-2WXN-B8G1-58GX"), Code(None)
PLAIN = NotUnderstood(Hint.PLAIN, None, VI)
TWO_THINGS = NotUnderstood(Hint.TWO_THINGS, None, VI)


def count(digits: int, language: Language = VI) -> NotUnderstood:
    return NotUnderstood(Hint.DIGIT_COUNT, digits, language)


def pin_form(digits: int | None, language: Language = VI) -> NotUnderstood:
    return NotUnderstood(Hint.PIN_FORM, digits, language)


PUBLISHED = [
    ("DC 001085123456", RECORD),
    ("DC 001085123456 CT", RESIDENCE),
    ("DC 001085123456 TT", CARD),
    ("XN 482913", PIN),
    ("482913", PIN),
    ("NK 001085123456", AskLog(ID, VI)),
    ("KHOA 001085123456", Lock(ID, VI)),
    ("MO 001085123456", Unlock(ID, VI)),
    ("SAI 7F3K92", SayWrong(CODE, VI)),
    ("KT 7F3K92", Check(CODE, VI)),
    ("KT 6XWY-2WXN-B8G1-58GX", Check(RECEIPT, VI)),
    ("HUY", Cancel(VI)),
    ("PHI", Price(VI)),
    ("HD", Help(VI)),
    ("INFO 001085123456", AskRecord(ID, Group.DEFAULT, EN)),
    ("INFO 001085123456 CT", AskRecord(ID, Group.RESIDENCE, EN)),
    ("PIN 482913", GivePin("482913", EN)),
    ("LOG 001085123456", AskLog(ID, EN)),
    ("LOCK 001085123456", Lock(ID, EN)),
    ("UNLOCK 001085123456", Unlock(ID, EN)),
    ("WRONG 7F3K92", SayWrong(CODE, EN)),
    ("CHECK 7F3K92", Check(CODE, EN)),
    ("CHECK 6XWY-2WXN-B8G1-58GX", Check(RECEIPT, EN)),
    ("CANCEL", Cancel(EN)),
    ("FEE", Price(EN)),
    ("HELP", Help(EN)),
]
ALIASES = [
    *(
        (f"{word} 001085123456", RECORD)
        for word in ["DANCU", "TRACUU", "TC", "CD", "TT", "TTCD", "DDC"]
    ),
    *((f"{word} 482913", PIN) for word in ["XACNHAN", "OTP", "MA"]),
    *((f"{word} 001085123456", AskLog(ID, VI)) for word in ["NHATKY", "NHATKI", "LICHSU", "AIXEM"]),
    *((word, Cancel(VI)) for word in ["HUYBO", "KHONG", "STOP"]),
    *((word, Help(VI)) for word in ["HUONGDAN", "TROGIUP", "?"]),
    ("001085123456", RECORD),
    ("TT 001085123456 TT", CARD),
    ("mo khoa 001085123456", Unlock(ID, VI)),
]
AS_TYPED = [
    ("dc 001085123456", RECORD),
    ("DC001085123456", RECORD),
    ("DC 001 085 123 456", RECORD),
    ("DC.001085-123456", RECORD),
    ("D C 001085123456", RECORD),
    ("DC:001085123456.", RECORD),
    ("DC;001085123456", RECORD),
    ("DC, 001085123456!", RECORD),
    ("DC-001085123456", RECORD),
    ("DC O01085l23456", RECORD),
    ("DCO01085L23456", RECORD),
    ("DC OO1 O85 I23 456", RECORD),
    ("DC 001 085 OOO 456", AskRecord(PersonalId("001085000456"), Group.DEFAULT, VI)),
    ("INFOOO1085123456", AskRecord(ID, Group.DEFAULT, EN)),
    ("MOO01085123456", Unlock(ID, VI)),
    ("MO OO1085123456", Unlock(ID, VI)),
    ("ĐC 001085123456", RECORD),
    ("Đc 001085123456", RECORD),
    ("đc001085123456", RECORD),
    ("ddc 001085123456", RECORD),
    ("d9c 001085123456", RECORD),
    ("tra cuwsu 001085123456", RECORD),
    ("tra cuuws 001085123456", RECORD),
    ("tra cu71u 001085123456", RECORD),
    ("tracuwsu 001085123456", RECORD),
    ("daan cuw 001085123456", RECORD),
    ("Tra cứu 001085123456", RECORD),
    (unicodedata.normalize("NFD", "Tra cứu 001085123456"), RECORD),
    ("tra cứu thông tin 001085123456", RECORD),
    ("tra cuu so cccd 001085123456", RECORD),
    ("TRA CUU001085123456", RECORD),
    ("DC\n001085123456", RECORD),
    ("DC\r\n001085123456\r\n", RECORD),
    ("DC 001085123456\n--\nNguyễn Văn A\n0912345678", RECORD),
    ("DC 001085123456\nKhoa", RECORD),
    ("DC 001085123456\nSent from my iPhone", RECORD),
    ("DC 001085123456 xin cam on", RECORD),
    ("DC 001085123456 ạ", RECORD),
    ("DC 001085123456 gui 1414", RECORD),
    ("DC 001085123456 CT gửi 1414", RESIDENCE),
    ("“DC 001085123456”", RECORD),
    ('"DC 001085123456"', RECORD),
    ("'DC' '001085123456'", RECORD),
    ("DC <001085123456>", RECORD),
    ("<DC> <001085123456> <CT>", RESIDENCE),
    ("DC [001085123456]", RECORD),
    ("DC_001085123456", RECORD),
    ("DC\u00a0001085123456", RECORD),
    ("\u200bDC\u200b 001\u200b085123456\ufeff", RECORD),
    ("DC 001–085–123456", RECORD),
    ("DC — 001085123456", RECORD),
    ("ＤＣ　００１０８５１２３４５６", RECORD),
    ("001085123456 CT", RESIDENCE),
    ("001085123456ct", RESIDENCE),
    ("DC001085123456TT", CARD),
    ("DC 001085123456 Ct.", RESIDENCE),
    ("001 085 123 456", RECORD),
    ("O01085123456", RECORD),
    ("001085123456\nCT", RECORD),
    ("xn482913", PIN),
    ("XN: 482913", PIN),
    ("XN 482 913", PIN),
    ("XN 4 8 2 9 1 3", PIN),
    ("XN 482-913.", PIN),
    ("XN\n482913", PIN),
    ("482 913", PIN),
    ("482.913", PIN),
    (" 482913 ", PIN),
    ("482913 ạ", PIN),
    ("482913\nNguyễn Thị Phương Thảo", PIN),
    ("４８２９１３", PIN),
    ("4️⃣8️⃣2️⃣9️⃣1️⃣3️⃣", PIN),
    ("4829l3", PIN),
    ("48291E", count(5)),
    ("Ma 482913", PIN),
    ("mã 482913", PIN),
    ("mã xác nhận 482913", PIN),
    ("Mã PIN của tôi là 482913", PIN),
    ("xác nhận 482913", PIN),
    ("xacs nhaanj 482913", PIN),
    ("xa1c nha65n 482913", PIN),
    ("pin482913", GivePin("482913", EN)),
    ("Pin: 482 913", GivePin("482913", EN)),
    ("XN 482913 gui 1414", PIN),
    ("Nhật ký 001085123456", AskLog(ID, VI)),
    ("ai xem 001085123456", AskLog(ID, VI)),
    ("Khóa 001085123456", Lock(ID, VI)),
    ("khoá 001085123456", Lock(ID, VI)),
    ("KHOA001085123456", Lock(ID, VI)),
    ("Mở 001085123456", Unlock(ID, VI)),
    ("mowr 001085123456", Unlock(ID, VI)),
    ("mở khóa 001085123456", Unlock(ID, VI)),
    ("UNLOCK001085123456", Unlock(ID, EN)),
    ("Huỷ", Cancel(VI)),
    ("hủy bỏ", Cancel(VI)),
    ("HUY.", Cancel(VI)),
    ("HUY 482913", Cancel(VI)),
    ("HUY yeu cau nay", Cancel(VI)),
    ("không", Cancel(VI)),
    ("Khong phai toi", Cancel(VI)),
    ("khong nhan duoc ma", PLAIN),
    ("???", Help(VI)),
    ("hướng dẫn", Help(VI)),
    ("huwowngs daanx", Help(VI)),
    ("Trợ giúp tôi với", Help(VI)),
    ("phí bao nhiêu?", Price(VI)),
]
CODES = [
    ("kt 7f3k92", Check(CODE, VI)),
    ("KT7F3K92", Check(CODE, VI)),
    ("KT: 7F3K92.", Check(CODE, VI)),
    ("KT 7F3 K92", Check(CODE, VI)),
    ("KT 7F-3K-92", Check(CODE, VI)),
    ("KT\n7F3K92\nNguyễn Văn A", Check(CODE, VI)),
    ("KT Ma GD 7F3K92", Check(CODE, VI)),
    ("KT mã giao dịch 7F3K92", Check(CODE, VI)),
    ("CHECK Ref 7F3K92", Check(CODE, EN)),
    ("KT 7F3K92 gui 1414", Check(CODE, VI)),
    ("KT 7F3K92 xin cam on", Check(CODE, VI)),
    ("KT OIL0IL", Check(Code("011011"), VI)),
    ("KT MNPQRS", Check(Code("MNPQRS"), VI)),
    ("KT 482913", Check(Code("482913"), VI)),
    ("kt 6xwy 2wxn b8g1 58gx", Check(RECEIPT, VI)),
    ("KT 6XWY2WXNB8G158GX", Check(RECEIPT, VI)),
    ("KT 6XWY-2WXN-B8GI-58GX", Check(RECEIPT, VI)),
    ("KT Biên nhận 6XWY-2WXN-B8G1-58GX", Check(RECEIPT, VI)),
    ("KT 6XWY-2WXN-B8G1-58GY", Check(MISTYPED, VI)),
    ("KT 6XWY-2WXN-B8G1-58UX", Check(MISTYPED, VI)),
    ("Sai 7f3k92", SayWrong(CODE, VI)),
    ("SAI7F3K92", SayWrong(CODE, VI)),
    ("SAI: Ma GD 7F3K92 sai nam sinh", SayWrong(CODE, VI)),
    ("SAI 6XWY-2WXN-B8G1-58GX", SayWrong(RECEIPT, VI)),
    ("SAI", NotUnderstood(Hint.CODE_FORM, None, VI)),
    ("Sai rồi", NotUnderstood(Hint.CODE_FORM, None, VI)),
    ("sai nhầm hết cả", NotUnderstood(Hint.CODE_FORM, None, VI)),
    ("KT", NotUnderstood(Hint.CODE_FORM, None, VI)),
    ("KT 7F3K9", NotUnderstood(Hint.CODE_FORM, None, VI)),
    ("KT 7F3K921", NotUnderstood(Hint.CODE_FORM, None, VI)),
    ("KT 001085123456", NotUnderstood(Hint.CODE_FORM, None, VI)),
    ("CHECK", NotUnderstood(Hint.CODE_FORM, None, EN)),
]
SLIPS = [
    ("TRACU 001085123456", RECORD),
    ("TRACUUU001085123456", RECORD),
    ("TARCUU 001085123456", RECORD),
    ("tra cu 001085123456", RECORD),
    ("INOF 001085123456", AskRecord(ID, Group.DEFAULT, EN)),
    ("HLEP", Help(EN)),
    ("huong dam", Help(VI)),
    ("INF 001085123456", PLAIN),
    ("HEL", PLAIN),
]
HINTS = [
    ("", PLAIN),
    ("DC", PLAIN),
    ("DC ?", PLAIN),
    ("alo", PLAIN),
    ("ABC 001085123456", PLAIN),
    ("toi ten la Huy", PLAIN),
    ("DC số định danh 12 số", count(2)),
    ("DC 123456789", NotUnderstood(Hint.NINE_DIGITS, 9, VI)),
    ("123 456 789", NotUnderstood(Hint.NINE_DIGITS, 9, VI)),
    ("KHOA 123456789", NotUnderstood(Hint.NINE_DIGITS, 9, VI)),
    ("INFO 123456789", NotUnderstood(Hint.NINE_DIGITS, 9, EN)),
    ("DC 00108512345", count(11)),
    ("DC 0010851234567", count(13)),
    ("00108512345", count(11)),
    ("DC 482913", count(6)),
    ("LOCK 00108512345", count(11, EN)),
    ("48291", count(5)),
    ("XN", pin_form(None)),
    ("XN 48291", pin_form(5)),
    ("XN 4829133", pin_form(7)),
    ("XN 001085123456", pin_form(12)),
    ("XN ma-6-so", pin_form(1)),
    ("PIN six-digits", pin_form(None, EN)),
    ("PIN 48291", pin_form(5, EN)),
    ("Ma GD 7F3K92", pin_form(1)),
    ("XN ٤٨٢٩١٣", pin_form(None)),
    ("DC 001085123456 001085123457", TWO_THINGS),
    ("DC 001085123456, 001085123457", TWO_THINGS),
    ("DC 001085123456 DC 001085123457", TWO_THINGS),
    ("DC 001085123456\n001085123457", TWO_THINGS),
    ("DC 001085123456 482913", TWO_THINGS),
    ("DC 001 085 123 456 482 913", TWO_THINGS),
    ("DC 001085123456 XN 482913", TWO_THINGS),
    ("XN 482913 DC 001085123456", TWO_THINGS),
    ("XN 482913 001085123456", TWO_THINGS),
    ("001085123456 482913", TWO_THINGS),
    ("KHOA 001085123456 482913", TWO_THINGS),
    ("PIN 482913 001085123456", NotUnderstood(Hint.TWO_THINGS, None, EN)),
    ("482913 HUY", TWO_THINGS),
    ("DC 001085123456 KHOA", TWO_THINGS),
    ("KHOA hay MO 001085123456", PLAIN),
    ("mo ho 001085123456", PLAIN),
]


@pytest.mark.parametrize(("text", "command"), PUBLISHED)
def test_every_published_example_works(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(("text", "command"), ALIASES)
def test_every_alias_works(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(("text", "command"), AS_TYPED)
def test_texts_are_read_as_citizens_type_them(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(("text", "command"), CODES)
def test_codes_and_receipts_are_read_as_citizens_type_them(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(("text", "command"), SLIPS)
def test_one_slip_in_a_long_lookup_or_help_word_is_forgiven(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(("text", "command"), HINTS)
def test_what_is_not_understood_gets_the_hint_that_helps(text: str, command: Command) -> None:
    assert parse(text) == command
