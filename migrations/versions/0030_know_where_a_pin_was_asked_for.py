"""Know of a reply where the PIN that opened it was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbound", sa.Column("pin_link_id", sa.Integer(), nullable=True))
