"""A reply as submit_sm, and what the answer to it tells."""

from datetime import datetime, timedelta

from sms import message_ids
from sms.links.model import Accepted, Outcome, Outgoing, Refused, Unknown
from sms.links.smpp import alphabet
from sms.links.smpp.alphabet import Alphabet
from sms.links.smpp.pdu import LONGEST_SHORT_MESSAGE, Address, Message, Pdu, Tag, Taken
from sms.links.smpp.profile import NumberFormat, Profile
from sms.links.smpp.statuses import FINAL, Status

_LONGEST_PROVIDER_ID = 64
_FINAL_RECEIPT = 1
_COUNTRY = "84"
_UCS2 = 8


def write(profile: Profile, outgoing: Outgoing, now: datetime) -> Message:
    """Write a reply as this operator takes it, with what is left of its life as validity."""
    coding, octets = _coded(profile, outgoing)
    is_short = len(octets) <= LONGEST_SHORT_MESSAGE and outgoing.segments == 1
    return Message(
        source=Address(outgoing.sender.lstrip("+"), profile.source_ton, profile.source_npi),
        destination=Address(
            _number(profile, outgoing.to), profile.destination_ton, profile.destination_npi
        ),
        service_type=profile.service_type,
        validity=validity(outgoing.expires_at - now),
        registered_delivery=_FINAL_RECEIPT,
        data_coding=coding,
        short_message=octets if is_short else b"",
        # A longer text is cut where it is joined again: at the SMSC.
        tlvs=() if is_short else ((Tag.MESSAGE_PAYLOAD, octets),),
    )


def validity(left: timedelta) -> str:
    """Write what is left of a life as a relative time, a second at least (SMPP 3.4, 7.1.1.2)."""
    seconds = max(int(left.total_seconds()), 1)
    days, seconds = divmod(seconds, 86400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"


def judge(profile: Profile, answer: Pdu) -> Outcome:
    """Say what the answer to submit_sm tells of a reply."""
    if answer.status == Status.OK:
        if not isinstance(answer.body, Taken):
            return Unknown("no-answer")  # a nack that refuses nothing
        written = answer.body.message_id
        key = message_ids.key_of(written, profile.ids.accepted)
        return Accepted(written[:_LONGEST_PROVIDER_ID] or None, key)
    return Refused(f"smpp-{answer.status:x}", retryable=answer.status not in FINAL)


def _coded(profile: Profile, outgoing: Outgoing) -> tuple[int, bytes]:
    """Write the text in the operator's default alphabet if that has it, else in UCS-2."""
    default = profile.codings[0]
    octets = None if default is Alphabet.UCS2 else alphabet.encode(outgoing.text, default)
    if octets is not None:
        return 0, octets
    return _UCS2, outgoing.text.encode("utf-16-be", "replace")


def _number(profile: Profile, to: str) -> str:
    bare = to.lstrip("+")
    match profile.number_format:
        case NumberFormat.INTERNATIONAL:
            return bare
        case NumberFormat.PLUS:
            return f"+{bare}"
        case NumberFormat.NATIONAL:
            return f"0{bare.removeprefix(_COUNTRY)}"
