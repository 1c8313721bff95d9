"""Let officers ask for a verification and see how far it is."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLE = "journal_verification"
ASKED = sa.text("state = 'asked'")


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("asked_by", sa.String(length=100), nullable=True))
    op.add_column(TABLE, sa.Column("done", sa.BigInteger(), nullable=True))
    op.add_column(TABLE, sa.Column("total", sa.BigInteger(), nullable=True))
    op.add_column(TABLE, sa.Column("told_at", sa.BigInteger(), nullable=True))
    op.add_column(TABLE, sa.Column("finding", sa.String(length=400), nullable=True))
    op.create_index(
        "uq_journal_verification_asked",
        TABLE,
        ["state"],
        unique=True,
        sqlite_where=ASKED,
        postgresql_where=ASKED,
    )
