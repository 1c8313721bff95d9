"""Rounds that were never run, for the tests of what is made of them."""

from benchmark.summary import Measured, Mode
from benchmark.tally import Order, Span, Tally


def a_round(
    mode: Mode = Mode.CLOSED,
    *,
    clients: int = 16,
    lookups: int = 100,
    milliseconds: float = 50,
    server_cpu: float = 0.4,
    fault: str = "",
    resident: int = 200 * 2**20,
) -> Measured:
    """One second in which every reply took the same time."""
    tally = Tally(lookups=lookups, in_time=lookups)
    for _ in range(2 * lookups):
        tally.took(Span.ANSWER, milliseconds / 1000)
    tally.replies["RESULT"] = lookups
    if fault:
        tally.faults[fault] = 1
    rate = {Mode.IDLE: 4.0, Mode.OPEN: 50.0, Mode.CLOSED: None}[mode]
    order = Order(clients, 1.0, rate)
    return Measured(
        mode=mode,
        outcome=tally.outcome(order, seconds=1.0, operator_cpu=0.05, used_up=False),
        server_cpu=server_cpu,
        database_cpu=0.1,
        threads={"handle": 0.2, "never": 0.0},
        stages={"seal": 0.1},
        yardstick=0.5,
        others=0.25,
        resident=resident,
    )
