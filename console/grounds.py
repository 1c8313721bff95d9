"""The grounds on which an officer asks for what is masked: why, in which case, for whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask_babel import gettext as _

from console.errors import NotAllowedError
from journal.leaf import PayloadValue

SHORTEST_REASON, LONGEST_REASON = 20, 200
LONGEST_CASE, LONGEST_RECEIVER = 60, 100


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why somebody is looked up; *receiver* is the institution that citizens are told of."""

    reason: str = field(repr=False)
    case: str = field(repr=False)
    receiver: str

    def said(self) -> dict[str, PayloadValue]:
        """Return it as entries tell it."""
        return {"reason": self.reason, "case": self.case, "receiver": self.receiver}


def of_form(form: Mapping[str, str]) -> Grounds:
    """Read grounds as they were typed.

    Raises: NotAllowedError for what does not tell enough.
    """
    case, receiver = (one_line(form.get(name, "")) for name in ("case", "receiver"))
    found = Grounds(reason_of(form), case, receiver)
    if not 0 < len(found.case) <= LONGEST_CASE:
        raise NotAllowedError(_("Hãy ghi số hồ sơ, tối đa 60 ký tự."))
    if not 0 < len(found.receiver) <= LONGEST_RECEIVER:
        raise NotAllowedError(_("Hãy ghi cơ quan, tối đa 100 ký tự."))
    return found


def reason_of(form: Mapping[str, str]) -> str:
    """Read why, as it was typed.

    Raises: NotAllowedError if it does not tell enough.
    """
    reason = one_line(form.get("reason", ""))
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise NotAllowedError(_("Hãy ghi lý do từ 20 đến 200 ký tự."))
    return reason


def one_line(text: str) -> str:
    """Return what was typed with its spaces evened.

    Raises: NotAllowedError if it holds what no keyboard types.
    """
    line = " ".join(text.split())
    if not line.isprintable():
        raise NotAllowedError(_("Chỉ ghi chữ, số và dấu câu."))
    return line
