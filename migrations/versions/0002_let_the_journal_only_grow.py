"""Let the journal only grow.

Autogenerate sees no triggers: whoever changes them writes a revision that makes them anew.
"""

from alembic import op

from journal import triggers

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = {"sqlite": triggers.sqlite, "postgresql": triggers.postgresql}


def upgrade() -> None:
    for statement in STATEMENTS[op.get_bind().dialect.name]():
        op.execute(statement)
