"""Let a new log take over.

The name of the log changes with the leaf that tells the new one: the trigger on `tree_state` is
made anew.
"""

from alembic import op

from journal import triggers

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NAME = "tree_state_update"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {NAME}")
        made = triggers.sqlite()
    else:
        function = f"FUNCTION journal_{NAME}_refused()"
        made = [
            each.replace(f"CREATE {function}", f"CREATE OR REPLACE {function}")
            for each in triggers.postgresql()
            if f"CREATE {function}" in each
        ]
    for statement in made:
        if NAME in statement:
            op.execute(statement)
