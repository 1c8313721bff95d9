"""sendsms: replies handed to Kannel's smsbox, with our name and password in headers alone.

It has no key by which a reply sent again is known, so what may have been accepted is offered once
more and not twice (G5). ADR 0028.
"""

from datetime import datetime, timedelta

from sms.links import http, kannel_profile
from sms.links.model import Link, Outcome, Outgoing, Refused, Subject
from sms.links.posting import Poster

# Delivered, not delivered, queued, accepted, refused: everything but «on its way».
_REPORTS = 1 + 2 + 4 + 8 + 16
_CODINGS = {"gsm7": "0", "ucs2": "2"}
_MINUTE = timedelta(minutes=1)


class KannelSender:
    """Hands replies to Kannel over kept connections."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url
        self._poster = Poster()

    async def send(self, link: Link, outgoing: Outgoing, now: datetime) -> Outcome:
        """Offer a reply once and say what is known of it afterwards."""
        # By another link of the same operator, a message may be sent to anything.
        if not kannel_profile.OUR_NUMBER.fullmatch(outgoing.sender):
            return Refused("no-such-field", retryable=False)
        headers = write(link, outgoing, self._public_url, now)
        return await http.offer(self._poster, link.url, headers, outgoing.text.encode())

    def close(self) -> None:
        """Let go of every connection."""
        self._poster.close()


def write(link: Link, outgoing: Outgoing, public_url: str, now: datetime) -> dict[str, str]:
    """Write everything about a reply but its text."""
    return {
        **credentials(link),
        "content-type": "text/plain; charset=UTF-8",
        "x-kannel-from": outgoing.sender,
        "x-kannel-to": outgoing.to,
        "x-kannel-coding": _CODINGS[outgoing.encoding],
        "x-kannel-validity": str(validity(outgoing.expires_at - now)),
        "x-kannel-dlr-mask": str(_REPORTS),
        "x-kannel-dlr-url": callback(link, outgoing.id, public_url),
    }


def credentials(link: Link) -> dict[str, str]:
    """Write who asks: the name that Kannel knows us by, and the newest password."""
    return {
        "x-kannel-username": kannel_profile.load(link.profile or "").username,
        "x-kannel-password": link.secrets[0],
    }


def validity(left: timedelta) -> int:
    """Say for how many minutes Kannel may try.

    Rounded down, but 0 would be over before the SMSC has seen it, so the last minute counts whole:
    a PIN lives that much longer than its reply.
    """
    return max(left // _MINUTE, 1)


def callback(link: Link, reply_id: str, public_url: str) -> str:
    """Write where receipts go: `%d` and `%T` are for Kannel to fill in."""
    base = (kannel_profile.load(link.profile or "").callback_url or public_url).replace("%", "%%")
    return f"{base}{link.path_to(Subject.RECEIPT)}?id={reply_id}&type=%d&time=%T"
