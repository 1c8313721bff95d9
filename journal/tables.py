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
    sa.CheckConstraint(f"length(leaf) <= {LEAF_BYTES}", name="leaf_fits_a_bundle"),
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
