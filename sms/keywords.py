"""The words that open a command, and how else citizens come to type them.

Besides its plain spelling a word may arrive as Telex or VNI left it (`tra cuwsu`, `tra cu71u`), or
a lookup or help word with one slip of the finger (`TRACU`, `HLEP`).
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice, permutations, product
from string import ascii_uppercase

from sms.digits import is_number


class Intent(StrEnum):
    """What a first word asks for, named by the word that is published for it."""

    RECORD = "DC"
    PIN = "XN"
    LOG = "NK"
    LOCK = "KHOA"
    UNLOCK = "MO"
    CANCEL = "HUY"
    PRICE = "PHI"
    HELP = "HD"
    WRONG = "SAI"
    CHECK = "KT"


# As printed, with the accents a citizen's keyboard may have turned into Telex or VNI.
_SPELLED = {
    Intent.RECORD: ("DC", "DDC", "D9C", "dân cư", "tra cứu", "TC", "CD", "TT", "TTCD"),
    Intent.PIN: ("XN", "xác nhận", "OTP", "mã"),
    Intent.LOG: ("NK", "nhật ký", "nhật kí", "lịch sử", "ai xem"),
    Intent.LOCK: ("khóa", "khoá"),
    Intent.UNLOCK: ("mở", "mở khóa", "mở khoá"),
    Intent.CANCEL: ("hủy", "huỷ", "hủy bỏ", "huỷ bỏ", "không", "không phải", "STOP"),
    Intent.PRICE: ("phí",),
    Intent.HELP: ("HD", "hướng dẫn", "trợ giúp"),
    Intent.WRONG: ("SAI",),
    Intent.CHECK: ("KT",),
}
_ENGLISH = {
    "INFO": Intent.RECORD,
    "PIN": Intent.PIN,
    "LOG": Intent.LOG,
    "LOCK": Intent.LOCK,
    "UNLOCK": Intent.UNLOCK,
    "CANCEL": Intent.CANCEL,
    "FEE": Intent.PRICE,
    "HELP": Intent.HELP,
    "WRONG": Intent.WRONG,
    "CHECK": Intent.CHECK,
}
# "khong" also opens sentences ("khong nhan duoc ma"): it cancels only as the whole message.
ALONE = frozenset({"KHONG"})

# Below this a slip turns one word into another too easily.
_SHORTEST_FORGIVEN = 4
_FORGIVEN = frozenset({Intent.RECORD, Intent.HELP})

# A combining mark -> its Telex keys (None: the vowel once more) and its VNI key.
_KEYS = {
    "\u0302": (None, "6"),  # circumflex
    "\u031b": ("W", "7"),  # horn
    "\u0301": ("S", "1"),  # acute
    "\u0300": ("F", "2"),  # grave
    "\u0309": ("R", "3"),  # hook above
    "\u0303": ("X", "4"),  # tilde
    "\u0323": ("J", "5"),  # dot below
}


def plain(spelled: str) -> str:
    """Write a word of ours without accents and spaces, in capitals."""
    letters = unicodedata.normalize("NFD", spelled)
    return "".join(letter for letter in letters if letter.isascii() and letter != " ").upper()


def typed(spelled: str, *, every_key: bool = False) -> frozenset[str]:
    """List what Telex and VNI leave of a word when nothing turns the keys into accents.

    A key is struck after its vowel or at the syllable's end. Unless *every_key*, some may be
    missing.
    """
    return frozenset(
        "".join(syllables)
        for method in (0, 1)
        for syllables in product(
            *({*_struck(syllable, method, every_key=every_key)} for syllable in spelled.split())
        )
    ) - {plain(spelled)}


def _struck(syllable: str, method: int, *, every_key: bool) -> Iterator[str]:
    letters, keys = _taken_apart(syllable, method)
    end = len(letters) - 1
    places = [(place, end) if every_key else (place, end, None) for place, _ in keys]
    for chosen in product(*places):
        for order in permutations(range(len(keys))):
            struck = letters.copy()
            for number in order:
                place = chosen[number]
                if place is not None:
                    struck[place] += keys[number][1]
            yield "".join(struck)


def _taken_apart(syllable: str, method: int) -> tuple[list[str], list[tuple[int, str]]]:
    letters: list[str] = []
    keys: list[tuple[int, str]] = []
    for sign in unicodedata.normalize("NFD", syllable).upper():
        if sign in _KEYS:
            keys.append((len(letters) - 1, _KEYS[sign][method] or letters[-1]))
        else:
            letters.append(sign)
    return letters, keys


def _left(intent: Intent, spelled: str) -> frozenset[str]:
    if intent in _FORGIVEN:
        return typed(spelled)
    # One key more than the plain word is a slip like any other: these words take none.
    return frozenset(w for w in typed(spelled, every_key=True) if len(w) > len(plain(spelled)) + 1)


def _slips(word: str) -> Iterator[str]:
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        for letter in ascii_uppercase:
            yield head + letter + tail
            yield head + letter + tail[1:]
        yield head + tail[1:]
        yield head + tail[1::-1] + tail[2:]


def _near(word: str) -> set[str]:
    if INTENTS[word] not in _FORGIVEN or len(word) < _SHORTEST_FORGIVEN:
        return set()
    return {slip for slip in _slips(word) if len(slip) >= _SHORTEST_FORGIVEN}


# A word as it is looked up -> what it asks for.
INTENTS = {plain(word): intent for intent, words in _SPELLED.items() for word in words} | _ENGLISH
# Those answered in English.
ENGLISH = frozenset(_ENGLISH)

_KEPT = {
    slip for word, intent in INTENTS.items() if intent not in _FORGIVEN for slip in _slips(word)
}
# A word as Telex or VNI left it, or a lookup or help word with one letter wrong, missing, added or
# swapped -> the word. A slip that could have been another command's is nobody's.
MEANT = {slip: word for word in INTENTS for slip in _near(word) - _KEPT - INTENTS.keys()} | {
    left: plain(spelled)
    for intent, words in _SPELLED.items()
    for spelled in words
    for left in _left(intent, spelled) - INTENTS.keys()
}

# "TRA CUU": the most syllables of a keyword, and room for one that was pulled apart.
_HEAD_WORDS = 4
_CHUNK = re.compile(r"[A-Z0-9]+")
_LETTERS = re.compile(r"[A-Z]+")


def opening(folded: str) -> tuple[str, str] | None:
    """Find the keyword a folded message opens with; return it, spelled right, and the rest."""
    heads = list(_heads(folded))
    for typed_as, end in heads:
        if typed_as in INTENTS:
            return typed_as, folded[end:]
    for typed_as, end in heads:
        if typed_as in MEANT:
            return MEANT[typed_as], folded[end:]
    return None


def _heads(folded: str) -> Iterator[tuple[str, int]]:
    """Yield what could be a keyword, longest first: "TRA CUU001" gives TRACUU, then TRA."""
    words = []
    for found in islice(_CHUNK.finditer(folded), _HEAD_WORDS):
        if is_number(found[0]):
            break
        words.append(found)
    while words:
        before = "".join(found[0] for found in words[:-1])
        last = words.pop()
        yield before + last[0], last.end()
        letters = _LETTERS.match(last[0])
        if letters and letters.end() < len(last[0]):
            yield from _glued(before, last[0], letters.end(), last.start())


def _glued(before: str, chunk: str, letters: int, start: int) -> Iterator[tuple[str, int]]:
    """Yield the heads of a keyword glued to its number, whose first digits may be O, I or L."""
    for cut in range(letters, 0, -1):
        yield before + chunk[:cut], start + cut
        if chunk[cut - 1] not in "OIL":
            return
