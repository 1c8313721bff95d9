"""The tables of the message's way: links, what came in, what goes out, and who is in the queue."""

import sqlalchemy as sa

from core.db import KEY64, Instant, metadata

LINK = sa.Table(
    "link",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("code", sa.String(32), nullable=False, unique=True),
    sa.Column("operator", sa.String(32), nullable=False, server_default=""),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("is_test", sa.Boolean, nullable=False),
    sa.Column("url", sa.String(500), nullable=False),
    sa.Column("account_sid", sa.String(34)),
    sa.Column("from_number", sa.String(32)),
    sa.Column("prefixes", sa.String(500), nullable=False),
    sa.Column("rate", sa.Integer, nullable=False),
    sa.Column("tokens", sa.Float, nullable=False),
    sa.Column("refilled_at", Instant, nullable=False),
    sa.Column("assessed_by", sa.String(100)),
    sa.Column("assessed_until", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("terminated_at", Instant),
    sa.Column("terminated_reason", sa.String(200)),
    sa.Column("profile", sa.Text),
    # Its part in its operator's replies: now, at rest, and when any of the operator's was shifted.
    sa.Column("weight", sa.SmallInteger, nullable=False, server_default="50"),
    sa.Column("resting_weight", sa.SmallInteger, nullable=False, server_default="50"),
    sa.Column("shifted_at", Instant),
    # Segments a second that may leave by it, if that is limited, and what is saved up of them.
    sa.Column("send_rate", sa.Integer),
    sa.Column("send_tokens", sa.Float, nullable=False, server_default="0"),
    sa.Column("sent_at", Instant),
)

# What attempts by links that share their load came to, until nothing is judged by it.
LINK_ATTEMPT = sa.Table(
    "link_attempt",
    metadata,
    sa.Column("link_id", sa.ForeignKey("link.id"), primary_key=True),
    sa.Column("minute", Instant, primary_key=True),
    sa.Column("tried", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
)

LINK_SECRET = sa.Table(
    "link_secret",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("link_id", sa.ForeignKey("link.id"), nullable=False, index=True),
    sa.Column("use", sa.String(16), nullable=False),
    sa.Column("key_id", sa.Integer, nullable=False),
    sa.Column("blob", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

# Who vouched for a channel, until when, and on what grounds; `link` has the one in force.
LINK_ASSESSMENT = sa.Table(
    "link_assessment",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("link_id", sa.ForeignKey("link.id"), nullable=False, index=True),
    sa.Column("assessed_by", sa.String(100), nullable=False),
    sa.Column("assessed_at", Instant, nullable=False),
    sa.Column("assessed_until", Instant, nullable=False),
    sa.Column("evidence", sa.String(500), nullable=False, server_default=""),
    sa.Column("responsible", sa.String(100), nullable=False, server_default=""),
)

# Steps of connecting an operator that no fact shows.
LINK_STEP = sa.Table(
    "link_step",
    metadata,
    sa.Column("link_id", sa.ForeignKey("link.id"), primary_key=True),
    sa.Column("step", sa.String(16), primary_key=True),
    sa.Column("ticked_by", sa.String(100), nullable=False),
    sa.Column("ticked_at", Instant, nullable=False),
    sa.Column("note", sa.String(200), nullable=False),
)

# Who asked to end a link for good, and who else agreed.
LINK_ENDING = sa.Table(
    "link_ending",
    metadata,
    sa.Column("link_id", sa.ForeignKey("link.id"), primary_key=True),
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("asked_by", sa.String(100), nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("agreed_by", sa.String(100)),
    sa.Column("agreed_at", Instant),
    sa.CheckConstraint("agreed_by <> asked_by", name="two_people"),
)

SENDER = sa.Table(
    "sender",
    metadata,
    sa.Column("id", KEY64, primary_key=True, autoincrement=False),
    sa.Column("tag", sa.LargeBinary(32), nullable=False),
    sa.Column("waiting", sa.Integer, nullable=False),
    sa.Column("waiting_since", Instant),
    sa.Column("lease_until", Instant),
    sa.Column("lease_token", sa.Uuid),
    sa.Column("history", sa.Text, nullable=False),
    sa.CheckConstraint("waiting >= 0", name="waiting_not_negative"),
)
sa.Index(
    "ix_sender_waiting",
    SENDER.c.waiting_since,
    sqlite_where=SENDER.c.waiting_since.is_not(None),
    postgresql_where=SENDER.c.waiting_since.is_not(None),
)

INBOUND_KEY = sa.Table(
    "inbound_key",
    metadata,
    sa.Column("link_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("operator_message_id", sa.String(100), primary_key=True),
    sa.Column("content_tag", sa.LargeBinary(32), nullable=False),
    sa.Column("message_id", sa.Uuid, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
)

INBOUND = sa.Table(
    "inbound",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("link_id", sa.Integer, nullable=False),
    sa.Column("operator_message_id", sa.String(100), nullable=False),
    sa.Column("sender_id", sa.BigInteger),
    sa.Column("key_id", sa.Integer, nullable=False),
    sa.Column("blob", sa.LargeBinary),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("stored_at", Instant, nullable=False),
    sa.Column("handled_at", Instant),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("command", sa.String(16)),
    sa.Column("reason", sa.String(40)),
    sa.Column("attempts", sa.SmallInteger, nullable=False),
    sa.Column("entry_id", sa.Uuid),
)
sa.Index(
    "ix_inbound_waiting",
    INBOUND.c.sender_id,
    INBOUND.c.id,
    sqlite_where=sa.text("state = 'received'"),
    postgresql_where=sa.text("state = 'received'"),
)

OUTBOUND = sa.Table(
    "outbound",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("inbound_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("link_id", sa.Integer, nullable=False),
    sa.Column("reply", sa.String(16), nullable=False),
    sa.Column("command", sa.String(16)),
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("discloses", sa.Boolean, nullable=False),
    sa.Column("is_test", sa.Boolean, nullable=False),
    sa.Column("key_id", sa.Integer, nullable=False),
    sa.Column("blob", sa.LargeBinary),
    sa.Column("encoding", sa.String(8), nullable=False),
    sa.Column("segments", sa.SmallInteger, nullable=False),
    sa.Column("entry_id", sa.Uuid),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(40)),
    sa.Column("attempt", sa.SmallInteger, nullable=False),
    sa.Column("unknowns", sa.SmallInteger, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("next_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("accepted_at", Instant),
    sa.Column("provider_id", sa.String(64)),
    # What receipts name the reply by, where that is the operator's id (sms.message_ids).
    sa.Column("provider_key", sa.String(64)),
    sa.Column("delivery", sa.String(16)),
    sa.Column("delivery_at", Instant),
    sa.Column("delivery_error", sa.String(40)),
    sa.Column("delivery_parts", sa.BigInteger),
    # Whose number it goes to, and from when on what happens to that speaks against it.
    sa.Column("number_id", sa.BigInteger),
    sa.Column("trusted_since", Instant),
    # Who served the number when the reply was made (`records.numbers.Standing`).
    sa.Column("served_by", sa.String(32)),
    # Where the PIN that opened it was asked for, if that is another link than its message's.
    sa.Column("pin_link_id", sa.Integer),
)
sa.Index(
    "ix_outbound_waiting",
    OUTBOUND.c.priority,
    OUTBOUND.c.next_at,
    sqlite_where=sa.text("state IN ('queued', 'sending')"),
    postgresql_where=sa.text("state IN ('queued', 'sending')"),
)
sa.Index(
    "ix_outbound_provider",
    OUTBOUND.c.link_id,
    OUTBOUND.c.provider_key,
    sqlite_where=OUTBOUND.c.provider_key.is_not(None),
    postgresql_where=OUTBOUND.c.provider_key.is_not(None),
)

# Receipts whose reply is not known yet by the operator's id.
EARLY_RECEIPT = sa.Table(
    "early_receipt",
    metadata,
    sa.Column("link_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("part", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(16), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("error", sa.String(40), nullable=False),
    sa.Column("kept_at", Instant, nullable=False),
)

# Who looks for messages that reached no webhook next, and up to when that was done.
LINK_POLL = sa.Table(
    "link_poll",
    metadata,
    sa.Column("link_id", sa.ForeignKey("link.id"), primary_key=True),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("seen_until", Instant),
)
