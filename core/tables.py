"""The tables of core: data keys, each wrapped by a key that is not in the database."""

import sqlalchemy as sa

from core.db import Instant, metadata

DATA_KEY = sa.Table(
    "data_key",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("purpose", sa.String(32), nullable=False),
    sa.Column("month", sa.String(7), nullable=False),
    sa.Column("kek", sa.Integer, nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.UniqueConstraint("purpose", "month"),
)
