"""The tables of the journal: what is written once, what may be erased, and the tree over it.

No foreign keys: the tree outlives what it covers, entries will be kept in monthly partitions, and
that the tables agree is what the verifier proves, not what a constraint claims.
"""

import sqlalchemy as sa

from core.db import Instant, metadata

# The biggest leaf an entry bundle can hold is counted in 16 bits (C2SP tlog-tiles).
LEAF_BYTES = 65_535

# SQLite keeps a table in the order of its key, with no index beside it, for INTEGER keys only.
_Counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")

JOURNAL_ENTRY = sa.Table(
    "journal_entry",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    # Twelve symbols of the receipt: by them whoever holds it, or its code, finds the entry again.
    sa.Column("receipt", sa.BigInteger),
    sa.CheckConstraint(f"length(leaf) <= {LEAF_BYTES}", name="leaf_fits_a_bundle"),
)
sa.Index("ix_journal_entry_receipt", JOURNAL_ENTRY.c.receipt)

# The acts among the lookups, for whoever reviews officers.
sa.Index(
    "ix_journal_entry_acts",
    JOURNAL_ENTRY.c.id,
    sqlite_where=sa.text("kind <> 'lookup'"),
    postgresql_where=sa.text("kind <> 'lookup'"),
)

# The few entries that announce keys are read at each start.
sa.Index(
    "ix_journal_entry_keys",
    JOURNAL_ENTRY.c.id,
    sqlite_where=JOURNAL_ENTRY.c.kind == "key",
    postgresql_where=JOURNAL_ENTRY.c.kind == "key",
)

# The only table of the journal that may be erased.
JOURNAL_OPEN = sa.Table(
    "journal_open",
    metadata,
    sa.Column("entry_id", sa.Uuid, primary_key=True),
    sa.Column("identity_key_id", sa.Integer),
    sa.Column("enc_identity", sa.LargeBinary),
    sa.Column("act_key_id", sa.Integer),
    sa.Column("enc_act", sa.LargeBinary),
    sa.Column("subject_index", sa.BigInteger),
    sa.Column("actor_index", sa.BigInteger),
    sa.Column("embargo_until", Instant),
    # What the citizen it is about is told of it as, if at all: an access, or an attempt.
    sa.Column("told_as", sa.String(8)),
)
# What an erased identity leaves behind is found by nobody.
sa.Index(
    "ix_journal_open_subject_index",
    JOURNAL_OPEN.c.subject_index,
    sqlite_where=JOURNAL_OPEN.c.subject_index.is_not(None),
    postgresql_where=JOURNAL_OPEN.c.subject_index.is_not(None),
)

# PostgreSQL only: which entries wait for the sealer. Presence, not a cursor: a transaction that
# commits late is found late, never skipped.
JOURNAL_PENDING = sa.Table(
    "journal_pending",
    metadata,
    sa.Column("entry_id", sa.Uuid, primary_key=True),
)

JOURNAL_LEAF = sa.Table(
    "journal_leaf",
    metadata,
    sa.Column("seq", _Counter, primary_key=True, autoincrement=False),
    sa.Column("entry_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
)

JOURNAL_TILE = sa.Table(
    "journal_tile",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)

TREE_STATE = sa.Table(
    "tree_state",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("origin", sa.String(255), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("id = 1", name="one_row"),
)

# The latest, the last of each minute, and every one that others cosigned or time-stamped.
JOURNAL_CHECKPOINT = sa.Table(
    "journal_checkpoint",
    metadata,
    sa.Column("size", _Counter, primary_key=True, autoincrement=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("signed_at", Instant, nullable=False),
    sa.Column("cosignatures", sa.Text),
    sa.Column("timestamp_token", sa.LargeBinary),
)

# The rule about witnesses looks for the newest of these each second.
sa.Index(
    "ix_journal_checkpoint_cosigned",
    JOURNAL_CHECKPOINT.c.size,
    sqlite_where=JOURNAL_CHECKPOINT.c.cosignatures.is_not(None),
    postgresql_where=JOURNAL_CHECKPOINT.c.cosignatures.is_not(None),
)

# What came of asking each witness the last time, for whoever looks; no rule rests on it.
JOURNAL_WITNESS = sa.Table(
    "journal_witness",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("cosigned_at", Instant),
    sa.Column("refusal", sa.String(32)),
)

# The few entries that say what is gone are read by every verification.
sa.Index(
    "ix_journal_entry_erasures",
    JOURNAL_ENTRY.c.id,
    sqlite_where=JOURNAL_ENTRY.c.kind == "erase",
    postgresql_where=JOURNAL_ENTRY.c.kind == "erase",
)

# Orders to erase before the time: what by the numbers of leaves or by months, never by whom.
JOURNAL_ERASURE = sa.Table(
    "journal_erasure",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("part", sa.String(8), nullable=False),
    # Let go of when the order is done: the entries that cover it tell the same.
    sa.Column("leaves", sa.Text),
    sa.Column("first_month", sa.Integer),
    sa.Column("last_month", sa.Integer),
    sa.Column("retention", sa.String(8)),
    sa.Column("counts", sa.Text, nullable=False),
    # What the approvers approve: SHA-256 over all that the plan says.
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("why_key_id", sa.Integer, nullable=False),
    sa.Column("enc_why", sa.LargeBinary, nullable=False),
    sa.Column("planned_by", sa.String(100), nullable=False),
    sa.Column("planned_at", Instant, nullable=False),
    sa.Column("first_by", sa.String(100)),
    sa.Column("first_entry", sa.Uuid),
    sa.Column("second_by", sa.String(100)),
    sa.Column("second_entry", sa.Uuid),
    sa.Column("ended_by", sa.String(100)),
    sa.Column("ended_at", Instant),
    sa.Column("is_done", sa.Boolean, nullable=False),
    sa.CheckConstraint(
        "first_by <> planned_by AND second_by <> planned_by AND second_by <> first_by",
        name="three_people",
    ),
)

# Openings that neither expiry nor an order may touch while the hold is not lifted.
LEGAL_HOLD = sa.Table(
    "legal_hold",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("subject_index", sa.BigInteger),
    sa.Column("actor_index", sa.BigInteger),
    sa.Column("first_month", sa.Integer),
    sa.Column("last_month", sa.Integer),
    sa.Column("retention", sa.String(8)),
    # Names the row where its reason is encrypted.
    sa.Column("tag", sa.LargeBinary, nullable=False),
    sa.Column("why_key_id", sa.Integer, nullable=False),
    sa.Column("enc_why", sa.LargeBinary, nullable=False),
    sa.Column("added_by", sa.String(100), nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.Column("lifted_by", sa.String(100)),
    sa.Column("lifted_at", Instant),
    sa.CheckConstraint(
        "subject_index IS NOT NULL OR actor_index IS NOT NULL "
        "OR (first_month IS NOT NULL AND last_month IS NOT NULL)",
        name="holds_something",
    ),
)

# What the service's own verifications came to, for whoever watches; a head it goes on from is
# believed only because what the log signed since continues it.
JOURNAL_VERIFICATION = sa.Table(
    "journal_verification",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("extent", sa.String(8), nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("began_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("findings", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger),
    sa.Column("root", sa.LargeBinary),
    # Who asked for it, unless the service did; and while it runs how far it was, when last told.
    sa.Column("asked_by", sa.String(100)),
    sa.Column("done", sa.BigInteger),
    sa.Column("total", sa.BigInteger),
    sa.Column("told_at", Instant),
    sa.Column("finding", sa.String(400)),
)
# One waits at a time, however many ask.
sa.Index(
    "uq_journal_verification_asked",
    JOURNAL_VERIFICATION.c.state,
    unique=True,
    sqlite_where=sa.text("state = 'asked'"),
    postgresql_where=sa.text("state = 'asked'"),
)
