"""Find acts among lookups."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_journal_entry_acts",
        "journal_entry",
        ["id"],
        unique=False,
        sqlite_where=sa.text("kind <> 'lookup'"),
        postgresql_where=sa.text("kind <> 'lookup'"),
    )
