"""The tables of records: citizens, and how far each import of people has come."""

import sqlalchemy as sa

from core.db import Instant, metadata

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
