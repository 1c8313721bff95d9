"""The tables of the console: officers, their proofs and sessions, and what they look at."""

import sqlalchemy as sa

from core.db import Instant, metadata

OFFICER = sa.Table(
    "officer",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(40), nullable=False, unique=True),
    sa.Column("full_name", sa.String(100), nullable=False),
    # Roles in the order of their names, parted by spaces.
    sa.Column("roles", sa.String(200), nullable=False),
    sa.Column("password_hash", sa.String(200)),
    # The seed of the second factor, encrypted; none until the officer has enrolled.
    sa.Column("totp_key_id", sa.Integer),
    sa.Column("totp_blob", sa.LargeBinary),
    # The last time step that was spent: none serves twice.
    sa.Column("totp_step", sa.BigInteger, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_login_at", Instant),
    sa.Column("disabled_at", Instant),
)

RECOVERY_CODE = sa.Table(
    "recovery_code",
    metadata,
    sa.Column("hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("officer_id", sa.ForeignKey("officer.id"), nullable=False, index=True),
    sa.Column("used_at", Instant),
)

# A link that lets its holder in once: to enrol, or, where all people are made up, straight in.
INVITATION = sa.Table(
    "officer_invitation",
    metadata,
    sa.Column("hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("officer_id", sa.ForeignKey("officer.id"), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("totp_key_id", sa.Integer, nullable=False),
    sa.Column("totp_blob", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
)

OFFICER_SESSION = sa.Table(
    "officer_session",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("token_hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("officer_id", sa.ForeignKey("officer.id"), nullable=False, index=True),
    sa.Column("address", sa.String(45), nullable=False),
    sa.Column("agent", sa.String(200), nullable=False),
    sa.Column("began_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("stepped_up_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("ended_why", sa.String(16)),
)

# Failures of whoever tries a name, and of whoever tries from an address.
LOGIN_THROTTLE = sa.Table(
    "login_throttle",
    metadata,
    sa.Column("key", sa.LargeBinary(32), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
    sa.Column("shut_until", Instant),
)

# How much each officer looked at, in the day or minute that began at `since`.
OFFICER_COUNT = sa.Table(
    "officer_count",
    metadata,
    sa.Column("officer_id", sa.ForeignKey("officer.id"), primary_key=True),
    sa.Column("what", sa.String(16), primary_key=True),
    sa.Column("since", Instant, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
)

# What officers ask to see of one message; why is told by the entry alone, under encryption.
REVEAL = sa.Table(
    "reveal",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("message_id", sa.Uuid, nullable=False, index=True),
    # Parts in the order of their names, parted by spaces.
    sa.Column("parts", sa.String(40), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("asked_by", sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("asked_at", Instant, nullable=False, index=True),
    sa.Column("ask_entry_id", sa.Uuid, nullable=False),
    sa.Column("decided_by", sa.ForeignKey("officer.id")),
    sa.Column("decided_at", Instant),
    sa.Column("shown_at", Instant),
    sa.CheckConstraint("decided_by <> asked_by", name="two_people"),
)
