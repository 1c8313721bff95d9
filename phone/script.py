r"""A conversation written down: what to send, and what is expected back.

Shape: one text a line. `< words` expects a reply, where `*` stands for anything; `<` alone expects
that nothing comes. `{id}` is the holder's personal number, `{pin}` the PIN of the last reply,
`{code}` the transaction code of the last reply that has one.
`:as NUMBER` and `:dup` do what they do when typed; `#` begins a remark; blank lines are nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_REMARK = "#"
_EXPECTED = "<"
_GAP = re.compile(r"\{(id|pin|code)\}")


@dataclass(frozen=True, slots=True)
class Say:
    """Send this, or do it if it begins with a colon."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Expect:
    """The text before this one is answered so; an empty pattern: it is not answered."""

    line: int
    pattern: str

    def matches(self, body: str | None) -> bool:
        """Tell whether *body* is what was expected, spaces apart; None is no reply."""
        if body is None or not self.pattern:
            return body is None and not self.pattern
        anything = ".*".join(re.escape(piece) for piece in self.pattern.split("*"))
        return re.fullmatch(anything, " ".join(body.split()), re.DOTALL) is not None


Step = Say | Expect


def parse(lines: str) -> Iterator[Step]:
    """Read a script; every text is one."""
    for number, line in enumerate(lines.splitlines(), start=1):
        words = " ".join(line.split())
        if not words or words.startswith(_REMARK):
            continue
        if words.startswith(_EXPECTED):
            yield Expect(number, words.removeprefix(_EXPECTED).strip())
        else:
            yield Say(number, words)


def filled(text: str, *, personal_id: str, pin: str | None, code: str | None = None) -> str:
    """Fill the gaps of a text; a PIN or code that nobody got stays a gap, which neither is."""
    values = {"id": personal_id, "pin": pin or "{pin}", "code": code or "{code}"}
    return _GAP.sub(lambda gap: values[gap[1]], text)
