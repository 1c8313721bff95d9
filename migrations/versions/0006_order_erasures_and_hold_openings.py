"""Order erasures and hold openings."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journal_erasure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=8), nullable=False),
        sa.Column("leaves", sa.Text(), nullable=True),
        sa.Column("first_month", sa.Integer(), nullable=True),
        sa.Column("last_month", sa.Integer(), nullable=True),
        sa.Column("retention", sa.String(length=8), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("why_key_id", sa.Integer(), nullable=False),
        sa.Column("enc_why", sa.LargeBinary(), nullable=False),
        sa.Column("planned_by", sa.String(length=100), nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("first_by", sa.String(length=100), nullable=True),
        sa.Column("first_entry", sa.Uuid(), nullable=True),
        sa.Column("second_by", sa.String(length=100), nullable=True),
        sa.Column("second_entry", sa.Uuid(), nullable=True),
        sa.Column("ended_by", sa.String(length=100), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "first_by <> planned_by AND second_by <> planned_by AND second_by <> first_by",
            name=op.f("ck_journal_erasure_three_people"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_erasure")),
        sa.UniqueConstraint("digest", name=op.f("uq_journal_erasure_digest")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_index", sa.BigInteger(), nullable=True),
        sa.Column("actor_index", sa.BigInteger(), nullable=True),
        sa.Column("first_month", sa.Integer(), nullable=True),
        sa.Column("last_month", sa.Integer(), nullable=True),
        sa.Column("retention", sa.String(length=8), nullable=True),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("why_key_id", sa.Integer(), nullable=False),
        sa.Column("enc_why", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.String(length=100), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("lifted_by", sa.String(length=100), nullable=True),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "subject_index IS NOT NULL OR actor_index IS NOT NULL "
            "OR (first_month IS NOT NULL AND last_month IS NOT NULL)",
            name=op.f("ck_legal_hold_holds_something"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(
        "ix_journal_entry_erasures",
        "journal_entry",
        ["id"],
        unique=False,
        sqlite_where=sa.text("kind = 'erase'"),
        postgresql_where=sa.text("kind = 'erase'"),
    )
