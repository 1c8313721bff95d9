"""The tables of billing: one narrow row per message carried, and dated prices."""

import sqlalchemy as sa

from core.db import Instant, metadata

_DIRECTION = sa.String(2)  # "mo" or "mt"
# SQLite counts up INTEGER keys alone.
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

USAGE = sa.Table(
    "usage",
    metadata,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("message_id", sa.Uuid, nullable=False),
    sa.Column("link_id", sa.Integer, nullable=False),
    sa.Column("direction", _DIRECTION, nullable=False),
    sa.Column("operator_message_id", sa.String(100)),
    sa.Column("segments", sa.Integer, nullable=False),
    sa.Column("encoding", sa.String(8), nullable=False),
    sa.Column("at", Instant, nullable=False),
    # The calendar day in Viet Nam, which statements are counted by; ISO text sorts as dates do.
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reply_class", sa.String(16)),
    sa.Column("is_test", sa.Boolean, nullable=False),
    sa.UniqueConstraint("message_id", "direction"),
    sa.CheckConstraint("direction IN ('mo', 'mt')", name="direction_known"),
    sa.CheckConstraint("segments > 0", name="segments_positive"),
    sa.Index(None, "link_id", "day"),
)

TARIFF = sa.Table(
    "tariff",
    metadata,
    sa.Column("link_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("direction", _DIRECTION, primary_key=True),
    sa.Column("valid_from", sa.Date, primary_key=True),
    sa.Column("price_hundredths", sa.BigInteger, nullable=False),
    sa.CheckConstraint("direction IN ('mo', 'mt')", name="direction_known"),
    sa.CheckConstraint("price_hundredths >= 0", name="price_not_negative"),
)
