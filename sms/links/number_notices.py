"""What operators say became of numbers: `number.…` events."""

from dataclasses import dataclass, field
from datetime import datetime

from core import phone
from core.phone import Msisdn
from records.numbers import Event, Kind
from sms.links import http
from sms.links.errors import MalformedError
from sms.links.model import Link
from sms.links.strictjson import text_of

_PREFIX = "number."
_TYPES = frozenset(f"{_PREFIX}{kind}" for kind in Kind)
_LONGEST_NUMBER = 100
_LONGEST_CODE = 32


@dataclass(frozen=True, slots=True)
class NumberNotice:
    """One event as an operator posted it; *number* is None where it is no mobile of ours."""

    event: Event
    number: Msisdn | None = field(repr=False)


def read(link: Link, text: str, now: datetime) -> NumberNotice:
    """Read a `number.…` event.

    Raises: MalformedError.
    """
    kind, data = http.event_of(text, _TYPES)
    event = Event(
        operator=link.operator,
        id=http.id_of(data),
        kind=Kind(kind.removeprefix(_PREFIX)),
        happened_at=http.instant_of(data, "happened_at", now),
        to=_optional(data, "to"),
        until=None if data.get("until") is None else http.any_instant_of(data, "until"),
    )
    if event.to is not None and event.kind is not Kind.PORTED:
        raise MalformedError("to is for number.ported only")
    if event.to == event.operator:
        raise MalformedError("to is the code of the other network")
    if event.until is not None and event.kind is not Kind.BARRED:
        raise MalformedError("until is for number.barred only")
    return NumberNotice(event, phone.parse(text_of(data, "number", longest=_LONGEST_NUMBER)))


def _optional(data: dict[str, object], name: str) -> str | None:
    return None if data.get(name) is None else text_of(data, name, longest=_LONGEST_CODE)
