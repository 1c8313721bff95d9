"""The links of this deployment: kept in the database, seen by every process within a second."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, dialect_of, locked, upsert
from core.errors import UnavailableError
from core.keyring import Keyring
from sms.links import assessments, live_secrets
from sms.links.assessments import Assessment
from sms.links.errors import LinkError
from sms.links.live_secrets import PATH, SIGNING
from sms.links.model import Link, LinkKind, LinkState
from sms.links.peers import Groups, groups_of, prefixes_of
from sms.tables import LINK
from sms.weights import RESTING

ASSESSMENT_LIFE = timedelta(days=365)
BURST = 5
_FRESH = 1.0
# What posts to us is told, wholly or among other things, by the secret in the path.
_BY_PATH = frozenset({LinkKind.TWILIO, LinkKind.KANNEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """What somebody who adds a link has to say; the operator is called as the link if not told."""

    code: str
    kind: LinkKind
    url: str
    secret: str = field(repr=False)
    is_test: bool = False
    account_sid: str | None = None
    from_number: str | None = None
    prefixes: str = ""
    rate: int = 100
    assessed_by: str | None = None
    operator: str | None = None
    profile: str | None = None
    weight: int = RESTING
    send_rate: int | None = None


class LinkRegistry:
    """The links as one process sees them, read again when a second old."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._by_code: dict[str, Link] = {}
        self._by_id: dict[int, Link] = {}
        self._groups: Groups = {}
        self._prefixes: dict[str, str] = {}

    def get(self, code: str) -> Link | None:
        """Return the link called *code*, if there is one."""
        self._refresh()
        return self._by_code.get(code)

    def by_id(self, link_id: int) -> Link | None:
        """Return the link with this key, if there is one."""
        self._refresh()
        return self._by_id.get(link_id)

    def all(self) -> Sequence[Link]:
        """Return every link, by code."""
        self._refresh()
        return [self._by_code[code] for code in sorted(self._by_code)]

    def peers(self, link_id: int) -> Sequence[Link]:
        """Return the links that share the load of this one, itself among them."""
        self._refresh()
        return self._groups.get(link_id, ())

    def shared(self) -> Sequence[Sequence[Link]]:
        """Return the links of each operator that share their load, where they are several."""
        self._refresh()
        return [group for key, group in self._groups.items() if key == group[0].id and group[1:]]

    def paced(self) -> Sequence[Link]:
        """Return the links by which only so many segments a second may leave."""
        self._refresh()
        return [link for link in self._by_id.values() if link.send_rate is not None]

    def prefixes(self) -> Mapping[str, str]:
        """Return the prefixes of each operator, of all its links together."""
        self._refresh()
        return self._prefixes

    def _refresh(self) -> None:
        now = self._clock.monotonic()
        if self._read_at is not None and now - self._read_at < _FRESH:
            return
        with self._lock:
            if self._read_at is not None and now - self._read_at < _FRESH:
                return
            try:
                links = self._database.read(lambda s: load(s, self._keyring))
            except UnavailableError:
                # The links known so far can be told apart; nothing is stored without the database.
                if self._read_at is None:
                    raise
                self._read_at = now
                return
            self._by_code = {link.code: link for link in links}
            self._by_id = {link.id: link for link in links}
            self._groups, self._prefixes = groups_of(links), prefixes_of(links)
            self._read_at = now


def load(session: Session, keyring: Keyring) -> list[Link]:
    """Load every link with its live secrets."""
    live = live_secrets.load(session, keyring)
    rows = session.execute(sa.select(LINK).order_by(LINK.c.id))
    return [_from_row(row, live) for row in rows]


def add(session: Session, keyring: Keyring, new: NewLink, now: datetime) -> int:
    """Add a link and return its key.

    Raises: LinkError when the code is taken.
    """
    statement = upsert(dialect_of(session), LINK).on_conflict_do_nothing(index_elements=["code"])
    link_id: int | None = session.execute(
        statement.returning(LINK.c.id),
        {
            "code": new.code,
            "operator": new.operator or new.code,
            "kind": new.kind,
            "state": LinkState.ACTIVE,
            "is_test": new.is_test,
            "url": new.url,
            "account_sid": new.account_sid,
            "from_number": new.from_number,
            "prefixes": new.prefixes,
            "rate": new.rate,
            "tokens": float(new.rate * BURST),
            "refilled_at": now,
            "assessed_by": new.assessed_by,
            "assessed_until": now + ASSESSMENT_LIFE if new.assessed_by else None,
            "created_at": now,
            "profile": new.profile,
            "weight": new.weight,
            "resting_weight": new.weight,
            "send_rate": new.send_rate,
        },
    ).scalar()
    if link_id is None:
        raise LinkError(f"a link called {new.code} exists already: choose another code")
    if new.assessed_by:
        vouched = Assessment(new.assessed_by, now, now + ASSESSMENT_LIFE)
        assessments.keep(session, link_id, vouched)
    made = {SIGNING: new.secret}
    if new.kind in _BY_PATH:
        made[PATH] = live_secrets.new_path_secret()
    live_secrets.keep(session, keyring, link_id, made, now)
    return link_id


def rotate(session: Session, keyring: Keyring, link: Link, secret: str, now: datetime) -> None:
    """Make *secret* the link's newest; the one before it stays live, older ones are destroyed.

    So is the secret in Kannel's address, which alone proves who speaks as Kannel.

    Raises: LinkError if the secret is in use already, or the link is terminated.
    """
    refuse_terminated(session, link)
    if secret in link.secrets:
        raise LinkError("this secret is live on the link already: make a new one")
    made = {SIGNING: secret}
    if link.kind is LinkKind.KANNEL:
        made[PATH] = live_secrets.new_path_secret()
    live_secrets.keep(session, keyring, link.id, made, now)


def set_state(session: Session, link: Link, state: LinkState) -> None:
    """Enable or disable a link.

    Raises: LinkError for a link that is terminated.
    """
    refuse_terminated(session, link)
    session.execute(sa.update(LINK).where(LINK.c.id == link.id).values(state=state))


def assess(session: Session, link: Link, made: Assessment) -> None:
    """Record that somebody vouches for the channel of a link.

    Raises: LinkError for a link that is terminated.
    """
    refuse_terminated(session, link)
    this = sa.update(LINK).where(LINK.c.id == link.id)
    session.execute(this.values(assessed_by=made.by, assessed_until=made.until))
    assessments.keep(session, link.id, made)


def move(session: Session, link: Link, url: str) -> None:
    """Have replies posted to another address.

    Raises: LinkError for a link that is terminated.
    """
    refuse_terminated(session, link)
    session.execute(sa.update(LINK).where(LINK.c.id == link.id).values(url=url))


def terminate(session: Session, link: Link, reason: str, now: datetime) -> None:
    """End a link for good: its secrets are destroyed.

    Raises: LinkError for a link that is terminated already.
    """
    refuse_terminated(session, link)
    session.execute(
        sa.update(LINK)
        .where(LINK.c.id == link.id)
        .values(
            state=LinkState.TERMINATED,
            terminated_at=now,
            terminated_reason=reason,
            assessed_until=None,
        )
    )
    live_secrets.destroy(session, link.id)


def refuse_terminated(session: Session, link: Link) -> None:
    """Refuse to change a link that has ended, and keep it from ending meanwhile.

    Raises: LinkError.
    """
    # As it is now and stays until the commit: *link* may have been read before somebody ended it.
    state = sa.select(LINK.c.state).where(LINK.c.id == link.id)
    if session.execute(locked(state, session)).scalar_one() == LinkState.TERMINATED:
        raise LinkError(f"the link {link.code} is terminated for good: add a new one")


def _from_row(row: sa.Row[Any], live: Mapping[tuple[int, str], Sequence[str]]) -> Link:
    path_secrets = live.get((row.id, PATH), ())
    return Link(
        id=row.id,
        code=row.code,
        operator=row.operator,
        kind=LinkKind(row.kind),
        state=LinkState(row.state),
        is_test=row.is_test,
        url=row.url,
        account_sid=row.account_sid,
        from_number=row.from_number,
        prefixes=row.prefixes,
        rate=row.rate,
        assessed_by=row.assessed_by,
        assessed_until=row.assessed_until,
        secrets=tuple(live.get((row.id, SIGNING), ())),
        path_secret=path_secrets[0] if path_secrets else None,
        older_path_secrets=tuple(path_secrets[1:]),
        profile=row.profile,
        weight=row.weight,
        resting_weight=row.resting_weight,
        send_rate=row.send_rate,
    )
