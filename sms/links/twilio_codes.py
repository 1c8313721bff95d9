"""What Twilio's error codes mean for us: whether asking again can help, and who must look.

A code in the answer to a submission decides about that reply. One in a status callback decides
nothing, because no receipt causes a send: the alarm is all that follows from it.
"""

from dataclasses import dataclass
from enum import Enum, auto

from core import log, metrics
from sms.links.model import Link, Outcome, Refused, Unknown

_log = log.get_logger(__name__)


class Then(Enum):
    """What is done about a reply that Twilio answers with a code."""

    STOP = auto()
    LATER = auto()
    ONCE = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from a code; *alarms*: a person must look."""

    then: Then
    alarms: bool = False


# Source: Twilio, error dictionary.
MEANINGS = {
    20003: Meaning(Then.LATER, alarms=True),  # the account's token does not hold
    14107: Meaning(Then.LATER),  # over the sender's rate
    21211: Meaning(Then.STOP),  # no valid number
    21408: Meaning(Then.STOP, alarms=True),  # the account may not send to Viet Nam
    21609: Meaning(Then.STOP, alarms=True),  # the address for callbacks is not taken
    21610: Meaning(Then.STOP),  # the subscriber has opted out (STOP)
    21614: Meaning(Then.STOP),  # no mobile number
    21617: Meaning(Then.STOP, alarms=True),  # over 1,600 characters: none of our texts is
    21635: Meaning(Then.STOP),  # a landline
    30001: Meaning(Then.LATER),  # Twilio's queue is full
    30002: Meaning(Then.STOP, alarms=True),  # the account is suspended
    30003: Meaning(Then.LATER),  # the handset cannot be reached
    30004: Meaning(Then.STOP),  # blocked
    30005: Meaning(Then.STOP),  # no such number
    30006: Meaning(Then.STOP),  # a landline, or a network that cannot be reached
    30007: Meaning(Then.STOP, alarms=True),  # filtered: the same text again makes it worse
    30008: Meaning(Then.ONCE),  # Twilio does not know either
    30009: Meaning(Then.STOP),  # a part of a long message is missing
    30010: Meaning(Then.STOP, alarms=True),  # over the account's price cap
    30022: Meaning(Then.LATER),  # over the rate of the registered campaign
}


def judge(code: int) -> Outcome | None:
    """Say what a code in the answer to a submission tells of the reply; None if not listed."""
    meaning, reason = MEANINGS.get(code), f"twilio-{code}"
    if meaning is None:
        return None
    match meaning.then:
        case Then.STOP:
            return Refused(reason, retryable=False)
        case Then.LATER:
            return Refused(reason, retryable=True)
        case Then.ONCE:
            return Unknown(reason)


def note(link: Link, code: int) -> None:
    """Raise the alarm if a person must look at what a code says."""
    meaning = MEANINGS.get(code)
    if meaning is not None and meaning.alarms:
        metrics.ALARMS.labels("twilio-error").inc()
        _log.error("twilio.error", link=link.code, code=code)
