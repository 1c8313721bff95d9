"""The tables of core: wrapped data keys, and what processes note of themselves."""

import sqlalchemy as sa

from core.db import Instant, metadata

# What each process did and which faults it met, as it last wrote that down.
PROCESS_NOTE = sa.Table(
    "process_note",
    metadata,
    sa.Column("process", sa.String(100), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("detail", sa.String(100), nullable=False),
)

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
