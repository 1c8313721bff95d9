"""Find the newest events of a number, by operator and kind."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_NEWEST = ["number_id", "operator", "kind", "happened_at", "event_id", "link_id"]


def upgrade() -> None:
    op.create_index("ix_number_event_newest", "number_event", _NEWEST)
    op.drop_index("ix_number_event_number_id", "number_event")
