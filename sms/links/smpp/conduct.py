"""How an SMSC treats what one session submits: whether it takes it, refuses it, or says nothing."""

from sms.links.smpp.pdu import Pdu
from sms.links.smpp.statuses import FINAL, Status

# So many without an answer in a row, the first so long ago that a late answer would have come.
_SILENT_TIMES = 3
_SILENT_SECONDS = 30.0
# One trouble is held against a session for 20 s, two for 40 s, and so on up to 640 s.
_HELD_SECONDS, _MOST_DOUBLINGS = 10.0, 6


class Conduct:
    """What is known of one session.

    Units: *used_at* by the loop's clock.
    """

    def __init__(self) -> None:
        self.used_at = 0.0
        self._troubles = 0
        self._troubled_at = 0.0
        self._silent = 0
        self._silent_since = 0.0

    def is_troubled(self, now: float) -> bool:
        """Tell whether troubles are held against it: the longer, the more came in a row."""
        held = _HELD_SECONDS * 2.0 ** min(self._troubles, _MOST_DOUBLINGS)
        return bool(self._troubles) and now - self._troubled_at < held

    def answered(self, answer: Pdu, now: float) -> None:
        """Note an answer in time; one that is about the message itself is no trouble."""
        is_well = answer.status == Status.OK or answer.status in FINAL
        self._note(0 if is_well else self._troubles + 1, now)
        self._silent = 0

    def answered_late(self) -> None:
        """Note an answer that was waited for no more: slow is not silent."""
        self._silent = 0

    def was_silent(self, asked_at: float, now: float) -> bool:
        """Note that no answer came in time; tell whether the session is of no use any more."""
        self._note(self._troubles + 1, now)
        if not self._silent:
            self._silent_since = asked_at
        self._silent += 1
        return self._silent >= _SILENT_TIMES and now - self._silent_since >= _SILENT_SECONDS

    def _note(self, troubles: int, now: float) -> None:
        self._troubles, self._troubled_at = troubles, now
