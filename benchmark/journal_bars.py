"""The bars that the journal is to clear.

Source: docs/performance.md. They hold for two cores that clients, database and journal share.
"""

from collections.abc import Sequence

from benchmark.bars import Bar, Verdict
from benchmark.journal_rows import Load, Size, Verification

MILLION = 1_000_000
_SEALED = Bar("sealed_per_second", "entries sealed a second, 64 clients", "/s", 4000, at_least=True)
_PROOF = Bar("proof", "inclusion proof, p99", "ms", 5)
_VERIFY = Bar(
    "million_verified", "a million entries verified, without writers' signatures", "s", 10
)
_MEMORY = Bar("memory", "memory of the verifier, most entries against fewest", "times", 1.25)
_WAIT = "append → sealed, 64 clients, p99"
BARS = {
    "sqlite": (_SEALED, Bar("seal_p99", _WAIT, "ms", 30), _PROOF, _VERIFY, _MEMORY),
    "postgresql": (_SEALED, Bar("seal_p99", _WAIT, "ms", 150), _PROOF, _VERIFY, _MEMORY),
}
_CLIENTS = 64


def verdicts(
    database: str, loads: Sequence[Load], sizes: Sequence[Size], start: float
) -> list[Verdict]:
    """Hold what one database did against its bars; what was not measured is not met.

    Units: *start* in seconds, what a verification takes before it comes to entries. A million
    entries are reckoned from the largest size where that is smaller.
    """
    figures: dict[str, float] = {}
    for load in loads:
        if load.clients == _CLIENTS:
            figures |= {"sealed_per_second": load.per_second, "seal_p99": load.latency.p99}
    if sizes:
        most = max(sizes, key=lambda size: size.entries)
        figures["proof"] = most.proof.p99
        if seconds := _seconds(most):
            work = max(0.0, seconds - start) * MILLION / most.entries
            figures["million_verified"] = round(start + work, 2)
    if len(sizes) > 1:
        fewest, *_, most = sorted(sizes, key=lambda size: size.entries)
        figures["memory"] = round(_memory(most) / _memory(fewest), 2)
    return [Verdict(bar, figures.get(bar.name)) for bar in BARS[database]]


def _seconds(size: Size) -> float | None:
    found = size.verifications.get(Verification.TREE)
    return found.seconds if found else None


def _memory(size: Size) -> int:
    return max(found.resident for found in size.verifications.values())
