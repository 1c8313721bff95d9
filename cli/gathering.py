"""Serves the operators' posts by the lot: what comes while one lot is stored is the next.

One thread does it, so the busier it is, the more share a commit and the fewer threads are woken.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from core.threads import name_thread
from sms.problems import Answer
from sms.webhook import Post, broken

_MOST = 256
_Lot = list[tuple[Post, "asyncio.Future[Answer]"]]


class Gathering:
    """Where the server's event loop leaves posts and fetches their answers."""

    def __init__(self, receive: Callable[[Sequence[Post]], list[Answer]]) -> None:
        self._receive = receive
        self._thread = ThreadPoolExecutor(
            1, initializer=name_thread, initargs=("receive",), thread_name_prefix="receive"
        )
        self._waiting: _Lot = []
        self._is_busy = False

    def answer(self, post: Post) -> "asyncio.Future[Answer]":
        """Have a post answered with those that wait; call in the event loop alone."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((post, future))
        if not self._is_busy:
            self._is_busy = True
            # Whatever else the loop has ready joins the lot.
            loop.call_soon(self._begin, loop)
        return future

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        lot, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        self._is_busy = bool(lot)
        if lot:
            posts = [post for post, _ in lot]
            work = loop.run_in_executor(self._thread, self._receive, posts)
            work.add_done_callback(lambda done: self._end(loop, lot, done))

    def _end(
        self, loop: asyncio.AbstractEventLoop, lot: _Lot, done: "asyncio.Future[list[Answer]]"
    ) -> None:
        try:
            answers = done.result()
        except Exception as error:  # noqa: BLE001 (everybody in the lot is told)
            answers = [broken(error)] * len(lot)
        for (_, future), answer in zip(lot, answers, strict=True):
            if not future.done():  # whoever asked may be gone
                future.set_result(answer)
        self._begin(loop)
