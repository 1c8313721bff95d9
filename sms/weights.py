"""How the replies of one operator are shared among its links: by weight, away from what fails.

Pure. The rule is GOV.UK Notify's, which had switched between two providers all at once before, and
flapped: a link that fails loses ten points to the others at most once a minute, and they go back by
steps, after a quarter of an hour in which nothing moved. ADR 0029.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

RESTING, MOST = 50, 100
STEP = 10
BETWEEN = timedelta(minutes=1)
QUIET = timedelta(minutes=15)
# What a link is judged by: so many failures at least, and this part of its attempts.
WINDOW = timedelta(minutes=2)
FAILURES, PERCENT = 5, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One link's weight, now and at rest, and what its last attempts came to.

    Shape: *may_carry* says whether it is in use, vouched for and not stopped.
    """

    link_id: int
    weight: int
    resting: int
    tried: int = 0
    failed: int = 0
    may_carry: bool = True

    @property
    def is_failing(self) -> bool:
        """Tell whether too many of its attempts failed."""
        return self.failed >= FAILURES and 100 * self.failed >= PERCENT * self.tried


def rebalance(shares: Sequence[Share], since: timedelta) -> dict[int, int]:
    """Return what the links weigh from now on; together as much as before.

    Shape: *since*, how long ago any of them was given another weight.
    """
    weights = {share.link_id: share.weight for share in shares}
    carrying = [share for share in shares if share.may_carry]
    failing = [share for share in carrying if share.is_failing]
    sound = [share for share in carrying if not share.is_failing]
    if failing and sound and since >= BETWEEN:
        points = _move(weights, {each.link_id: min(STEP, each.weight) for each in failing}, -1)
        parts = [(points + place) // len(sound) for place in range(len(sound))]
        _move(weights, {each.link_id: part for each, part in zip(sound, parts, strict=True)}, 1)
    elif not failing and since >= QUIET:
        too_much = {s.link_id: min(STEP, s.weight - s.resting) for s in shares}
        too_little = {s.link_id: min(STEP, s.resting - s.weight) for s in shares}
        points = min(_points(too_much), _points(too_little))
        _move(weights, _at_most(too_much, points), -1)
        _move(weights, _at_most(too_little, points), 1)
    return weights


def draw(weights: Mapping[int, int], pick: Callable[[int], int]) -> int:
    """Choose a link by weight; where none weighs anything, any.

    Shape: *pick* returns a whole number from 0 to below its argument, each as likely.
    """
    parts = weights.values() if any(weights.values()) else [1] * len(weights)
    ends = list(accumulate(parts))
    return list(weights)[bisect_right(ends, pick(ends[-1]))]


def _move(weights: dict[int, int], parts: Mapping[int, int], sign: int) -> int:
    for link_id, part in parts.items():
        weights[link_id] += sign * part
    return sum(parts.values())


def _points(parts: Mapping[int, int]) -> int:
    return sum(max(part, 0) for part in parts.values())


def _at_most(parts: Mapping[int, int], points: int) -> dict[int, int]:
    """Keep of these parts, one after the other, what comes to so many points."""
    kept = {}
    for link_id, part in parts.items():
        kept[link_id] = max(min(part, points), 0)
        points -= kept[link_id]
    return kept
