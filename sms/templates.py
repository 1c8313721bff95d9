"""The catalogue of what citizens are told: every text, in both languages, with its slots.

Each text fits one GSM-7 segment with its slots at their longest. Those whose reply has a journal
entry name its code. Where a text shows how to write something it shows letters, never digits: six
digits stand in a PIN text and nowhere else.
"""

from collections.abc import Mapping
from enum import StrEnum

from sms.commands import Language

# Raised with any change of a text: operators register texts, and entries name the version.
TEMPLATE_VERSION = 2


class TemplateId(StrEnum):
    """The name of one text, as journal entries give it."""

    PIN = "pin"
    RESULT = "result"
    LOG = "log"
    LOG_NONE = "log.none"
    NOMATCH = "nomatch"
    WRONG = "wrong"
    FAILED = "failed"
    EXPIRED = "expired"
    NOOPEN = "noopen"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    CANCELLED = "cancelled"
    INCLUDED = "included"
    UNKNOWN = "unknown"
    CASE = "case"
    CASE_CLOSED = "case.closed"
    SYNTAX_PLAIN = "syntax.plain"
    SYNTAX_NINE_DIGITS = "syntax.nine_digits"
    SYNTAX_DIGIT_COUNT = "syntax.digit_count"
    SYNTAX_PIN_FORM = "syntax.pin_form"
    SYNTAX_CODE_FORM = "syntax.code_form"
    SYNTAX_TWO_THINGS = "syntax.two_things"
    HELP = "help"
    PRICE = "price"
    PRICE_FREE = "price.free"
    PRICE_USUAL = "price.usual"
    QUOTA = "quota"
    LATE = "late"
    DOWN = "down"


_VIETNAMESE = {
    TemplateId.PIN: (
        "CSDLDC: Ma xac thuc {pin}, hieu luc {life}. Tra loi: XN {pin}. Khong dua ma cho bat ky "
        "ai, ke ca can bo. Neu khong phai ban yeu cau, soan HUY. Ma GD {code}"
    ),
    TemplateId.RESULT: "CSDLDC: {told}. Ma GD {code}. Sai: den Cong an cap xa",
    TemplateId.LOG: ("CSDLDC: Truy cap: {told}. Khong phai ban: den Cong an xa. Ma GD {code}"),
    TemplateId.LOG_NONE: (
        "CSDLDC: Nhat ky chua ghi lan truy cap nao vao thong tin cua ban{told}. Ma GD {code}"
    ),
    TemplateId.NOMATCH: (
        "CSDLDC: Khong thuc hien duoc yeu cau tu so thue bao nay. Kiem tra so dinh danh hoac den "
        "Cong an cap xa de dang ky so dien thoai. Ma GD {code}"
    ),
    TemplateId.WRONG: (
        "CSDLDC: Ma xac thuc khong dung, con {tries} lan thu. Soan XN cach ma 6 so. Ma GD {code}"
    ),
    TemplateId.FAILED: (
        "CSDLDC: Ma xac thuc khong dung, da het so lan thu. Vui long gui lai yeu cau de nhan ma "
        "moi. Ma GD {code}"
    ),
    TemplateId.EXPIRED: (
        "CSDLDC: Ma xac thuc da het hieu luc. Vui long gui lai yeu cau de nhan ma moi. Ma GD {code}"
    ),
    TemplateId.NOOPEN: (
        "CSDLDC: Khong co yeu cau nao dang cho ma xac thuc. De tra cuu, soan DC "
        "so-dinh-danh-12-so. Huong dan: soan HD"
    ),
    TemplateId.LOCKED: (
        "CSDLDC: Da khoa tra cuu thong tin cua ban bang tin nhan. Mo lai: soan MO so-dinh-danh. "
        "Neu khong phai ban, den Cong an cap xa. Ma GD {code}"
    ),
    TemplateId.UNLOCKED: (
        "CSDLDC: Da mo lai tra cuu thong tin cua ban bang tin nhan. Neu khong phai ban, soan KHOA "
        "so-dinh-danh va den Cong an cap xa. Ma GD {code}"
    ),
    TemplateId.CANCELLED: (
        "CSDLDC: Da huy, khong con yeu cau nao dang cho. Neu nguoi khac gui yeu cau, nen khoa: "
        "soan KHOA so-dinh-danh. Ma GD {code}"
    ),
    TemplateId.INCLUDED: (
        "CSDLDC: Co trong nhat ky, muc {index} tren {size}, luc {at}. Bien nhan {receipt}. Ai "
        "cung kiem tra duoc: soan KT bien-nhan"
    ),
    TemplateId.UNKNOWN: (
        "CSDLDC: Khong tim thay ma nay trong nhat ky, hoac ma khong gui cho so thue bao nay. Hay "
        "kiem tra lai ma giao dich hoac bien nhan. Huong dan: soan HD"
    ),
    TemplateId.CASE: (
        "CSDLDC: Da ghi nhan phan anh sai sot, so {case}. Vui long den Cong an cap xa va neu so "
        "nay de duoc kiem tra, dinh chinh. Ma GD {code}"
    ),
    TemplateId.CASE_CLOSED: (
        "CSDLDC: Phan anh so {case} ve tin nay da duoc dong. Neu van con sai, den Cong an cap xa "
        "va neu so nay. Ma GD {code}"
    ),
    TemplateId.SYNTAX_PLAIN: (
        "CSDLDC: Tin nhan chua dung cu phap. De tra cuu, soan DC so-dinh-danh-12-so. De xac nhan, "
        "soan XN ma-6-so. Huong dan: soan HD"
    ),
    TemplateId.SYNTAX_NINE_DIGITS: (
        "CSDLDC: Ban da gui 9 so (CMND cu). Hay dung so dinh danh 12 so tren the can cuoc: soan DC "
        "so-dinh-danh-12-so. Huong dan: soan HD"
    ),
    TemplateId.SYNTAX_DIGIT_COUNT: (
        "CSDLDC: Doc duoc {digits} chu so. So dinh danh can 12 so (soan DC so-dinh-danh), ma xac "
        "thuc can 6 so (soan XN ma-6-so). Huong dan: soan HD"
    ),
    TemplateId.SYNTAX_PIN_FORM: (
        "CSDLDC: Ma xac thuc can dung 6 so: soan XN ma-6-so. Tin nay khong tinh la mot lan thu. "
        "Huong dan: soan HD"
    ),
    TemplateId.SYNTAX_CODE_FORM: (
        "CSDLDC: Hay ghi ma giao dich gom 6 ky tu o tin da nhan: soan KT ma-giao-dich de kiem tra, "
        "SAI ma-giao-dich neu tin do sai. Huong dan: soan HD"
    ),
    TemplateId.SYNTAX_TWO_THINGS: (
        "CSDLDC: Moi tin nhan chi mot viec: mot so dinh danh (DC so-dinh-danh) hoac mot ma xac "
        "thuc (XN ma-6-so). Vui long gui rieng. Huong dan: soan HD"
    ),
    TemplateId.HELP: (
        "CSDLDC: Soan DC so-dinh-danh, roi XN ma-6-so (2 tin nhan). Khac: NK/KHOA/MO "
        "so-dinh-danh, SAI/KT ma, HUY, PHI. An toan hon: VNeID, Cong dich vu cong, Cong an xa"
    ),
    TemplateId.PRICE: (
        "CSDLDC: Gia moi tin nhan gui di: {price} dong. Mot lan tra cuu can 2 tin (DC va XN): "
        "{total} dong. Tin tra loi khong mat phi"
    ),
    TemplateId.PRICE_FREE: (
        "CSDLDC: Mien phi tin nhan gui di. Mot lan tra cuu can 2 tin (DC va XN). Tin tra loi khong "
        "mat phi"
    ),
    TemplateId.PRICE_USUAL: (
        "CSDLDC: Moi tin nhan gui di tinh theo cuoc thong thuong cua nha mang. Mot lan tra cuu can "
        "2 tin (DC va XN). Tin tra loi khong mat phi"
    ),
    TemplateId.QUOTA: (
        "CSDLDC: Hien chua the nhan yeu cau moi tu so thue bao nay. Vui long gui lai sau. Ma xac "
        "thuc da nhan van dung duoc den khi het hieu luc"
    ),
    TemplateId.LATE: (
        "CSDLDC: Tin nhan cua ban den qua muon nen yeu cau chua duoc thuc hien. Vui long gui lai"
    ),
    TemplateId.DOWN: (
        "CSDLDC: He thong tam ngung, yeu cau chua duoc thuc hien. Vui long gui lai sau. Cuoc tin "
        "nhan do nha mang thu"
    ),
}
_ENGLISH = {
    TemplateId.PIN: (
        "CSDLDC: Your code is {pin}, valid {life}. Reply: PIN {pin}. Give it to nobody, not even "
        "officials. If you did not ask for it, text CANCEL. Ref {code}"
    ),
    TemplateId.RESULT: "CSDLDC: {told}. Ref {code}. Wrong: see commune police",
    TemplateId.LOG: "CSDLDC: Accessed: {told}. Not you? See your commune police. Ref {code}",
    TemplateId.LOG_NONE: (
        "CSDLDC: The journal has no access to your record so far{told}. Ref {code}"
    ),
    TemplateId.NOMATCH: (
        "CSDLDC: Your request cannot be served from this number. Check the personal number, or "
        "register your phone at the commune police. Ref {code}"
    ),
    TemplateId.WRONG: "CSDLDC: Wrong code, tries left: {tries}. Text PIN six-digits. Ref {code}",
    TemplateId.FAILED: (
        "CSDLDC: Wrong code, no tries left. Please send your request again to get a new code. "
        "Ref {code}"
    ),
    TemplateId.EXPIRED: (
        "CSDLDC: The code has expired. Please send your request again to get a new code. Ref {code}"
    ),
    TemplateId.NOOPEN: (
        "CSDLDC: No request is waiting for a code. For your record, text INFO personal-number. "
        "Help: text HELP"
    ),
    TemplateId.LOCKED: (
        "CSDLDC: Lookups of your record by SMS are locked. To unlock, text UNLOCK personal-number. "
        "If this was not you, see your commune police. Ref {code}"
    ),
    TemplateId.UNLOCKED: (
        "CSDLDC: Lookups of your record by SMS are open again. If this was not you, text LOCK "
        "personal-number and see your commune police. Ref {code}"
    ),
    TemplateId.CANCELLED: (
        "CSDLDC: Cancelled, no request is waiting. If somebody else asked, lock your record: text "
        "LOCK personal-number. Ref {code}"
    ),
    TemplateId.INCLUDED: (
        "CSDLDC: In the journal: entry {index} of {size}, {at}. Receipt {receipt}. Anybody can "
        "check it: text CHECK and the receipt"
    ),
    TemplateId.UNKNOWN: (
        "CSDLDC: Not found in the journal, or not sent to this number. Check the code or receipt "
        "that you typed. Help: text HELP"
    ),
    TemplateId.CASE: (
        "CSDLDC: Your report is noted as case {case}. Please see your commune police with this "
        "number, to have it checked and corrected. Ref {code}"
    ),
    TemplateId.CASE_CLOSED: (
        "CSDLDC: Case {case} about that message is closed. If it is still wrong, see your commune "
        "police with this number. Ref {code}"
    ),
    TemplateId.SYNTAX_PLAIN: (
        "CSDLDC: Message not understood. For your record, text INFO personal-number. To confirm, "
        "text PIN six-digits. Help: text HELP"
    ),
    TemplateId.SYNTAX_NINE_DIGITS: (
        "CSDLDC: You sent 9 digits (an old identity card). Use the 12 digits of your citizen card: "
        "text INFO personal-number. Help: text HELP"
    ),
    TemplateId.SYNTAX_DIGIT_COUNT: (
        "CSDLDC: We read {digits} digits. A personal number has 12 (text INFO personal-number), a "
        "code has 6 (text PIN six-digits). Help: text HELP"
    ),
    TemplateId.SYNTAX_PIN_FORM: (
        "CSDLDC: A code has exactly 6 digits: text PIN six-digits. This message did not cost you a "
        "try. Help: text HELP"
    ),
    TemplateId.SYNTAX_CODE_FORM: (
        "CSDLDC: Give the 6 letters and digits at the end of the message you got: text CHECK code "
        "to check it, WRONG code if it is wrong. Help: text HELP"
    ),
    TemplateId.SYNTAX_TWO_THINGS: (
        "CSDLDC: One thing per message: one personal number (INFO personal-number) or one code "
        "(PIN six-digits). Please send them apart. Help: text HELP"
    ),
    TemplateId.HELP: (
        "CSDLDC: Text INFO personal-number, then PIN six-digits (2 messages). LOG, LOCK, UNLOCK, "
        "WRONG, CHECK, CANCEL, FEE. Safer: VNeID, service portal, commune police"
    ),
    TemplateId.PRICE: (
        "CSDLDC: Each message you send costs {price} VND. A lookup takes 2 messages (INFO and "
        "PIN): {total} VND. Replies are free"
    ),
    TemplateId.PRICE_FREE: (
        "CSDLDC: Messages you send here are free. A lookup takes 2 messages (INFO and PIN). "
        "Replies are free"
    ),
    TemplateId.PRICE_USUAL: (
        "CSDLDC: Each message you send costs your operator's usual fee. A lookup takes 2 messages "
        "(INFO and PIN). Replies are free"
    ),
    TemplateId.QUOTA: (
        "CSDLDC: No new request can be taken from this number now. Please try again later. A code "
        "you already have works until it expires"
    ),
    TemplateId.LATE: (
        "CSDLDC: Your message reached us too late, so nothing was done. Please send it again"
    ),
    TemplateId.DOWN: (
        "CSDLDC: The service is paused and your request was not carried out. Please try again "
        "later. Your operator charges for messages"
    ),
}
TEXTS: Mapping[Language, Mapping[TemplateId, str]] = {
    Language.VI: _VIETNAMESE,
    Language.EN: _ENGLISH,
}
