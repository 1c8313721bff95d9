"""How an SMSC treats what one session submits: whether it takes it, refuses it, or says nothing."""

from sms.links.smpp.pdu import Pdu
from sms.links.smpp.statuses import FINAL, Status

# So many without an answer in a row, the first so long ago that a late answer would have come.
_SILENT_TIMES = 3
_SILENT_SECONDS = 30.0


class Conduct:
    """What is known of one session: *troubles* are those in a row, up to now.

    Units: *used_at* by the loop's clock.
    """

    def __init__(self) -> None:
        self.troubles = 0
        self.used_at = 0.0
        self._silent = 0
        self._silent_since = 0.0

    def answered(self, answer: Pdu) -> None:
        """Note an answer in time; one that is about the message itself is no trouble."""
        is_well = answer.status == Status.OK or answer.status in FINAL
        self.troubles = 0 if is_well else self.troubles + 1
        self._silent = 0

    def answered_late(self) -> None:
        """Note an answer that was waited for no more: slow is not silent."""
        self._silent = 0

    def was_silent(self, asked_at: float, now: float) -> bool:
        """Note that no answer came in time; tell whether the session is of no use any more."""
        self.troubles += 1
        if not self._silent:
            self._silent_since = asked_at
        self._silent += 1
        return self._silent >= _SILENT_TIMES and now - self._silent_since >= _SILENT_SECONDS
