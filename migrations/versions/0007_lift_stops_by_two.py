"""Lift stops by two, and stop by operator.

A link that is there already is an operator of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "stop", sa.Column("note", sa.String(length=500), server_default="", nullable=False)
    )
    op.add_column("stop", sa.Column("resume_asked_by", sa.String(length=100), nullable=True))
    op.add_column("stop", sa.Column("resume_asked_at", sa.BigInteger(), nullable=True))
    op.add_column("stop", sa.Column("resume_note", sa.String(length=500), nullable=True))
    op.add_column(
        "link", sa.Column("operator", sa.String(length=32), server_default="", nullable=False)
    )
    op.execute("UPDATE link SET operator = code")
