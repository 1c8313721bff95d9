"""Chores: done at the start and again, and one that fails stops nothing."""

import threading
from datetime import timedelta

from core.chores import Chore, Keeper, LastKeeper
from core.clock import SystemClock

_SOON = timedelta(0)


def test_a_chore_is_done_again_after_another_has_failed() -> None:
    done = threading.Semaphore(0)

    def fail() -> None:
        raise RuntimeError

    keeper = Keeper("test", (Chore(_SOON, fail), Chore(_SOON, done.release)), SystemClock())

    keeper.start()
    again = done.acquire(timeout=30) and done.acquire(timeout=30)
    keeper.stop()
    keeper.join(30)

    assert again


def test_a_chore_that_is_not_due_waits() -> None:
    done = threading.Semaphore(0)
    rare: list[int] = []
    chores = (Chore(timedelta(days=1), lambda: rare.append(1)), Chore(_SOON, done.release))
    keeper = Keeper("test", chores, SystemClock())

    keeper.start()
    done.acquire(timeout=30)
    done.acquire(timeout=30)
    keeper.stop()
    keeper.join(30)

    assert rare == [1]


def test_what_ends_last_looks_once_more_after_the_others() -> None:
    seen: list[str] = []
    looked = threading.Event()
    happened = ["before"]

    def look() -> None:
        seen[:] = happened
        looked.set()

    keeper = LastKeeper("test", (Chore(timedelta(days=1), look),), SystemClock())
    keeper.start()
    looked.wait(30)

    keeper.stop()
    happened.append("while the others ended")
    keeper.join(30)

    assert seen == ["before", "while the others ended"]
