"""Keep what was counted: usage is added to, and goes when its month is forgotten."""

from alembic import op

from billing import triggers

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in triggers.of_usage(op.get_bind().dialect.name):
        op.execute(statement)
