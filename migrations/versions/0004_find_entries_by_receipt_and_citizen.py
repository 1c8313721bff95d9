"""Find entries by receipt and by citizen.

The receipts of the entries that are there already are filled in. What a citizen is told of them as
cannot be: it stands in openings that are encrypted. An extract reads those; NK begins with new
entries.
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CHUNK = 1000
# The journal's own rule, which is put aside while the receipts are filled in (revision 0002).
_REFUSE_UPDATE = (
    "CREATE TRIGGER journal_entry_update BEFORE UPDATE ON journal_entry WHEN 1 = 1 "
    "BEGIN SELECT RAISE(ABORT, 'journal_entry is append-only'); END"
)


def upgrade() -> None:
    op.add_column("journal_entry", sa.Column("receipt", sa.BigInteger(), nullable=True))
    op.add_column("journal_open", sa.Column("told_as", sa.String(length=8), nullable=True))
    _fill_receipts(op.get_bind())
    op.create_index("ix_journal_entry_receipt", "journal_entry", ["receipt"], unique=False)
    op.create_index(
        "ix_journal_open_subject_index",
        "journal_open",
        ["subject_index"],
        unique=False,
        sqlite_where=sa.text("subject_index IS NOT NULL"),
        postgresql_where=sa.text("subject_index IS NOT NULL"),
    )


def _fill_receipts(connection: sa.Connection) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    op.execute(
        "DROP TRIGGER journal_entry_update"
        if is_sqlite
        else "ALTER TABLE journal_entry DISABLE TRIGGER journal_entry_update"
    )
    entry = sa.table("journal_entry", sa.column("id"), sa.column("leaf_hash"), sa.column("receipt"))
    fill = (
        sa.update(entry)
        .where(entry.c.id == sa.bindparam("which"))
        .values(receipt=sa.bindparam("number"))
    )
    pages = sa.select(entry.c.id, entry.c.leaf_hash).order_by(entry.c.id).limit(_CHUNK)
    rows = connection.execute(pages).all()
    while rows:
        connection.execute(
            fill, [{"which": row.id, "number": _number_of(row.leaf_hash)} for row in rows]
        )
        rows = connection.execute(pages.where(entry.c.id > rows[-1].id)).all()
    op.execute(
        _REFUSE_UPDATE
        if is_sqlite
        else "ALTER TABLE journal_entry ENABLE TRIGGER journal_entry_update"
    )


def _number_of(leaf_hash: bytes) -> int:
    """Do what `journal.receipts.number_of` did when this was written."""
    digest = hashlib.sha256(b"receipt/1\n" + leaf_hash).digest()
    return int.from_bytes(digest[:8], "big") >> 4
