"""What a citizen's message asks for. Any text is a command; printed, none shows a number."""

from dataclasses import dataclass, field
from enum import StrEnum

from records.catalogue import Group
from records.personal_id import PersonalId
from sms import codes, digits, keywords
from sms.codes import Code
from sms.digits import Numbers
from sms.fold import fold
from sms.keywords import ALONE, ENGLISH, INTENTS, Intent

# In characters. A longer message is not read: nobody types one to look themselves up.
LONGEST_TEXT = 1000


class Language(StrEnum):
    """What a citizen is answered in."""

    VI = "vi"
    EN = "en"


class Hint(StrEnum):
    """What to tell the sender of a message that was not understood."""

    PLAIN = "plain"
    NINE_DIGITS = "nine_digits"
    DIGIT_COUNT = "digit_count"
    PIN_FORM = "pin_form"
    CODE_FORM = "code_form"
    TWO_THINGS = "two_things"


@dataclass(frozen=True, slots=True)
class AskRecord:
    """Show me a group of the fields of this record."""

    personal_id: PersonalId = field(repr=False)
    group: Group
    language: Language


@dataclass(frozen=True, slots=True)
class GivePin:
    """Here is the PIN I was sent; without a language of its own, in that of the challenge."""

    pin: str = field(repr=False)
    language: Language | None


@dataclass(frozen=True, slots=True)
class AskLog:
    """Show me who looked at this record."""

    personal_id: PersonalId = field(repr=False)
    language: Language


@dataclass(frozen=True, slots=True)
class Lock:
    """Let nobody look this record up by SMS."""

    personal_id: PersonalId = field(repr=False)
    language: Language


@dataclass(frozen=True, slots=True)
class Unlock:
    """Let this record be looked up by SMS again."""

    personal_id: PersonalId = field(repr=False)
    language: Language


@dataclass(frozen=True, slots=True)
class Cancel:
    """Drop my open request."""

    language: Language


@dataclass(frozen=True, slots=True)
class Price:
    """Say what a message costs me."""

    language: Language


@dataclass(frozen=True, slots=True)
class Help:
    """Say what I can text, and where else I can go."""

    language: Language


@dataclass(frozen=True, slots=True)
class SayWrong:
    """What the reply with this code said is wrong."""

    code: Code
    language: Language


@dataclass(frozen=True, slots=True)
class Check:
    """Say whether what has this receipt, or this code, is in the journal."""

    code: Code
    language: Language


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """None of the above; *digits* says how many were read where the number was expected."""

    hint: Hint
    digits: int | None
    language: Language


# What is answered with a PIN to the telephone on file, or with NOMATCH.
Request = AskRecord | AskLog | Lock | Unlock
Command = (
    AskRecord
    | GivePin
    | AskLog
    | Lock
    | Unlock
    | SayWrong
    | Check
    | Cancel
    | Price
    | Help
    | NotUnderstood
)

_GROUPS = {group.value: group for group in Group if group is not Group.DEFAULT}
_OTHER_REQUESTS = frozenset({Intent.LOG, Intent.LOCK, Intent.UNLOCK, Intent.CANCEL})


def parse(text: str) -> Command:
    """Read one message. Total: every string is a command."""
    if len(text) > LONGEST_TEXT:
        return NotUnderstood(Hint.PLAIN, None, Language.VI)
    folded = fold(text)
    opening = keywords.opening(folded)
    if opening is None:
        return _without_keyword(folded)
    word, rest = opening
    return _with_keyword(word, rest, Language.EN if word in ENGLISH else Language.VI)


def _with_keyword(word: str, rest: str, language: Language) -> Command:
    intent = INTENTS[word]
    command: Command
    match intent:
        case Intent.RECORD | Intent.LOG | Intent.LOCK | Intent.UNLOCK:
            command = _about_a_record(intent, digits.read(rest), language)
        case Intent.PIN:
            command = _pin(digits.read(rest), Language.EN if language is Language.EN else None)
        case Intent.CANCEL if word in ALONE and rest.strip(" .,!?"):
            command = NotUnderstood(Hint.PLAIN, None, language)
        case Intent.CANCEL:
            command = Cancel(language)
        case Intent.PRICE:
            command = Price(language)
        case Intent.HELP:
            command = Help(language)
        case Intent.WRONG | Intent.CHECK:
            command = _about_a_code(intent, codes.read(rest), language)
    return command


def _without_keyword(folded: str) -> Command:
    if "?" in folded and not folded.strip("? .!\n"):
        return Help(Language.VI)
    numbers = digits.read(folded)
    if numbers is None or (numbers.after_words and numbers.things <= 1):
        return NotUnderstood(Hint.PLAIN, None, Language.VI)
    if len(numbers.first) == digits.PIN_DIGITS:
        return _pin(numbers, None)
    return _about_a_record(Intent.RECORD, numbers, Language.VI)


def _about_a_record(intent: Intent, numbers: Numbers | None, language: Language) -> Command:
    if numbers is None:
        return NotUnderstood(Hint.PLAIN, None, language)
    if fault := _fault(numbers, intent, language):
        return fault
    personal_id = PersonalId(numbers.first)
    if intent is Intent.RECORD:
        return AskRecord(personal_id, _GROUPS.get(numbers.next_word, Group.DEFAULT), language)
    if intent is Intent.LOG:
        return AskLog(personal_id, language)
    return (Lock if intent is Intent.LOCK else Unlock)(personal_id, language)


def _about_a_code(intent: Intent, code: Code | None, language: Language) -> Command:
    if code is None:
        return NotUnderstood(Hint.CODE_FORM, None, language)
    return (SayWrong if intent is Intent.WRONG else Check)(code, language)


def _fault(numbers: Numbers, intent: Intent, language: Language) -> NotUnderstood | None:
    read = len(numbers.first)
    if _is_two_things(numbers, intent):
        return NotUnderstood(Hint.TWO_THINGS, None, language)
    if read != digits.ID_DIGITS:
        hint = Hint.NINE_DIGITS if read == digits.OLD_ID_DIGITS else Hint.DIGIT_COUNT
        return NotUnderstood(hint, read, language)
    if numbers.after_words and intent in (Intent.LOCK, Intent.UNLOCK):
        # "mo" and "khoa" are syllables of much else, and these two change something.
        return NotUnderstood(Hint.PLAIN, None, language)
    return None


def _pin(numbers: Numbers | None, language: Language | None) -> Command:
    if numbers and _is_two_things(numbers, Intent.PIN):
        return NotUnderstood(Hint.TWO_THINGS, None, language or Language.VI)
    if numbers is None or len(numbers.first) != digits.PIN_DIGITS:
        read = len(numbers.first) if numbers else None
        return NotUnderstood(Hint.PIN_FORM, read, language or Language.VI)
    return GivePin(numbers.first, language)


def _is_two_things(numbers: Numbers, intent: Intent) -> bool:
    """Say whether there are two IDs, an ID and a PIN, or another request behind the number."""
    if numbers.things > 1:
        return True
    other = INTENTS.get(numbers.next_word)
    return other in _OTHER_REQUESTS and other is not intent and numbers.next_word not in ALONE
