"""Keep what others vouched for.

Cosignatures of a checkpoint may be added and renewed, and neither they nor a time-stamp are taken
away: the trigger on `journal_checkpoint` is made anew.
"""

from alembic import op

from journal import triggers

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NAME = "journal_checkpoint_update"


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
