"""HANDLE: claims a batch, loads what it needs, lets the core decide, and commits everything once.

What is slow happens before the write transaction: decrypting, hashing PINs, asking the register,
signing entries. Inside it the facts are loaded again under locks, and a message whose facts have
moved since is put back and done again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from billing import guard_counts, tariffs, usage
from billing.guard_counts import Count, Key
from billing.usage import Usage
from core import log, metrics
from core.clock import Clock, vietnam_day
from core.db import Database
from core.errors import DecryptionError, UnavailableError
from core.ids import uuid7
from core.keyring import Keyring
from core.settings import Route
from journal.errors import JournalFault
from journal.journal import Journal
from records import cases, locks, numbers, pins, quotas
from records.stops import StopReason
from sms import conversation, outbox, queue, reading, timing, traces, writing
from sms.commands import Price
from sms.decision import Decision, Facts, Message, Policy, Trace
from sms.disclosure import NOT_SERVED
from sms.facts import Loaded, Loader
from sms.groundwork import Groundwork, Preparer
from sms.guards import Guards, Round
from sms.links.registry import LinkRegistry
from sms.queue import Waiting
from sms.routes import Routes
from sms.signals import Signal
from sms.trips import Trips
from sms.writing import Written

BATCH = 64
_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """What HANDLE needs; `run_once` is one batch."""

    database: Database
    keyring: Keyring
    journal: Journal
    links: LinkRegistry
    loader: Loader
    preparer: Preparer
    guards: Guards
    routes: Routes
    trips: Trips
    policy: Policy
    clock: Clock
    written: Signal

    def run_once(self) -> int:
        """Handle the oldest message of each of the senders who have waited longest.

        Shape: how many messages were claimed; none of them is lost, whatever happens here.
        """
        token, now = uuid7(), self.clock.now()
        claimed = self.database.write(lambda s: queue.claim(s, token, now, limit=BATCH))
        if not claimed:
            return 0
        with metrics.STAGE_SECONDS.labels("handle").time():
            try:
                self._handle_or_tell_down(token, claimed, now)
            except UnavailableError:
                # The lease runs out by itself if even this cannot be written.
                self.database.write(lambda s: queue.give_back(s, token, claimed))
                raise
            except Exception as error:  # noqa: BLE001 (one message's fault must not stop the others')
                _log.error("handle.failed", count=len(claimed), **log.failure(error))
                metrics.ALARMS.labels("handle-failed").inc()
                unread = self._unread(claimed)
                self.database.write(lambda s: _let_go(s, token, claimed, unread, now))
        return len(claimed)

    def _handle_or_tell_down(self, token: UUID, claimed: Sequence[Waiting], now: datetime) -> None:
        try:
            self._handle(token, claimed, now)
        except JournalFault as error:
            _log.error("handle.journal-fault", **log.failure(error))
            self.trips.trip(StopReason.JOURNAL_FAULT)
            # Without entries: put back, these messages would meet the same fault for ever.
            self._handle(token, claimed, now, enters=False)

    def _handle(
        self, token: UUID, claimed: Sequence[Waiting], now: datetime, *, enters: bool = True
    ) -> None:
        messages = self._read(token, claimed, now)
        loaded = self.database.read(lambda s: self.loader.load(s, messages, now))
        loaded = replace(loaded, journal_is_up=loaded.journal_is_up and enters)
        by_id = {waiting.id: waiting for waiting in claimed}
        histories = {m.sender_id: quotas.load(by_id[m.id].history) for m in messages}
        guarded = self.guards.open(messages, histories, now)
        let = [message for message in messages if guarded.ruling(message.sender_id).lets]
        groundwork = self.preparer.prepare(let, histories, loaded, now)
        if groundwork.register_erred:
            self.trips.trip(StopReason.REGISTER_FAULT)
        found = traces.load(self.database, self.keyring, messages, loaded, groundwork, now)
        decided, later = self._decide(messages, loaded, groundwork, guarded, histories, found, now)
        leaves = partial(self.routes.first, in_force=loaded.moving.stops, now=now)
        written = writing.write(self.journal, self.keyring, decided, self.policy, now, leaves)
        back = [by_id[message.id] for message in later]
        done, counts = self.database.write(
            lambda s: self._commit(s, token, written, loaded, guarded, by_id, back, now)
        )
        self.guards.close(counts, len(done))
        self.written.ring()
        _count(done)
        timing.tell(done, loaded.moving.challenges)

    def _decide(
        self,
        messages: Sequence[Message],
        loaded: Loaded,
        groundwork: Groundwork,
        guarded: Round,
        histories: dict[int, quotas.History],
        found: Mapping[int, Trace],
        now: datetime,
    ) -> tuple[list[tuple[Message, Decision]], list[Message]]:
        """Decide in order, and put off whoever counts against a citizen that just changed."""
        prices = self._prices(messages)
        changed: set[int | None] = set()
        decided: list[tuple[Message, Decision]] = []
        later: list[Message] = []
        for message in messages:
            citizen = loaded.citizens.get(message.sender_id)
            if citizen in changed:
                later.append(message)
                continue
            history = histories[message.sender_id]
            facts = _facts(message, loaded, groundwork, guarded, history, prices)
            if self.policy.route is Route.SERVING:
                facts = replace(facts, servers=self._servers(message, loaded))
            if trace := found.get(message.sender_id):
                facts = replace(facts, trace=trace)
            decision = conversation.decide(message, facts, policy=self.policy, now=now)
            decided.append((message, decision))
            if decision.gate is not None:
                changed.add(citizen)
        return decided, later

    def _servers(self, message: Message, loaded: Loaded) -> frozenset[str]:
        if message.sender is None:
            return frozenset()
        standing = loaded.moving.number(message.sender_id)
        return numbers.servers(message.sender, standing, self.links.prefixes())

    def _read(self, token: UUID, claimed: Sequence[Waiting], now: datetime) -> list[Message]:
        """Open and parse the batch; a message that does not open comes back alone."""
        messages, broken = [], []
        for waiting in claimed:
            try:
                messages.append(reading.read(self.keyring, waiting, self.links, now))
            except DecryptionError as error:
                _log.error("handle.unreadable", message_id=waiting.id, **log.failure(error))
                if reading.is_worn_out(waiting):
                    messages.append(reading.unreadable(waiting, self.links, now))
                else:
                    broken.append(waiting)
        if broken:
            self.database.write(lambda s: queue.let_go(s, token, broken))
        return messages

    def _unread(self, claimed: Sequence[Waiting]) -> dict[UUID, Usage]:
        spent = [waiting for waiting in claimed if reading.is_worn_out(waiting)]
        return {
            each.id: writing.usage_of_unread(each, self.links.by_id(each.link_id)) for each in spent
        }

    def _prices(self, messages: Sequence[Message]) -> dict[UUID, int | None]:
        asking = [message for message in messages if isinstance(message.command, Price)]
        if not asking:
            return {}
        today = vietnam_day(self.clock.now())
        known = self.database.read(tariffs.load)
        return {
            message.id: known.to_citizen(message.link_operator, today, message.to)
            for message in asking
        }

    def _commit(
        self,
        session: Session,
        token: UUID,
        written: Sequence[Written],
        loaded: Loaded,
        guarded: Round,
        by_id: dict[UUID, Waiting],
        back: list[Waiting],
        now: datetime,
    ) -> tuple[list[Written], dict[Key, Count]]:
        """Write what still stands under locks; put back what moved."""
        ours = queue.hold(session, token, [one.message.sender_id for one in written])
        messages = [one.message for one in written]
        again = self.loader.reload(session, messages, list(loaded.citizens.values()))
        done, moved = [], list(back)
        for one in written:
            sender = one.message.sender_id
            if sender not in ours:
                continue
            stands = again.agrees(loaded.moving, sender, loaded.citizens.get(sender))
            if stands:
                done.append(one)
            else:
                moved.append(by_id[one.message.id])
        queue.give_back(session, token, moved)
        counts = guarded.counts(done, loaded.moving.challenges)
        if done:
            self._write(session, done, now)
        # Rows that every worker adds to come last, so that they are held for the commit alone.
        guard_counts.add(session, counts)
        return done, counts

    def _write(self, session: Session, done: Sequence[Written], now: datetime) -> None:
        decisions = [one.decision for one in done]
        pins.close(session, [d.closing for d in decisions if d.closing], now)
        pins.open_all(session, self.keyring, [d.opened for d in decisions if d.opened])
        locks.store(session, [one.gate for one in done if one.gate])
        cases.open_all(session, [d.case for d in decisions if d.case])
        self.journal.append(session, [one.entry for one in done if one.entry])
        outbox.put(session, [one.reply_row for one in done if one.reply_row])
        usage.record(session, [one.usage for one in done])
        queue.finish(session, [one.handled for one in done], now)


def _let_go(
    session: Session,
    token: UUID,
    claimed: Sequence[Waiting],
    unread: Mapping[UUID, Usage],
    now: datetime,
) -> None:
    """Have messages come back alone, but end the one that fails even as a message worn out."""
    spent = [waiting for waiting in claimed if waiting.id in unread]
    ended = queue.give_up(session, token, spent, now)
    # Their operator has charged them: they are counted, apart.
    usage.record(session, [unread[waiting.id] for waiting in ended])
    queue.let_go(session, token, claimed)


def _facts(
    message: Message,
    loaded: Loaded,
    groundwork: Groundwork,
    guarded: Round,
    history: quotas.History,
    prices: dict[UUID, int | None],
) -> Facts:
    sender = message.sender_id
    citizen_id = loaded.citizens.get(sender)
    return Facts(
        history=history,
        challenge=loaded.moving.challenges.get(sender),
        gate=loaded.moving.gate(citizen_id),
        stops=loaded.moving.stops,
        citizen_id=citizen_id,
        record=groundwork.records.get(sender),
        register_is_up=groundwork.register_is_up,
        journal_is_up=loaded.journal_is_up,
        sharing=loaded.sharing.get(sender, 0),
        number=loaded.moving.number(sender),
        pin_matches=groundwork.matches.get(sender, False),
        fresh=groundwork.fresh.get(sender),
        price_hundredths=prices.get(message.id),
        ruling=guarded.ruling(sender),
    )


def _count(done: Sequence[Written]) -> None:
    for one in done:
        reply = one.decision.reply
        shown = reply.reply_class if reply else "none"
        metrics.HANDLED.labels(one.decision.state, shown).inc()
        if one.decision.reason == NOT_SERVED:
            metrics.ALARMS.labels("foreign-sender").inc()
            _log.warning(
                "message.not-served", message_id=one.message.id, link=one.message.link_code
            )
        _log.info(
            "message.handled",
            message_id=one.message.id,
            link=one.message.link_code,
            state=one.decision.state,
            reply=shown,
        )
