"""Whether a person could have been so quick: a PIN that comes back at once was read on its way.

Who reads an operator's traffic has a PIN before its telephone has it. A person must receive it,
read it and type it (threat model, T9). Nothing is refused for it; it is told, and somebody looks.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from core import log, metrics
from records.pins import Challenge, ChallengeState
from sms.writing import Written

QUICKEST = timedelta(seconds=3)
_log = log.get_logger(__name__)


def tell(done: Sequence[Written], challenges: Mapping[int, Challenge]) -> None:
    """Tell of each right PIN of a batch that came back sooner than people give one."""
    for one in done:
        message, closing = one.message, one.decision.closing
        if message.is_test_link or closing is None or closing.state is not ChallengeState.SPENT:
            continue
        took = message.stored_at - challenges[message.sender_id].created_at
        if took < QUICKEST:
            metrics.ALARMS.labels("pin-too-quick").inc()
            _log.warning(
                "pin.too_quick",
                link=message.link_code,
                message_id=message.id,
                seconds=round(took.total_seconds(), 1),
            )
