"""The thread that has the SMPP sessions of this process: those whose binds it holds the leases of.

Once a second it looks at the links. A bind is taken up when its lease is ours, given up when it is
not, and bound anew when its link changes. A lease that could not be renewed in time is no lease:
better nobody is bound than two.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import TypeVar
from uuid import UUID, uuid4

from core import log, metrics
from core.chores import Keeper
from core.clock import Clock
from core.db import Database
from core.deadline import ANSWERED_SECONDS
from core.errors import UnavailableError
from core.threads import name_thread
from sms import receipts
from sms.links.errors import LinkError
from sms.links.model import Accepted, Link, LinkKind, LinkState
from sms.links.posting import NotAnsweredError, NotSentError
from sms.links.registry import LinkRegistry
from sms.links.smpp import binding, leases, submission
from sms.links.smpp.binding import BindRefusedError, Wanted
from sms.links.smpp.connection import Connection, Timing
from sms.links.smpp.crossing import Crossing
from sms.links.smpp.intake import Desk, Intake, Offered
from sms.links.smpp.leases import Key
from sms.links.smpp.pdu import Message, Pdu
from sms.links.smpp.profile import Profile
from sms.links.smpp.roster import Roster
from sms.links.smpp.statuses import Status

T = TypeVar("T")

_LOOK_SECONDS = 1.0
_RENEW_SECONDS = 5.0
_LEASED_SECONDS = leases.LEASE.total_seconds() - _RENEW_SECONDS
_SETTLED_SECONDS = 60.0
_log = log.get_logger(__name__)


class Sessions(Keeper):
    """Keeps the binds of this process up, and hands on what comes by them."""

    def __init__(
        self,
        database: Database,
        links: LinkRegistry,
        intake: Intake,
        clock: Clock,
        timing: Timing | None = None,
    ) -> None:
        super().__init__("smpp", (), clock)
        self.roster = Roster(all_links=lambda: [link.id for link in links.all() if _is_smpp(link)])
        self._database = database
        self._links = links
        self._intake = intake
        self._clock = clock
        self._timing = timing or Timing()
        self._desk = Desk(intake)
        self._holder = uuid4()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="smpp-look")
        self._loop: asyncio.AbstractEventLoop  # made when the thread is
        self.crossing: Crossing
        self._running: dict[Key, tuple[Wanted, asyncio.Task[None]]] = {}
        self._by_id: dict[int, Link] = {}
        self._held: set[Key] = set()
        self._wanted: Mapping[Key, Wanted] = {}
        self._held_until = self._renew_at = self._give_up_at = 0.0
        self._is_draining = False
        self._end = asyncio.Event()

    def start(self) -> None:
        """Begin."""
        self._loop = asyncio.new_event_loop()
        self.crossing = Crossing(self._loop)
        self._desk.start()
        super().start()

    def stop(self) -> None:
        """Take no more messages; replies leave until the end."""
        self._is_draining = True

    def join(self, seconds: float) -> None:
        """Take leave of every SMSC and end."""
        self._desk.end(seconds)
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._end.set)
        super().join(seconds)

    def accepted_late(self, link: Link, told: Profile, reply_id: str, answer: Pdu) -> None:
        """Have a reply that was taken for doubtful accepted, if this late answer accepts it."""
        outcome = submission.judge(told, answer)
        if isinstance(outcome, Accepted):
            receipt = receipts.accepted(UUID(reply_id), outcome, self._clock.now())
            self._desk.offer(Offered(link, told, receipt, lambda _: None))

    def _run(self) -> None:
        name_thread("smpp")
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.close()
            self._pool.shutdown(wait=False)

    async def _main(self) -> None:
        takes_back = self._database.dialect == "sqlite"
        while not self._end.is_set():
            try:
                if takes_back:
                    await self._take_back()
                    takes_back = False
                await self._look()
            except UnavailableError as error:
                _log.error("smpp.database-unavailable", **log.failure(error))
            except Exception as error:  # noqa: BLE001 (the sessions outlive any one fault)
                _log.error("smpp.broke", **log.failure(error))
                metrics.ALARMS.labels("smpp-failed").inc()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), _LOOK_SECONDS)
        await self._leave()

    async def _look(self) -> None:
        try:
            of_smpp = [each for each in await self._off_loop(self._links.all) if _is_smpp(each)]
            links = [link for link in of_smpp if link.state is LinkState.ACTIVE]
            self._by_id = {link.id: link for link in links}
            self._wanted = self._read(links)
            await self._renew()
        finally:
            if time.monotonic() > self._held_until:
                self._held = set()
            self._reconcile()
        if of_smpp and time.monotonic() >= self._give_up_at:
            self._give_up_at = time.monotonic() + _RENEW_SECONDS
            await self._off_loop(self._intake.give_up)

    def _read(self, links: list[Link]) -> Mapping[Key, Wanted]:
        wanted: dict[Key, Wanted] = {}
        expected: dict[int, tuple[str, int, int]] = {}
        for link in links:
            try:
                binds = list(binding.binds_of(link))
            except (LinkError, ValueError) as error:
                _log.error("smpp.profile-unreadable", link=link.code, **log.failure(error))
                continue
            wanted |= {one.key: one for one in binds}
            rate = link.send_rate or link.rate
            expected[link.id] = (link.code, binds[0].profile.window, rate)
        self.roster.expect(expected)
        return wanted

    async def _renew(self) -> None:
        """Hold on to what is ours, and ask for what is not: whoever has it may have died."""
        began = time.monotonic()
        is_due = began >= self._renew_at
        keys = [key for key in self._wanted if is_due or key not in self._held]
        if not keys:
            self._held &= self._wanted.keys()
            return
        now = self._clock.now()
        ours = await self._off_loop(
            lambda: self._database.write(lambda s: leases.hold(s, keys, self._holder, now))
        )
        self._held = ours if is_due else self._held | ours
        if is_due:
            self._held_until, self._renew_at = began + _LEASED_SECONDS, began + _RENEW_SECONDS

    def _reconcile(self) -> None:
        for key, (running, task) in list(self._running.items()):
            is_wanted = key in self._held and self._wanted.get(key) == running
            if task.done():
                del self._running[key]
                if not task.cancelled() and (error := task.exception()) is not None:
                    _log.error("smpp.broke", link=running.code, **log.failure(error))
                    metrics.ALARMS.labels("smpp-failed").inc()
            elif not is_wanted and not task.cancelling():
                # Once: a second time would break off its leave-taking.
                task.cancel()
        for key in (self._held & self._wanted.keys()) - self._running.keys():
            one = self._wanted[key]
            self._running[key] = one, self._loop.create_task(self._keep(one))

    async def _keep(self, wanted: Wanted) -> None:
        """Keep one bind up until cancelled."""
        failures = 0
        while True:
            error: Exception | None = None
            began = time.monotonic()
            try:
                connection = await binding.connect(wanted, self._deliver_to(wanted), self._timing)
            except (NotSentError, NotAnsweredError, BindRefusedError) as failure:
                error = failure
                _tell_failure(wanted, failure)
            else:
                _log.info("smpp.bound", link=wanted.code, name=wanted.host)
                await self._serve(wanted, connection)
                _log.warning("smpp.lost", link=wanted.code, name=wanted.host)
            is_settled = error is None and time.monotonic() - began > _SETTLED_SECONDS
            failures = 1 if is_settled else failures + 1
            await asyncio.sleep(binding.pause(failures, error))

    async def _serve(self, wanted: Wanted, connection: Connection) -> None:
        """Let a session take part until it is lost, or take leave when told to."""
        link_id = wanted.key.link_id
        watching = self._loop.create_task(connection.watch())
        self.roster.join(link_id, connection, sends=wanted.sends, receives=wanted.receives)
        try:
            await self._note(wanted.key, self._clock.now())
            await connection.lost.wait()
        finally:
            self.roster.leave(link_id, connection)
            watching.cancel()
            await connection.settle(ANSWERED_SECONDS)
            await connection.unbind()
            await self._note(wanted.key, None)

    def _deliver_to(self, wanted: Wanted) -> Callable[[Connection, int, Message], None]:
        def deliver(connection: Connection, sequence: int, message: Message) -> None:
            def answer(status: Status) -> None:
                with suppress(RuntimeError):  # the loop has ended: it will be delivered again
                    self.crossing.post(lambda: connection.answer_delivery(sequence, status))

            link = self._by_id.get(wanted.key.link_id)
            if link is None or self._is_draining:
                connection.answer_delivery(sequence, Status.TEMPORARY)
            else:
                self._desk.offer(Offered(link, wanted.profile, message, answer))

        return deliver

    async def _note(self, key: Key, bound_at: datetime | None) -> None:
        with suppress(UnavailableError):  # what is told about a bind matters less than the bind
            await self._off_loop(
                lambda: self._database.write(
                    lambda session: leases.note(session, key, self._holder, bound_at)
                )
            )

    async def _take_back(self) -> None:
        now = self._clock.now()
        await self._off_loop(lambda: self._database.write(lambda s: leases.take_back(s, now)))

    async def _leave(self) -> None:
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        now = self._clock.now()
        with suppress(UnavailableError):
            await self._off_loop(
                lambda: self._database.write(lambda s: leases.release(s, self._holder, now))
            )

    async def _off_loop(self, work: Callable[[], T]) -> T:
        """Do what may block; a database that hangs must not hold leases that others have taken."""
        try:
            async with asyncio.timeout(_RENEW_SECONDS):
                return await self._loop.run_in_executor(self._pool, work)
        except TimeoutError as error:
            raise UnavailableError("the database does not answer") from error


def _is_smpp(link: Link) -> bool:
    return link.kind is LinkKind.SMPP


def _tell_failure(wanted: Wanted, error: Exception) -> None:
    said = {"link": wanted.code, "name": wanted.host, "reason": binding.reason_of(error)}
    if isinstance(error, BindRefusedError):
        _log.error("smpp.bind-refused", **said)
        metrics.ALARMS.labels("smpp-bind-refused").inc()
    else:
        _log.warning("smpp.not-connected", **said)
