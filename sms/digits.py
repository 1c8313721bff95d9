"""The numbers in a folded message: how their digits are grouped, and what stands around them."""

import re
from dataclasses import dataclass

ID_DIGITS = 12
PIN_DIGITS = 6
OLD_ID_DIGITS = 9

# Digits in groups, parted by one sign. O, I and L stand for 0 and 1 within a group that has digits
# and no other letters; a later group may be all O ("OO1 O85 OOO 123"). Nothing here backtracks over
# more than one group: groups and the signs between them share no character.
_GROUP = r"(?=[OIL]*+[0-9])(?:[0-9OIL]++(?![A-Z0-9])|[0-9]++)"
_RUN = re.compile(rf"(?<![A-Z0-9]){_GROUP}(?:(?: ?-+ ?|[ .])(?:{_GROUP}|O{{2,3}}+(?![A-Z0-9])))*+")
_NUMERIC = re.compile(r"[OIL]*+[0-9][0-9OIL]*")
_MEANT = str.maketrans("OIL", "011")
_LETTER = re.compile(r"[A-Z]")
_NEXT_WORD = re.compile(r"[^A-Z0-9\n]*([A-Z]+)(?![A-Z0-9])")
_PARTS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a message says in digits: its first number, and what else there is."""

    first: str
    things: int  # IDs and PINs in the whole message
    after_words: bool  # words stand before the first number
    next_word: str  # on the line of the first number, or empty


def read(folded: str) -> Numbers | None:
    """Find the numbers in *folded*."""
    runs = _RUN.finditer(folded)
    first = next(runs, None)
    if first is None:
        return None
    groups = _groups(first[0])
    following = _NEXT_WORD.match(folded, first.end())
    return Numbers(
        first="".join(groups),
        things=_things(groups) + sum(_things(_groups(run[0])) for run in runs),
        after_words=_LETTER.search(folded, 0, first.start()) is not None,
        next_word=following[1] if following else "",
    )


def is_number(chunk: str) -> bool:
    """Say whether *chunk* is digits, but for letters that are meant as digits."""
    return _NUMERIC.fullmatch(chunk) is not None


def _groups(run: str) -> list[str]:
    return _PARTS.findall(run.translate(_MEANT))


def _things(groups: list[str]) -> int:
    """Count the IDs and PINs in a run: it is one number, or several that end where groups end."""
    if sum(map(len, groups)) in (ID_DIGITS, PIN_DIGITS):
        return 1
    position, most = 0, {0: 0}
    for group in groups:
        position += len(group)
        before = [most[at] for at in (position - PIN_DIGITS, position - ID_DIGITS) if at in most]
        if before:
            most[position] = max(before) + 1
    return most.get(position, 0)
