"""The secrets of links: kept sealed, the newest two of a use live."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.ids import uuid7
from core.keyring import Keyring, Sealed
from sms.tables import LINK_SECRET

SIGNING = "signing"
PATH = "path"
_LIVE = 2
_PATH_SECRET_BYTES = 16


def new_path_secret() -> str:
    """Make what an address of ours ends in."""
    return secrets.token_hex(_PATH_SECRET_BYTES)


def load(session: Session, keyring: Keyring) -> Mapping[tuple[int, str], Sequence[str]]:
    """Load every live secret by link and use, the newest first."""
    live: dict[tuple[int, str], list[str]] = {}
    newest_first = sa.select(LINK_SECRET).order_by(LINK_SECRET.c.id.desc())
    for row in session.execute(newest_first):
        sealed = Sealed(row.key_id, row.blob)
        secret = keyring.decrypt(sealed, table="link_secret", column="blob", row=row.id.bytes)
        live.setdefault((row.link_id, row.use), []).append(secret.decode())
    return live


def keep(
    session: Session, keyring: Keyring, link_id: int, made: Mapping[str, str], now: datetime
) -> None:
    """Make these a link's newest secrets, by use; of each use all but two are destroyed."""
    for use, secret in made.items():
        key: UUID = uuid7()
        sealed = keyring.encrypt(
            secret.encode(), "link", table="link_secret", column="blob", row=key.bytes
        )
        row = {"id": key, "link_id": link_id, "use": use, "created_at": now}
        session.execute(
            sa.insert(LINK_SECRET), {**row, "key_id": sealed.key_id, "blob": sealed.blob}
        )
        mine = (LINK_SECRET.c.link_id == link_id, LINK_SECRET.c.use == use)
        live = sa.select(LINK_SECRET.c.id).where(*mine).order_by(LINK_SECRET.c.id.desc())
        kept = session.execute(live.limit(_LIVE)).scalars().all()
        session.execute(sa.delete(LINK_SECRET).where(*mine, LINK_SECRET.c.id.not_in(kept)))


def destroy(session: Session, link_id: int) -> None:
    """Destroy all secrets of a link."""
    session.execute(sa.delete(LINK_SECRET).where(LINK_SECRET.c.link_id == link_id))
