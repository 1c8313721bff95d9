"""Tally messages by the minute."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tallied",
        sa.Column("minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("handed_over", sa.Integer(), nullable=False),
        sa.Column("p50_us", sa.BigInteger(), nullable=True),
        sa.Column("p95_us", sa.BigInteger(), nullable=True),
        sa.Column("p99_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("minute", name=op.f("pk_tallied")),
    )
    op.create_table(
        "tally",
        sa.Column("minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("link_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("command", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reply", sa.String(length=16), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "minute", "link_id", "command", "state", "reply", name=op.f("pk_tally")
        ),
    )
