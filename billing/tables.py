"""The tables of billing: one narrow row per message carried, dated prices, and statements."""

import sqlalchemy as sa

from core.db import Instant, metadata

_DIRECTION = sa.String(2)  # "mo" or "mt"
_OPERATOR = sa.String(32)
_SHORT_CODE = sa.String(32)
_PERIOD = sa.String(7)  # "2026-10"; text sorts as months do
_WHO = sa.String(100)
_DIGEST = sa.String(64)
# SQLite counts up INTEGER keys alone.
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

USAGE = sa.Table(
    "usage",
    metadata,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("message_id", sa.Uuid, nullable=False),
    sa.Column("link_id", sa.Integer, nullable=False),
    sa.Column("direction", _DIRECTION, nullable=False),
    sa.Column("operator_message_id", sa.String(100)),
    # The number of ours that the citizen texted to.
    sa.Column("short_code", _SHORT_CODE, nullable=False, server_default=""),
    sa.Column("segments", sa.Integer, nullable=False),
    sa.Column("encoding", sa.String(8), nullable=False),
    sa.Column("at", Instant, nullable=False),
    # The calendar day in Viet Nam, which statements are counted by: of a reply, that of the message
    # it answers. ISO text sorts as dates do.
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reply_class", sa.String(16)),
    sa.Column("is_test", sa.Boolean, nullable=False),
    sa.UniqueConstraint("message_id", "direction"),
    sa.CheckConstraint("direction IN ('mo', 'mt')", name="direction_known"),
    sa.CheckConstraint("segments > 0", name="segments_positive"),
    sa.Index(None, "link_id", "day"),
)

# What a part costs, from a day on; `*` is any short code. No end: until another begins.
TARIFF = sa.Table(
    "tariff",
    metadata,
    sa.Column("operator", _OPERATOR, primary_key=True),
    sa.Column("short_code", _SHORT_CODE, primary_key=True),
    sa.Column("direction", _DIRECTION, primary_key=True),
    sa.Column("encoding", sa.String(8), primary_key=True),
    sa.Column("valid_from", sa.Date, primary_key=True),
    sa.Column("valid_to", sa.Date),
    sa.Column("price_hundredths", sa.BigInteger, nullable=False),
    sa.Column("vat_bp", sa.Integer, nullable=False),
    sa.Column("share_bp", sa.Integer, nullable=False),
    sa.CheckConstraint("direction IN ('mo', 'mt')", name="direction_known"),
    sa.CheckConstraint("encoding IN ('gsm7', 'ucs2', 'any')", name="encoding_known"),
    sa.CheckConstraint("valid_to >= valid_from", name="ends_after_it_begins"),
    sa.CheckConstraint("price_hundredths >= 0", name="price_not_negative"),
    sa.CheckConstraint("vat_bp BETWEEN 0 AND 10000", name="vat_in_range"),
    sa.CheckConstraint("share_bp BETWEEN 0 AND 10000", name="share_in_range"),
)

# What an operator and we agree on for a month. Who makes it is not who checks it.
STATEMENT = sa.Table(
    "statement",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("operator", _OPERATOR, nullable=False),
    sa.Column("period", _PERIOD, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    # SHA-256 of the canonical text of its lines.
    sa.Column("digest", _DIGEST, nullable=False),
    sa.Column("net_hundredths", sa.BigInteger, nullable=False),
    sa.Column("opened_by", _WHO, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("sent_by", _WHO),
    sa.Column("sent_at", Instant),
    # The digest of the operator's file that it was compared with.
    sa.Column("file_digest", _DIGEST),
    sa.Column("difference_hundredths", sa.BigInteger),
    sa.Column("reconciled_by", _WHO),
    sa.Column("reconciled_at", Instant),
    sa.Column("agreed", sa.String(200)),
    sa.Column("closed_by", _WHO),
    sa.Column("closed_at", Instant),
    sa.Column("reference", sa.String(100)),
    sa.Column("settled_by", _WHO),
    sa.Column("settled_at", Instant),
    sa.Column("forgotten_at", Instant),
    sa.UniqueConstraint("operator", "period"),
    sa.CheckConstraint(
        "state IN ('draft', 'sent', 'matched', 'different', 'signed', 'settled')",
        name="state_known",
    ),
    sa.CheckConstraint(
        "closed_by <> opened_by AND closed_by <> sent_by", name="checked_by_another"
    ),
    sa.CheckConstraint(
        "settled_by <> opened_by AND settled_by <> sent_by", name="settled_by_another"
    ),
)

STATEMENT_LINE = sa.Table(
    "statement_line",
    metadata,
    sa.Column("statement_id", sa.ForeignKey("statement.id"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("section", sa.String(16), nullable=False),
    # The period that a correction is of; empty on every other line.
    sa.Column("corrects", _PERIOD, nullable=False),
    sa.Column("short_code", _SHORT_CODE, nullable=False),
    sa.Column("direction", _DIRECTION, nullable=False),
    sa.Column("encoding", sa.String(8), nullable=False),
    sa.Column("rating", sa.String(16), nullable=False),
    sa.Column("valid_from", sa.String(10), nullable=False),
    sa.Column("price_hundredths", sa.BigInteger, nullable=False),
    sa.Column("vat_bp", sa.Integer, nullable=False),
    sa.Column("share_bp", sa.Integer, nullable=False),
    sa.Column("messages", sa.BigInteger, nullable=False),
    sa.Column("parts", sa.BigInteger, nullable=False),
    sa.Column("amount_hundredths", sa.BigInteger, nullable=False),
    sa.Column("vat_hundredths", sa.BigInteger, nullable=False),
    sa.Column("share_hundredths", sa.BigInteger, nullable=False),
)
