"""Share an operator's replies among its links, and know who serves a number."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# The newest porting that counts. After another operator's porting to nobody says where, the one
# that ported it on did not know where it was: then nobody serves it.
_SERVED_BY = """
UPDATE number SET served_by = (
    SELECT CASE WHEN EXISTS (
        SELECT 1 FROM number_event p
        WHERE p.number_id = number.id AND p.kind = 'ported' AND p.operator <> e.operator
        AND p.happened_at <= number.ported_at
        AND (p.ported_to IS NULL OR p.ported_to NOT IN (SELECT operator FROM link))
    ) THEN '' ELSE coalesce(e.ported_to, '') END
    FROM number_event e
    WHERE e.number_id = number.id AND e.kind = 'ported' AND e.happened_at = number.ported_at
    ORDER BY e.operator DESC, e.event_id DESC LIMIT 1
)
WHERE ported_at IS NOT NULL
"""
# It was given up since as whoever it was ported to says; or anybody, if that is when it last
# changed hands, which only what counted says.
_GIVEN_UP = """
UPDATE number SET served_by = NULL
WHERE ported_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM number_event e
    WHERE e.number_id = number.id AND e.kind = 'released' AND e.happened_at > number.ported_at
    AND (e.operator = number.served_by OR e.happened_at = number.left_at AND NOT EXISTS (
        SELECT 1 FROM number_event r
        WHERE r.number_id = number.id AND r.kind = 'reassigned' AND r.happened_at = number.left_at
    ))
)
"""


def upgrade() -> None:
    for name in ("weight", "resting_weight"):
        op.add_column(
            "link", sa.Column(name, sa.SmallInteger(), nullable=False, server_default="50")
        )
    op.add_column("link", sa.Column("shifted_at", sa.BigInteger(), nullable=True))
    op.add_column("link", sa.Column("send_rate", sa.Integer(), nullable=True))
    op.add_column("link", sa.Column("send_tokens", sa.Float(), nullable=False, server_default="0"))
    op.add_column("link", sa.Column("sent_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "link_attempt",
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("tried", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_link_attempt_link_id")),
        sa.PrimaryKeyConstraint("link_id", "minute", name=op.f("pk_link_attempt")),
    )
    op.add_column("outbound", sa.Column("served_by", sa.String(length=32), nullable=True))
    op.add_column("number", sa.Column("served_by", sa.String(length=32), nullable=True))
    op.execute(_SERVED_BY)
    op.execute(_GIVEN_UP)
    # The last bit of a priority tells what was tried before; replies that wait have none yet.
    op.execute("UPDATE outbound SET priority = 2 * priority WHERE state IN ('queued', 'sending')")
