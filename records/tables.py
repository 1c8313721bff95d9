"""The tables of records: citizens, how far each import of people has come, and their numbers."""

import sqlalchemy as sa

from core.db import KEY64, Instant, metadata

# SQLite keeps a row under its key only if the key's type is spelt INTEGER; it holds 64 bits there.
_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")

CITIZEN = sa.Table(
    "citizen",
    metadata,
    # The first eight bytes of the blind index; `tag` is the whole of it and is what is compared.
    sa.Column("id", _KEY, primary_key=True, autoincrement=False),
    sa.Column("tag", sa.LargeBinary, nullable=False),
    sa.Column("phone_index", sa.BigInteger, index=True),
    sa.Column("key_id", sa.Integer, nullable=False),
    sa.Column("blob", sa.LargeBinary, nullable=False),
    # Keyed digest of the content, so that an import sees what changed without opening the blob.
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("is_test", sa.Boolean, nullable=False),
)

PEOPLE_IMPORT = sa.Table(
    "people_import",
    metadata,
    # SHA-256 of the file: another run of the same bytes is the same import.
    sa.Column("file_digest", sa.String(64), primary_key=True),
    sa.Column("is_test", sa.Boolean, primary_key=True),
    # Every line up to and including this one is in the register or refused for good.
    sa.Column("last_line", sa.BigInteger, nullable=False),
    sa.Column("added", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("unchanged", sa.BigInteger, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.CheckConstraint("last_line >= 0", name="last_line_not_negative"),
)

NUMBER = sa.Table(
    "number",
    metadata,
    # The first eight bytes of the number's blind index, as a sender's.
    sa.Column("id", KEY64, primary_key=True, autoincrement=False),
    sa.Column("sim_changed_at", Instant),
    sa.Column("ported_at", Instant),
    sa.Column("left_at", Instant),
    sa.Column("barred_at", Instant),
    sa.Column("barred_until", Instant),
    sa.Column("served_by", sa.String(32)),
)

NUMBER_EVENT = sa.Table(
    "number_event",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("link_id", sa.Integer, nullable=False),
    sa.Column("operator", sa.String(32), nullable=False),
    sa.Column("event_id", sa.String(100), nullable=False),
    sa.Column("content_tag", sa.LargeBinary(32), nullable=False),
    sa.Column("number_id", sa.BigInteger, nullable=False),
    sa.Column("tag", sa.LargeBinary(32), nullable=False),
    sa.Column("key_id", sa.Integer, nullable=False),
    sa.Column("blob", sa.LargeBinary, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("happened_at", Instant, nullable=False),
    sa.Column("ported_to", sa.String(32)),
    sa.Column("until", Instant),
    sa.UniqueConstraint("link_id", "event_id", name="uq_number_event_link_id"),
)
sa.Index(
    "ix_number_event_newest",
    *(
        NUMBER_EVENT.c[name]
        for name in ("number_id", "operator", "kind", "happened_at", "event_id", "link_id")
    ),
)
