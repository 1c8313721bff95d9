"""Runs of consecutive numbers, first and last: how leaves and bundles are counted out to people."""

from collections.abc import Iterable

Run = tuple[int, int]


def joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Put runs in order, and those that touch or overlap together."""
    kept: list[Run] = []
    for low, high in sorted(runs):
        if kept and low <= kept[-1][1] + 1:
            kept[-1] = (kept[-1][0], max(high, kept[-1][1]))
        else:
            kept.append((low, high))
    return tuple(kept)


def written(runs: Iterable[Run]) -> str:
    """Write runs: `0,19-23`."""
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
