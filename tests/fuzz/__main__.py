"""Looks for inputs that break a parser, for so many seconds each: `make fuzz`.

Hypothesis writes the scripts by which good inputs are changed, and shrinks the one that broke
something. What ran lines in a new order is changed further in the next round, and some of it is
kept in the end (`--keep`), so that the next run begins where this one has come to.
"""

import argparse
import io
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core import log
from tests.fuzz import kept
from tests.fuzz.mutating import LONGEST_SCRIPT, SHORTEST_SCRIPT, Pool, mutants
from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.watching import Arc

_ROUND = 500
# So long may one input compute before it counts as one that never ends; counting lines says more.
_NEVER_SECONDS = 10.0
_LONGEST_KEPT = 400
_MOST_KEPT = 24


class HungError(Exception):
    """An input took so long that nobody would wait for it."""


@dataclass(slots=True)
class Campaign:
    """What was tried of one target, and what came of it."""

    target: Target
    pool: Pool = field(init=False)
    arcs: set[Arc] = field(default_factory=set)
    fresh: list[bytes] = field(default_factory=list)
    tried: int = 0
    last: bytes = b""

    def __post_init__(self) -> None:
        """Begin with what is kept."""
        self.pool = self.target.pool()
        for octets in self.pool.seeds:
            self.arcs |= self.run(octets)

    def run(self, octets: bytes) -> set[Arc]:
        """Check one input."""
        self.tried, self.last = self.tried + 1, octets
        signal.setitimer(signal.ITIMER_VIRTUAL, _NEVER_SECONDS)
        try:
            return self.target.run(octets)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def round(self) -> None:
        """Try many inputs; what breaks something is made as small as can be, and raised."""
        pool = Pool([*self.pool.seeds, *self.fresh], self.pool.tokens)

        @settings(
            max_examples=_ROUND, database=None, deadline=None,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink),
        )  # fmt: skip
        @given(st.binary(min_size=SHORTEST_SCRIPT, max_size=LONGEST_SCRIPT))
        def holds(script: bytes) -> None:
            for octets in mutants(pool, script):
                arcs = self.run(octets)
                if not arcs <= self.arcs:
                    self.arcs |= arcs
                    self.fresh.append(octets)

        holds()

    def worth_keeping(self) -> list[bytes]:
        """Choose small inputs that together run what the kept ones do not."""
        known: set[Arc] = set().union(*map(self.run, self.pool.seeds))
        chosen = []
        for octets in sorted(self.fresh, key=len):
            if len(octets) <= _LONGEST_KEPT and not (arcs := self.run(octets)) <= known:
                known |= arcs
                chosen.append(octets)
        return chosen[:_MOST_KEPT]


def fuzz(target: Target, seconds: float, *, keep: bool) -> bool:
    """Look for so long; tell what was found, and whether that was nothing."""
    campaign, ends_at = Campaign(target), time.monotonic() + seconds
    while time.monotonic() < ends_at:
        try:
            campaign.round()
        except Exception as error:  # noqa: BLE001 (whatever it is, it was found)
            told = "".join(traceback.format_exception(error))
            _say(f"{told}{target.name}: {campaign.last!r}")
            kept.keep(target.name, [campaign.last], f"found: {type(error).__name__}")
            return False
    told = f"{campaign.tried} inputs, {len(campaign.fresh)} of them new in what they run"
    _say(f"{target.name}: nothing found in {seconds:g} s; {told}")
    if keep and (chosen := campaign.worth_keeping()):
        kept.keep(target.name, chosen, f"kept of {campaign.tried} inputs")
    return True


def main() -> int:
    """Look into each of the targets that are named, or into all."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    # argparse holds the empty list itself against the choices.
    parser.add_argument(
        "targets", nargs="*", choices=[[], *TARGETS], metavar="TARGET", help=", ".join(TARGETS)
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="for each target")
    parser.add_argument("--keep", action="store_true", help="keep what ran something new")
    told = parser.parse_args()
    signal.signal(signal.SIGVTALRM, _give_up)
    log.configure(json=True, stream=io.StringIO())
    names = told.targets or list(TARGETS)
    held = [fuzz(TARGETS[name], told.seconds, keep=told.keep) for name in names]
    return 0 if all(held) else 1


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _give_up(_signal: int, _frame: object) -> None:
    raise HungError("an input that does not end")


if __name__ == "__main__":
    sys.exit(main())
