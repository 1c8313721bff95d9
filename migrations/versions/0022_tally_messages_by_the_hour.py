"""Tally messages by the hour, of the minutes that were tallied."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tally_hour",
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("link_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("command", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reply", sa.String(length=16), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "hour", "link_id", "command", "state", "reply", name=op.f("pk_tally_hour")
        ),
    )
    # Hours that are over: an hour is 3,600,000,000 microseconds.
    op.execute(
        "INSERT INTO tally_hour (hour, link_id, command, state, reply, messages) "
        "SELECT minute - minute % 3600000000, link_id, command, state, reply, sum(messages) "
        "FROM tally WHERE minute < "
        "(SELECT max(minute) + 60000000 - (max(minute) + 60000000) % 3600000000 FROM tallied) "
        "GROUP BY 1, 2, 3, 4, 5"
    )
