"""Work crosses into the thread of a loop in its order, with one waking for all that has come."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from sms.links.smpp.crossing import Crossing


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts how often another thread woke it."""

    woken = 0

    def call_soon_threadsafe(self, *arguments: object, **options: object) -> asyncio.Handle:
        self.woken += 1
        return super().call_soon_threadsafe(*arguments, **options)  # type: ignore[arg-type]  # passed through


@pytest.fixture
def loop() -> Iterator[CountingLoop]:
    made = CountingLoop()
    yield made
    made.close()


def run(loop: CountingLoop, until: Callable[[], bool]) -> None:
    gives_up_at = time.monotonic() + 10
    while not until():
        loop.run_until_complete(asyncio.sleep(0.001))
        assert time.monotonic() < gives_up_at


def test_all_that_came_meanwhile_takes_one_waking(loop: CountingLoop) -> None:
    crossing, done = Crossing(loop), list[int]()

    for number in range(50):
        crossing.post(lambda number=number: done.append(number))  # type: ignore[misc]  # the default binds the loop's name
    run(loop, lambda: len(done) == 50)

    assert done == list(range(50))
    assert loop.woken == 1
    crossing.post(lambda: done.append(50))
    run(loop, lambda: len(done) == 51)
    assert loop.woken == 2


def test_nothing_is_lost_between_threads(loop: CountingLoop) -> None:
    crossing, done = Crossing(loop), list[int]()

    def post() -> None:
        for number in range(2000):
            crossing.post(lambda number=number: done.append(number))  # type: ignore[misc]  # the default binds the loop's name

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    run(loop, lambda: len(done) == 8000)
    for thread in threads:
        thread.join()

    assert sorted(done) == sorted([*range(2000)] * 4)


def test_what_breaks_keeps_nothing_behind_it_from_being_done(loop: CountingLoop) -> None:
    crossing, done, told = Crossing(loop), list[int](), list[object]()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))

    crossing.post(lambda: 1 // 0)
    crossing.post(lambda: done.append(1))
    run(loop, lambda: bool(done))

    assert [type(error) for error in told] == [ZeroDivisionError]


def test_an_outcome_comes_home(loop: CountingLoop) -> None:
    there = Crossing(loop)

    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number // (number - 3)

    async def ask() -> list[int | BaseException]:
        home = Crossing(asyncio.get_running_loop())
        asked = [there.fetch(lambda n=n: double(n), home) for n in (1, 3, 5)]  # type: ignore[misc]  # the default binds the loop's name
        return await asyncio.gather(*asked, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    first, second, third = asyncio.run(ask())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()

    assert (first, third) == (-1, 5)
    assert isinstance(second, ZeroDivisionError)


def test_a_loop_that_has_ended_takes_nothing_and_says_so_every_time() -> None:
    loop = CountingLoop()
    crossing = Crossing(loop)
    loop.close()

    for _ in range(2):
        with pytest.raises(RuntimeError):
            crossing.post(lambda: None)
