"""Keep how operators speak SMPP, who holds which bind, and parts of messages that are not whole."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("link", sa.Column("profile", sa.Text(), nullable=True))
    op.create_table(
        "smpp_bind",
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("bound_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_smpp_bind_link_id_link")),
        sa.PrimaryKeyConstraint("link_id", "number", name=op.f("pk_smpp_bind")),
    )
    op.create_table(
        "smpp_part",
        sa.Column("link_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tag", sa.LargeBinary(length=32), nullable=False),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("content_tag", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("is_joined", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "tag", "number", name=op.f("pk_smpp_part")),
    )
    op.create_index(op.f("ix_smpp_part_received_at"), "smpp_part", ["received_at"])
