"""Threads: named so that CPU can be told by stage from outside, and such as nobody waits for."""

import ctypes
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

_PR_SET_NAME = 15
_LONGEST = 15
_named = threading.local()


def name_thread(name: str) -> None:
    """Let the kernel call the present thread *name*; elsewhere than on Linux, do nothing."""
    if getattr(_named, "name", None) == name or sys.platform != "linux":
        return
    _named.name = name
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name[:_LONGEST].encode(), 0, 0, 0)


def begun(work: Callable[[], T]) -> Future[T]:
    """Do *work* in a thread of its own, which keeps no process from ending."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 (it is for whoever asks what came of it)
            future.set_exception(error)

    threading.Thread(target=run, name="begun", daemon=True).start()
    return future
