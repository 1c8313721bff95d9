"""Keep assessments with their evidence, steps of connecting an operator, and ends by two."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_assessment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("assessed_by", sa.String(length=100), nullable=False),
        sa.Column("assessed_at", sa.BigInteger(), nullable=False),
        sa.Column("assessed_until", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.String(length=500), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["link_id"], ["link.id"], name=op.f("fk_link_assessment_link_id_link")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_assessment")),
    )
    op.create_index(op.f("ix_link_assessment_link_id"), "link_assessment", ["link_id"])
    op.create_table(
        "link_step",
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("ticked_by", sa.String(length=100), nullable=False),
        sa.Column("ticked_at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_link_step_link_id_link")),
        sa.PrimaryKeyConstraint("link_id", "step", name=op.f("pk_link_step")),
    )
    op.create_table(
        "link_ending",
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("agreed_by", sa.String(length=100), nullable=True),
        sa.Column("agreed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("agreed_by <> asked_by", name=op.f("ck_link_ending_two_people")),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_link_ending_link_id_link")),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_link_ending")),
    )
    op.execute(
        "INSERT INTO link_assessment (link_id, assessed_by, assessed_at, assessed_until) "
        # An assessment was made for a year.
        "SELECT id, assessed_by, assessed_until - 31536000000000, assessed_until FROM link "
        "WHERE assessed_by IS NOT NULL AND assessed_until IS NOT NULL"
    )
