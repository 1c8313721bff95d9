"""Know what became of numbers, and hold replies back to those that changed hands."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "number",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("sim_changed_at", sa.BigInteger(), nullable=True),
        sa.Column("ported_at", sa.BigInteger(), nullable=True),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.Column("barred_at", sa.BigInteger(), nullable=True),
        sa.Column("barred_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number")),
    )
    op.create_table(
        "number_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=100), nullable=False),
        sa.Column("content_tag", sa.LargeBinary(length=32), nullable=False),
        sa.Column("number_id", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("ported_to", sa.String(length=32), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_event")),
        sa.UniqueConstraint("link_id", "event_id", name=op.f("uq_number_event_link_id")),
    )
    op.create_index(op.f("ix_number_event_number_id"), "number_event", ["number_id"])
    op.add_column("outbound", sa.Column("number_id", sa.BigInteger(), nullable=True))
    op.add_column("outbound", sa.Column("trusted_since", sa.BigInteger(), nullable=True))
