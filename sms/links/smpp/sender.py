"""Hands replies to SMSCs over the sessions of this process."""

import asyncio
import time
from datetime import datetime

from core.deadline import WRITTEN_SECONDS
from sms.links.model import Link, Outcome, Outgoing, Refused, Unknown
from sms.links.posting import NotAnsweredError, NotSentError
from sms.links.smpp import profile, submission
from sms.links.smpp.crossing import Crossing
from sms.links.smpp.sessions import Sessions


class SmppSender:
    """Submits replies in the thread that has the sessions."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._home: Crossing | None = None

    async def send(self, link: Link, outgoing: Outgoing, now: datetime) -> Outcome:
        """Offer a reply once and say what is known of it afterwards."""
        # Every event loop goes by this clock.
        written_by = time.monotonic() + WRITTEN_SECONDS
        loop = asyncio.get_running_loop()
        if self._home is None or self._home.loop is not loop:
            self._home = Crossing(loop)
        return await self._sessions.crossing.fetch(
            lambda: self._submit(link, outgoing, now, written_by), self._home
        )

    async def _submit(
        self, link: Link, outgoing: Outgoing, now: datetime, written_by: float
    ) -> Outcome:
        connection = self._sessions.roster.choose(link.id)
        if connection is None or time.monotonic() > written_by:
            return Refused("no-room", retryable=True)
        told = profile.load(link.profile or "")
        try:
            answer = await connection.submit(
                submission.write(told, outgoing, now),
                written_by,
                lambda late: self._sessions.accepted_late(link, told, outgoing.id, late),
            )
        except NotSentError as error:
            return Refused(str(error), retryable=True)
        except NotAnsweredError as error:
            return Unknown(str(error))
        except ValueError:
            return Refused("no-such-field", retryable=False)
        return submission.judge(told, answer)

    def close(self) -> None:
        """Leave the sessions to their own thread."""
