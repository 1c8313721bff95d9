"""Say who answers for a channel."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "link_assessment",
        sa.Column("responsible", sa.String(length=100), server_default="", nullable=False),
    )
    op.execute("UPDATE link_assessment SET responsible = assessed_by")
