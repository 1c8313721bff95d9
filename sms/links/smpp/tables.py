"""The tables of SMPP links: who holds which bind, and parts of messages that are not whole yet."""

import sqlalchemy as sa

from core.db import Instant, metadata

SMPP_BIND = sa.Table(
    "smpp_bind",
    metadata,
    sa.Column("link_id", sa.ForeignKey("link.id"), primary_key=True),
    sa.Column("number", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("holder", sa.Uuid),
    sa.Column("lease_until", Instant, nullable=False),
    sa.Column("bound_at", Instant),
)

# A message's parts keep standing for a while after it was joined, so that a repeat of one is known.
SMPP_PART = sa.Table(
    "smpp_part",
    metadata,
    sa.Column("link_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tag", sa.LargeBinary(32), primary_key=True),
    sa.Column("number", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("total", sa.SmallInteger, nullable=False),
    sa.Column("content_tag", sa.LargeBinary(32), nullable=False),
    sa.Column("key_id", sa.Integer, nullable=False),
    sa.Column("blob", sa.LargeBinary),
    sa.Column("received_at", Instant, nullable=False, index=True),
    sa.Column("is_joined", sa.Boolean, nullable=False),
)
