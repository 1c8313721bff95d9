"""Take delivery receipts, also before their replies are known, and poll for missed messages."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("provider_key", sa.String(length=64), nullable=True),
        sa.Column("delivery", sa.String(length=16), nullable=True),
        sa.Column("delivery_at", sa.BigInteger(), nullable=True),
        sa.Column("delivery_error", sa.String(length=40), nullable=True),
        sa.Column("delivery_parts", sa.BigInteger(), nullable=True),
    ):
        op.add_column("outbound", column)
    op.create_index(
        "ix_outbound_provider",
        "outbound",
        ["link_id", "provider_key"],
        sqlite_where=sa.text("provider_key IS NOT NULL"),
        postgresql_where=sa.text("provider_key IS NOT NULL"),
    )
    op.create_table(
        "early_receipt",
        sa.Column("link_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("part", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(length=40), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "key", "part", "state", name=op.f("pk_early_receipt")),
    )
    op.create_table(
        "link_poll",
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_link_poll_link_id_link")),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_link_poll")),
    )
