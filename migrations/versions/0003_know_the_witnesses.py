"""Know the witnesses."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journal_witness",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("cosigned_at", sa.BigInteger(), nullable=True),
        sa.Column("refusal", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_journal_witness")),
    )
    op.create_index(
        "ix_journal_checkpoint_cosigned",
        "journal_checkpoint",
        ["size"],
        unique=False,
        sqlite_where=sa.text("cosignatures IS NOT NULL"),
        postgresql_where=sa.text("cosignatures IS NOT NULL"),
    )
