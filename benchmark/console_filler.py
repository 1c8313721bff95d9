"""Fills a scratch deployment with messages and entries, so that there is much to page through.

The entries are true copies of a few that were prepared, under ids of their own, in a true tree: a
page that proves one does all that it does elsewhere. Acts are not copied, as pages decrypt them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle, islice

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmark import console_sql, sealing
from benchmark.lookup import Say
from console.desk import Deployment
from core.ids import uuid7
from journal.entries import Draft, Entry, Kind, Retention
from journal.sealer import MOST_A_ROUND
from sms import inbound
from sms.links import registry
from sms.links.model import Envelope, LinkKind
from sms.links.registry import NewLink

LINKS = ("viettel", "vinaphone", "mobifone", "vietnamobile", "gmobile")
MONTH = timedelta(days=30)
_TEMPLATES = 1024
# One entry in so many is an act of an officer.
_ACT_AMONG = 128
_AT_ONCE = 50_000
_TOLD_EVERY = 100_000
_SECRET = "whsec_" + "c2VjcmV0IG9mIGFuIG9wZXJhdG9yIHRoYXQgaXMgbm9ib2R5"


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills one deployment up to a number of messages, each with its entry."""

    deployment: Deployment
    rows: int
    say: Say

    def fill(self, now: datetime) -> None:
        """Make links, entries, messages and their tally."""
        self._links(now)
        self._entries()
        self._messages(now)
        for statement in console_sql.TALLY:
            self._run(statement, {})
        self.deployment.database.checkpoint()
        # What the server does by itself within minutes, and a benchmark does not wait for.
        self._run("ANALYZE", {})

    def _links(self, now: datetime) -> None:
        deployment = self.deployment

        def add(session: Session) -> None:
            for code in LINKS:
                new = NewLink(
                    code=code, kind=LinkKind.HTTP, url="http://127.0.0.1:9/mt", secret=_SECRET,
                    assessed_by="benchmark",
                )  # fmt: skip
                registry.add(session, deployment.keyring, new, now)

        deployment.database.write(add)

    def _entries(self) -> None:
        deployment, journal = self.deployment, self.deployment.journal
        drafts = sealing.drafts(deployment.keyring, _TEMPLATES)
        size = deployment.database.read(journal.head).size
        endless: Iterator[Entry] = iter(())
        told = anew_at = 0
        while size < self.rows:
            if size >= anew_at:
                # The sealer knows so many of this process's own leaves, and no more.
                endless, anew_at = cycle(journal.prepare(drafts)), size + _TOLD_EVERY
            count = min(self.rows - size, MOST_A_ROUND)
            made = self._some(list(islice(endless, count)))
            deployment.database.write(partial(journal.append, made=made))
            while deployment.database.dialect == "postgresql" and journal.seal_once():
                pass
            size += count
            if size - told >= _TOLD_EVERY or size == self.rows:
                deployment.database.checkpoint()
                self.say(f"{size:,} of {self.rows:,} entries")
                told = size

    def _some(self, copied: Sequence[Entry]) -> list[Entry]:
        acts = iter(self.deployment.journal.prepare([_ACT] * (len(copied) // _ACT_AMONG)))
        made = []
        for place, entry in enumerate(copied):
            act = next(acts, None) if place % _ACT_AMONG == 0 else None
            made.append(act or replace(entry, id=uuid7()))
        return made

    def _messages(self, now: datetime) -> None:
        database, keyring = self.deployment.database, self.deployment.keyring
        some = Envelope("mo", "+84912345678", "1414", "DC 001085123456", now)
        (link, *_) = self.deployment.links.all()
        sealed = inbound.prepare(keyring, link, some, now).sealed
        last = database.read(self.deployment.journal.head).size - 1
        begin = now - MONTH
        given = {
            "begin_ms": int(begin.timestamp() * 1000),
            "span_ms": MONTH // timedelta(milliseconds=1),
            "count": last + 1,
            "links": len(LINKS),
            "key_id": sealed.key_id,
            "bytes": len(sealed.blob),
        }
        for first in range(0, last + 1, _AT_ONCE):
            to = min(first + _AT_ONCE - 1, last)
            for statement in console_sql.MESSAGES:
                spelt = console_sql.spelt(statement, database.dialect)
                self._run(spelt, {**given, "first": first, "last": to})
            if (to + 1) % _TOLD_EVERY == 0 or to == last:
                database.checkpoint()
                self.say(f"{to + 1:,} of {last + 1:,} messages")

    def _run(self, statement: str, given: Mapping[str, object]) -> None:
        def work(session: Session) -> None:
            if self.deployment.database.dialect == "postgresql":
                # A set of so many rows takes longer than a page may.
                session.execute(sa.text("SET LOCAL statement_timeout = 0"))
            session.execute(sa.text(statement), dict(given))

        self.deployment.database.write(work)


_ACT = Draft(
    kind=Kind.ADMIN,
    retention=Retention.ACT,
    actor="officer:lan",
    actor_index=None,
    subject=None,
    subject_index=None,
    payload={"act": "see-log", "rows": 50},
)
