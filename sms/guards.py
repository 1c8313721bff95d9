"""HANDLE's side of the guards: it rules on a batch's requests and counts what the batch costs.

What other processes spent is read once a second, or after so many replies of its own, whichever
comes first; what this one spends it adds at once. Traffic of tests costs nothing and counts not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import guard_counts, guard_view, guards
from billing.guard_counts import Count, Key, Times
from billing.guard_view import Frame, Party, View
from billing.guards import GO, UNKNOWN, Budgets, Ruling, Spent, Verdict
from billing.tariffs import Encoding
from core import log, metrics
from core.clock import Clock, vietnam_day
from core.db import Database
from core.errors import CoreError
from core.keyring import Keyring, row_id
from core.phone import COUNTRY, Msisdn
from records.pins import Challenge, ChallengeState
from records.quotas import History
from sms.decision import Message, Purpose
from sms.links.registry import LinkRegistry
from sms.writing import Written

# Of the nine digits behind +84: a block of a hundred numbers.
_DIGITS = 7
_ASKING = frozenset(each.value for each in Purpose if each.tells)
_OWNERS = frozenset(each.value for each in Purpose if not each.tells)
_MOST_BLOCKS = 65_536
_FRESH = timedelta(seconds=1)
_STANDS = timedelta(minutes=1)
# A lookup has two replies: so much may each process spend that others do not know of yet.
MOST_UNSEEN = 256
_log = log.get_logger(__name__)


class Neighbours:
    """Blocks of numbers that new senders of this hour have; a block met once costs no row."""

    def __init__(self) -> None:
        self._hour: datetime | None = None
        self._met: dict[tuple[int, int], int] = {}

    def meet(self, link_id: int, block: int, hour: datetime) -> int:
        """Return how many numbers are to be written down: none at first, then those met so far."""
        if hour != self._hour or len(self._met) >= _MOST_BLOCKS:
            self._hour, self._met = hour, {}
        times = self._met[link_id, block] = self._met.get((link_id, block), 0) + 1
        match times:
            case 1:
                return 0
            case 2:
                return 2
            case _:
                return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The guards' word on one batch: what becomes of each request, and what its replies cost."""

    bucket: datetime
    view: View | None
    rulings: Mapping[int, Ruling] = field(default_factory=dict)
    neighbours: Mapping[UUID, tuple[int, int]] = field(default_factory=dict)

    def ruling(self, sender_id: int) -> Ruling:
        """Return what becomes of this sender's message, if it is a request."""
        return self.rulings.get(sender_id, GO)

    def counts(
        self, done: Sequence[Written], challenges: Mapping[int, Challenge]
    ) -> dict[Key, Count]:
        """Say what is to be counted of messages that have their end."""
        counts: dict[Key, Count] = {}
        for one in done:
            if not one.message.is_test_link:
                self._count(one, challenges, counts)
        return {key: count for key, count in counts.items() if count != Count()}

    def _count(
        self, one: Written, challenges: Mapping[int, Challenge], counts: dict[Key, Count]
    ) -> None:
        message, decision = one.message, one.decision
        ruling, cost = self.ruling(message.sender_id), self._cost(one)
        count = counts.setdefault(Key(self.bucket, message.link_id), Count())
        count.spent += cost
        if decision.opened is not None:
            challenge, state = decision.opened
            count.asked += Purpose(challenge.purpose).tells
            count.pins += state is ChallengeState.OPEN
            count.beyond += cost if ruling.verdict is Verdict.BEYOND else 0
        elif not ruling.lets and decision.reason == ruling.reason:
            count.words += cost
        if decision.closing is not None and decision.closing.state is ChallengeState.SPENT:
            # Where it was made, which may be another link of its operator.
            spent = challenges[message.sender_id]
            made = Key(guard_counts.bucket_of(spent.created_at), spent.link_id)
            counts.setdefault(made, Count()).completed += 1
        block, numbers = self.neighbours.get(message.id, (0, 0))
        if numbers:
            counts.setdefault(Key(self.bucket, message.link_id, block), Count()).numbers += numbers

    def _cost(self, one: Written) -> int:
        if self.view is None or one.reply_row is None:
            return 0
        encoding = cast("str", one.reply_row["encoding"])
        return _price(self.view, one.message, encoding) * cast("int", one.reply_row["segments"])


class Guards:
    """What one process knows of budgets and signals; HANDLE alone uses it, in its one thread."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        links: LinkRegistry,
        clock: Clock,
        *,
        budgets: Budgets,
        pin_life: timedelta,
        most_unseen: int = MOST_UNSEEN,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._links = links
        self._clock = clock
        self._budgets = budgets
        self._pin_life = pin_life
        self._most_unseen = most_unseen
        self._neighbours = Neighbours()
        self._frame: Frame | None = None
        self._framed_at = 0.0
        self._view: View | None = None
        self._viewed_at: float | None = None
        self._unseen = 0

    def open(
        self, messages: Sequence[Message], histories: Mapping[int, History], now: datetime
    ) -> Round:
        """Rule on the requests of a batch."""
        real = [each for each in messages if not each.is_test_link and each.sender is not None]
        if not real:
            return Round(bucket=guard_counts.bucket_of(now), view=None)
        view = self._look(now)
        return Round(
            bucket=guard_counts.bucket_of(now),
            view=view,
            rulings=_rule(view, real),
            neighbours=self._meet(real, histories, now),
        )

    def close(self, counts: Mapping[Key, Count], replies: int) -> None:
        """Take note of what was committed."""
        self._unseen += replies
        if self._view is not None:
            self._view.add_all(counts)

    def _meet(
        self, messages: Sequence[Message], histories: Mapping[int, History], now: datetime
    ) -> dict[UUID, tuple[int, int]]:
        hour, met = now.replace(minute=0, second=0, microsecond=0), {}
        for message in messages:
            sender = message.sender
            if sender is not None and _is_new(histories[message.sender_id]):
                block = row_id(self._keyring.index("phone_block", block_of(sender)))
                met[message.id] = block, self._neighbours.meet(message.link_id, block, hour)
        return met

    def _look(self, now: datetime) -> View | None:
        """Return what is known; None where it cannot be read, which counts as used up."""
        at = self._clock.monotonic()
        if self._is_current(at, now):
            return self._view
        try:
            parties = parties_of(self._links)
            self._view = self._database.read(lambda s: self._read(s, parties, now))
        except (CoreError, sa.exc.SQLAlchemyError, ValueError) as error:
            _log.error("guards.unreadable", **log.failure(error))
            metrics.ALARMS.labels("guards-unreadable").inc()
            self._view = None
        self._viewed_at, self._unseen = at, 0
        return self._view

    def _is_current(self, at: float, now: datetime) -> bool:
        if self._viewed_at is None or self._unseen >= self._most_unseen:
            return False
        is_of_now = self._view is None or self._view.is_of(now)
        return is_of_now and at - self._viewed_at < _FRESH.total_seconds()

    def _read(self, session: Session, parties: Mapping[int, Party], now: datetime) -> View:
        at, times = self._clock.monotonic(), Times.at(now, self._pin_life)
        is_old = at - self._framed_at >= _STANDS.total_seconds()
        if self._frame is None or is_old or self._view is None or self._view.times.day != times.day:
            self._frame = guard_view.frame(session, parties, self._budgets, now)
            self._framed_at = at
        return guard_view.read(session, self._frame, parties, times)


def parties_of(links: LinkRegistry) -> dict[int, Party]:
    """Say whose each link is."""
    return {link.id: Party(link.operator, link.rate) for link in links.all()}


def block_of(number: Msisdn) -> str:
    """Return the digits that the numbers of a block share."""
    return number[len(COUNTRY) : len(COUNTRY) + _DIGITS]


def _rule(view: View | None, messages: Sequence[Message]) -> dict[int, Ruling]:
    """Rule in order, each time as if those before had their replies."""
    rulings: dict[int, Ruling] = {}
    reckoned = view.copy() if view else None
    for message in messages:
        asks, owns = message.word in _ASKING, message.word in _OWNERS
        if reckoned is None:
            if asks or owns:
                rulings[message.sender_id] = UNKNOWN
            continue
        price, ruling = _price(reckoned, message, Encoding.GSM7), GO
        purses = reckoned.purses(message.link_operator)
        if asks or owns:
            is_slowed = reckoned.is_slowed(message.link_id)
            ruling = guards.rule(purses, price=price, is_owners=owns, is_slowed=is_slowed)
            rulings[message.sender_id] = ruling
        if price:
            for purse in purses:
                purse.pay(_spent(ruling, price))
        reckoned.asked[message.link_id] += asks and ruling.lets
    return rulings


def _spent(ruling: Ruling, price: int) -> Spent:
    match ruling.verdict:
        case Verdict.GO:
            return Spent(price)
        case Verdict.BEYOND:
            return Spent(price, beyond=price)
        case Verdict.TOLD | Verdict.UNKNOWN:
            return Spent(price, words=price)
        case Verdict.SILENT:
            return Spent()


def _price(view: View, message: Message, encoding: str) -> int:
    day = vietnam_day(message.stored_at)
    return view.frame.price(message.link_operator, message.to, encoding, day)


def _is_new(history: History) -> bool:
    return history == History(day=history.day)
