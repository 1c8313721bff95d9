"""How fast replies leave by links that an operator takes so many segments a second of.

The rate is counted in the link's row and granted to each process in portions, as that of messages
in is: so it holds over all processes, and survives connections and restarts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, locked
from sms.links.model import Link
from sms.links.registry import LinkRegistry
from sms.tables import LINK

# How much of a second's rate is granted at once, and how much may be saved up.
_PORTIONS, _BURSTS = 20, 10


class Pacer:
    """What one process may still hand over, by links that have a rate."""

    def __init__(self, database: Database, links: LinkRegistry, clock: Clock) -> None:
        self._database = database
        self._links = links
        self._clock = clock
        self._left: dict[int, int] = {}

    def rooms(self) -> Mapping[int, int]:
        """Say of each link that has a rate how many segments may leave now."""
        paced = self._links.paced()
        self._left = {link.id: self._left.get(link.id, 0) for link in paced}
        short = [link for link in paced if self._left[link.id] <= 0]
        if short:
            now = self._clock.now()
            granted = self._database.write(
                lambda session: {
                    link.id: _grant(session, link, self._left[link.id], now) for link in short
                }
            )
            for link_id, segments in granted.items():
                self._left[link_id] += segments
        return self._left

    def started(self, link_id: int, segments: int) -> None:
        """Note that so many segments are on their way; a debt is waited out."""
        if link_id in self._left:
            self._left[link_id] -= segments


def _grant(session: Session, link: Link, left: int, now: datetime) -> int:
    rate = link.send_rate or 0
    statement = sa.select(LINK.c.send_tokens, LINK.c.sent_at).where(LINK.c.id == link.id)
    row: Any = session.execute(locked(statement, session)).one()
    passed = max(now - (row.sent_at or now), timedelta()) / timedelta(seconds=1)
    tokens = min(row.send_tokens + passed * rate, max(rate / _BURSTS, 1.0))
    granted = min(max(rate // _PORTIONS, 1) - left, int(tokens))
    values = {"send_tokens": tokens - granted, "sent_at": now}
    session.execute(sa.update(LINK).where(LINK.c.id == link.id).values(values))
    return granted
