"""What became of telephone numbers, as operators tell it: whether one may still be told a record.

Pure: how a number stands is a function of the set of its events, in whatever order, however late
and however often they came, and of who had which prefixes to begin with.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from core.clock import VIETNAM, vietnam_day
from core.phone import COUNTRY, Msisdn

# For so long after a number changed SIM or network, or was verified, nothing is told to it.
SETTLES = timedelta(hours=72)
# So long ago that a number is nobody's proof any more: 24 months.
LASTS = timedelta(days=731)
MOST_SHARING = 3
# Stands for a network that whoever gave a number away did not name.
UNTOLD = ""


class Kind(StrEnum):
    """What happened to a number."""

    SIM_CHANGED = "sim_changed"
    PORTED = "ported"
    RELEASED = "released"
    REASSIGNED = "reassigned"
    BARRED = "barred"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that an operator says happened to a number.

    Shape: *id* is the operator's; *to* the operator that a number was ported to, if told; *until*
    when a bar ends, if told.
    """

    operator: str
    id: str
    kind: Kind
    happened_at: datetime
    to: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a number stands: when it last changed SIM, network and hands, and its bar.

    Shape: *served_by*, the operator that it was ported to; empty if that was not told; None for
    one that its prefix tells.
    """

    sim_changed_at: datetime | None = None
    ported_at: datetime | None = None
    left_at: datetime | None = None
    barred_at: datetime | None = None
    barred_until: datetime | None = None
    served_by: str | None = None


NOTHING_HAPPENED = Standing()


@dataclass(frozen=True, slots=True)
class Judged:
    """How a number stands, and which of its events count."""

    standing: Standing
    heeded: frozenset[Event] = field(repr=False)


def judge(events: Iterable[Event], number: Msisdn, prefixes: Mapping[str, str]) -> Judged:
    """Say how a number stands, by what those say of it who speak for it; none for itself.

    Shape: *prefixes* of each operator as `operator add` takes them, empty if none were agreed.
    """
    first = speakers(number, prefixes)
    speaking, served_by, donor, heeded = first, None, None, []
    for event in sorted(set(events), key=_in_time):
        names_again = event.kind is Kind.PORTED and event.operator == donor
        if event.to == event.operator or (event.operator not in speaking and not names_again):
            continue
        heeded.append(event)
        if event.kind is Kind.PORTED and served_by == UNTOLD and not names_again:
            # Who speaks only as one of all others does not know where the number was.
            speaking |= next_speakers(event, prefixes)
        elif event.kind is Kind.PORTED:
            speaking, donor = next_speakers(event, prefixes), event.operator
            served_by = event.to if event.to in prefixes else UNTOLD
        elif event.kind is Kind.RELEASED:
            # A number that is given up goes back to whom its range belongs to.
            speaking, served_by, donor = first, None, None
    return Judged(replace(_standing(heeded), served_by=served_by), frozenset(heeded))


def speakers(number: Msisdn, prefixes: Mapping[str, str]) -> frozenset[str]:
    """Say which operators speak for a number of which nothing has been heard.

    Those with whom its prefix was agreed; for a number that nobody's prefixes hold, those with
    whom none were agreed.
    """
    having = _having(number, prefixes)
    return having or frozenset(code for code, agreed in prefixes.items() if not agreed)


def next_speakers(event: Event, prefixes: Mapping[str, str]) -> frozenset[str]:
    """Say who speaks for a number from a porting on: whom it names, else all others.

    A name that no operator has is none: nobody could speak by it.
    """
    if event.to is not None and event.to in prefixes:
        return frozenset({event.to})
    return frozenset(prefixes.keys() - {event.operator})


def servers(number: Msisdn, standing: Standing, prefixes: Mapping[str, str]) -> frozenset[str]:
    """Say which operators are known to serve a number that stands so; none if that is a guess.

    They are among those who speak for it: the one that it was ported to, else those with whom its
    prefix was agreed.
    """
    if standing.served_by is None:
        return _having(number, prefixes)
    return frozenset({standing.served_by} - {UNTOLD})


def bars(standing: Standing, verified_on: date | None, now: datetime) -> str | None:
    """Give the reason why a number is told nothing, None if it may be told what is its bearer's."""
    if verified_on is None:
        return "number-not-verified"
    today = vietnam_day(now)
    if today - verified_on < SETTLES:
        return "number-too-new"
    if today - verified_on > LASTS:
        return "number-verified-long-ago"
    if _is_within(standing.sim_changed_at, now):
        return "sim-changed"
    if _is_within(standing.ported_at, now):
        return "number-ported"
    since = trusted_since(verified_on)
    if standing.left_at is not None and standing.left_at >= since:
        return "number-left"
    if standing.barred_at is not None and standing.barred_at >= since:
        until = standing.barred_until
        return "number-barred" if until is None or until > now else None
    return None


def trusted_since(verified_on: date) -> datetime:
    """Return from when on what happens to a number speaks against a day of verification.

    The day itself counts against it: which of the two came first is not known.
    """
    return datetime.combine(verified_on, time(), VIETNAM).astimezone(UTC)


def _is_within(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at < SETTLES


def _in_time(event: Event) -> tuple[datetime, str, str, str]:
    return event.happened_at, event.operator, event.id, event.kind


def _standing(events: Collection[Event]) -> Standing:
    """Put together what counts; *events* in the order of their time."""
    barred = [event for event in events if event.kind is Kind.BARRED]
    return Standing(
        sim_changed_at=_last(events, Kind.SIM_CHANGED),
        ported_at=_last(events, Kind.PORTED),
        left_at=_last(events, Kind.RELEASED, Kind.REASSIGNED),
        barred_at=barred[-1].happened_at if barred else None,
        barred_until=barred[-1].until if barred else None,
    )


def _last(events: Collection[Event], *kinds: Kind) -> datetime | None:
    return max((event.happened_at for event in events if event.kind in kinds), default=None)


def _having(number: Msisdn, prefixes: Mapping[str, str]) -> frozenset[str]:
    national = f"0{number.removeprefix(COUNTRY)}"
    return frozenset(code for code, agreed in prefixes.items() if _holds(agreed, national))


def _holds(agreed: str, national: str) -> bool:
    """Tell whether a number lies in ranges written as `032-039,086`."""
    for each in filter(None, agreed.split(",")):
        first, _, last = each.strip().partition("-")
        if first <= national[: len(first)] <= (last or first):
            return True
    return False
