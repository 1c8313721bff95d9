"""What a citizen's text is once everything that does not matter has been folded away.

Accents, case, kinds of quotes, dashes and spaces, full-width forms and what cannot be seen go; the
digits 0 to 9, the letters A to Z, lines, and the signs that may stand within a number remain.
"""

import re
import unicodedata
from functools import lru_cache

from sms.keywords import typed

_SPACES = dict.fromkeys("\t\"'`()<>[]{}_\u2032\u2033", " ")
_LINES = dict.fromkeys("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", "\n")
_DELETE = 0x7F
_UNSEEN = {chr(code): "" for code in (*range(ord(" ")), _DELETE)}
_ASCII = str.maketrans({**_UNSEEN, **_SPACES, **_LINES})
# Letters that no decomposition takes apart. Icelandic eth and African D look like the Vietnamese Đ.
_LETTERS = {"đ": "D", "Đ": "D", "ð": "D", "Ð": "D", "ɖ": "D", "Ɖ": "D", "\u2212": "-"}
_CATEGORIES = {
    **dict.fromkeys(("Mn", "Mc", "Me", "Cf", "Cc", "Cs"), ""),
    **dict.fromkeys(("Zs", "Pi", "Pf", "Ps", "Pe"), " "),
    "Pd": "-",
}
_SEND = "|".join(sorted({"GUI", *typed("gửi")}))
# The instructions' last words typed with the rest: "gui 1414". Six digits may be a PIN: they stay.
_SENT_TO = re.compile(rf" ?\b(?:{_SEND})(?: TOI| DEN)?(?: SO)?[ :]*[0-9]{{3,5}}[ .!]*$")


def fold(text: str) -> str:
    """Fold *text* to capital letters, digits, single spaces and non-empty lines.

    Characters of other scripts are kept: they part words as any sign does.
    """
    if not text.isascii():
        text = "".join(map(_folded, unicodedata.normalize("NFKD", text)))
    text = text.translate(_ASCII).upper()
    lines = [" ".join(line.split()) for line in text.split("\n")]
    if "G" in text:
        lines = [_SENT_TO.sub("", line).strip() for line in lines]
    return "\n".join(filter(None, lines))


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    if character.isascii():
        return character
    for table in (_LETTERS, _LINES, _SPACES):
        if character in table:
            return table[character]
    return _CATEGORIES.get(unicodedata.category(character), character)
