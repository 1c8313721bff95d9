"""The thread in which replies are under way: one event loop holds all of them.

A thread for each would cost two hand-overs of the interpreter's lock for every packet, which is
more than the sending itself.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

from core import log
from core.threads import name_thread
from sms.dispatch import Claimed, NotStarted, Result
from sms.links.model import Outcome, Unknown

# What comes back within so short a time is recorded together.
_GATHER_SECONDS = 0.003
_log = log.get_logger(__name__)


class Carrier:
    """Carries replies to their operators, and reports what came of them."""

    def __init__(
        self, report: Callable[[Sequence[Result]], None], close: Callable[[], None]
    ) -> None:
        self._report = report
        self._close = close
        self._results: list[Result] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="hand-over", daemon=True)
        self._thread.start()

    def carry(self, replies: Sequence[tuple[Claimed, Awaitable[Outcome | NotStarted]]]) -> None:
        """Start these replies; each is reported once."""
        if replies:
            self._loop.call_soon_threadsafe(self._start, replies)

    def end(self) -> None:
        """End the thread; call when nothing is under way."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        name_thread("hand-over")
        try:
            self._loop.run_forever()
            self._close()
            self._loop.run_until_complete(asyncio.sleep(0))  # connections say that they are closed
        finally:
            self._loop.close()

    def _start(self, replies: Sequence[tuple[Claimed, Awaitable[Outcome | NotStarted]]]) -> None:
        for claimed, delivery in replies:
            task = self._loop.create_task(self._carry(claimed, delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, claimed: Claimed, delivery: Awaitable[Outcome | NotStarted]) -> None:
        try:
            outcome = await delivery
        except Exception as error:  # noqa: BLE001 (whatever it was, the reply may have gone out)
            _log.error("send.broke", reply_id=claimed.id, **log.failure(error))
            outcome = Unknown("broke")
        if not self._results:
            self._loop.call_later(_GATHER_SECONDS, self._tell)
        self._results.append(Result(claimed, outcome))

    def _tell(self) -> None:
        results, self._results = self._results, []
        self._report(results)
