"""Which link a reply leaves by: the one its message came in on, or one that shares its load.

Several links of one operator share what is said over them. A reply is given one of them when it is
made, and another as long as it is certain that nobody has it; never once that is in doubt, since a
second copy is known for one, and reported on, only where the first was handed over. ADR 0029.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from records import stops
from records.stops import Stops
from sms import weights
from sms.dispatch import NotStarted, Result
from sms.links.model import Link, LinkState, Refused
from sms.links.registry import LinkRegistry


class Routes:
    """Chooses among the links of an operator; where there is one, there is nothing to choose."""

    def __init__(self, links: LinkRegistry, pick: Callable[[int], int] = secrets.randbelow) -> None:
        self._links = links
        self._pick = pick

    def first(self, link_id: int, in_force: Stops, now: datetime) -> int:
        """Choose a link for the reply to a message that came in on *link_id*."""
        able = self.able(link_id, in_force, now)
        return weights.draw(able, self._pick) if link_id in able else link_id

    def other(self, link_id: int, in_force: Stops, now: datetime) -> int:
        """Choose another link than *link_id*, if there is one."""
        able = self.able(link_id, in_force, now)
        able.pop(link_id, None)
        return weights.draw(able, self._pick) if able else link_id

    def able(self, link_id: int, in_force: Stops, now: datetime) -> dict[int, int]:
        """Return what the links weigh that may carry what this one does; none if it is alone."""
        peers = self._links.peers(link_id)
        if len(peers) == 1:
            return {}
        return {peer.id: peer.weight for peer in peers if may_carry(peer, in_force, now)}

    def are_shared(self, link_id: int) -> bool:
        """Tell whether a link shares its load with others."""
        return len(self._links.peers(link_id)) > 1

    def elsewhere(
        self, session: Session, results: Sequence[Result], now: datetime
    ) -> dict[UUID, int]:
        """Choose anew for replies that nobody has, and that had better go another way."""
        shared = [result for result in results if self.are_shared(result.claimed.link_id)]
        stayed = [result for result in shared if _certainly_stayed(result)]
        if not stayed:
            return {}
        in_force = stops.in_force(session)
        return {
            one.claimed.id: self.other(one.claimed.link_id, in_force, now)
            for one in stayed
            if isinstance(one.outcome, Refused)
            or one.claimed.link_id not in self.able(one.claimed.link_id, in_force, now)
        }


def may_carry(link: Link, in_force: Stops, now: datetime) -> bool:
    """Tell whether a link is in use, vouched for and not stopped."""
    is_stopped = in_force.cover(link=link.code, operator=link.operator, command="")
    return link.state is LinkState.ACTIVE and link.is_assessed(now) and not is_stopped


def _certainly_stayed(result: Result) -> bool:
    match result.outcome:
        case Refused(_, retryable):
            return retryable and not result.claimed.unknowns
        case NotStarted():
            return not result.claimed.unknowns
        case _:
            return False
