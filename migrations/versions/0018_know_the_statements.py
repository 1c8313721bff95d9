"""Know the statements; let prices be an operator's, with VAT and our share.

Autogenerate sees no triggers: whoever changes them writes a revision that makes them anew.
"""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from billing import triggers

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("net_hundredths", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.String(length=100), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_by", sa.String(length=100), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("file_digest", sa.String(length=64), nullable=True),
        sa.Column("difference_hundredths", sa.BigInteger(), nullable=True),
        sa.Column("reconciled_by", sa.String(length=100), nullable=True),
        sa.Column("reconciled_at", sa.BigInteger(), nullable=True),
        sa.Column("agreed", sa.String(length=200), nullable=True),
        sa.Column("closed_by", sa.String(length=100), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.String(length=100), nullable=True),
        sa.Column("settled_by", sa.String(length=100), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("forgotten_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'sent', 'matched', 'different', 'signed', 'settled')",
            name=op.f("ck_statement_state_known"),
        ),
        sa.CheckConstraint(
            "closed_by <> opened_by AND closed_by <> sent_by",
            name=op.f("ck_statement_checked_by_another"),
        ),
        sa.CheckConstraint(
            "settled_by <> opened_by AND settled_by <> sent_by",
            name=op.f("ck_statement_settled_by_another"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("operator", "period", name=op.f("uq_statement_operator_period")),
    )
    op.create_table(
        "statement_line",
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("corrects", sa.String(length=7), nullable=False),
        sa.Column("short_code", sa.String(length=32), nullable=False),
        sa.Column("direction", sa.String(length=2), nullable=False),
        sa.Column("encoding", sa.String(length=8), nullable=False),
        sa.Column("rating", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.String(length=10), nullable=False),
        sa.Column("price_hundredths", sa.BigInteger(), nullable=False),
        sa.Column("vat_bp", sa.Integer(), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("amount_hundredths", sa.BigInteger(), nullable=False),
        sa.Column("vat_hundredths", sa.BigInteger(), nullable=False),
        sa.Column("share_hundredths", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statement.id"], name=op.f("fk_statement_line_statement_id")
        ),
        sa.PrimaryKeyConstraint("statement_id", "place", name=op.f("pk_statement_line")),
    )
    op.add_column(
        "usage", sa.Column("short_code", sa.String(length=32), server_default="", nullable=False)
    )
    prices = _prices()
    op.drop_table("tariff")
    _make_tariff()
    if prices:
        op.bulk_insert(_NEW, prices)
    for statement in triggers.of_statements(op.get_bind().dialect.name):
        op.execute(statement)


def _make_tariff() -> None:
    op.create_table(
        "tariff",
        sa.Column("operator", sa.String(length=32), nullable=False),
        sa.Column("short_code", sa.String(length=32), nullable=False),
        sa.Column("direction", sa.String(length=2), nullable=False),
        sa.Column("encoding", sa.String(length=8), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("price_hundredths", sa.BigInteger(), nullable=False),
        sa.Column("vat_bp", sa.Integer(), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=False),
        sa.CheckConstraint("direction IN ('mo', 'mt')", name=op.f("ck_tariff_direction_known")),
        sa.CheckConstraint(
            "encoding IN ('gsm7', 'ucs2', 'any')", name=op.f("ck_tariff_encoding_known")
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_tariff_ends_after_it_begins")),
        sa.CheckConstraint("price_hundredths >= 0", name=op.f("ck_tariff_price_not_negative")),
        sa.CheckConstraint("vat_bp BETWEEN 0 AND 10000", name=op.f("ck_tariff_vat_in_range")),
        sa.CheckConstraint("share_bp BETWEEN 0 AND 10000", name=op.f("ck_tariff_share_in_range")),
        sa.PrimaryKeyConstraint(
            "operator", "short_code", "direction", "encoding", "valid_from", name=op.f("pk_tariff")
        ),
    )


def _prices() -> list[dict[str, object]]:
    """Turn the prices of links into those of their operators, each until the next begins.

    Two links of one operator may have had two prices from the same day: the dearer is kept, as a
    citizen was told no less.
    """
    old = sa.table(
        "tariff",
        sa.column("link_id", sa.Integer),
        sa.column("direction", sa.String),
        sa.column("valid_from", sa.Date),
        sa.column("price_hundredths", sa.BigInteger),
    )
    link = sa.table("link", sa.column("id", sa.Integer), sa.column("operator", sa.String),
                    sa.column("code", sa.String))  # fmt: skip
    operator = sa.case((link.c.operator == "", link.c.code), else_=link.c.operator)
    found = op.get_bind().execute(
        sa.select(operator, old.c.direction, old.c.valid_from, sa.func.max(old.c.price_hundredths))
        .join(link, link.c.id == old.c.link_id)
        .group_by(operator, old.c.direction, old.c.valid_from)
        .order_by(operator, old.c.direction, old.c.valid_from)
    )
    prices: list[dict[str, object]] = []
    for whose, direction, valid_from, price in found.all():
        if prices and (prices[-1]["operator"], prices[-1]["direction"]) == (whose, direction):
            prices[-1]["valid_to"] = valid_from - timedelta(days=1)
        prices.append(
            {
                "operator": whose,
                "short_code": "*",
                "direction": direction,
                "encoding": "any",
                "valid_from": valid_from,
                "valid_to": None,
                "price_hundredths": price,
                "vat_bp": 0,
                "share_bp": 0,
            }
        )
    return prices


_NEW = sa.table(
    "tariff",
    sa.column("operator", sa.String),
    sa.column("short_code", sa.String),
    sa.column("direction", sa.String),
    sa.column("encoding", sa.String),
    sa.column("valid_from", sa.Date),
    sa.column("valid_to", sa.Date),
    sa.column("price_hundredths", sa.BigInteger),
    sa.column("vat_bp", sa.Integer),
    sa.column("share_bp", sa.Integer),
)
