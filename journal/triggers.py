"""Triggers that let the journal's tables grow and nothing else: a hindrance, not the proof.

Whoever administers the database can drop them; what they change is found by the verifier. They
stop mistakes, and make tampering a deliberate act.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import dialect_of

# What each table still allows: (table, event, the condition under which it is refused).
_RULES = (
    ("journal_entry", "UPDATE", "1 = 1"),
    ("journal_entry", "DELETE", "1 = 1"),
    ("journal_leaf", "UPDATE", "1 = 1"),
    ("journal_leaf", "DELETE", "1 = 1"),
    (
        "journal_tile",
        "UPDATE",
        (
            "NEW.level <> OLD.level OR NEW.n <> OLD.n "
            "OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes"
        ),
    ),
    ("journal_tile", "DELETE", "1 = 1"),
    # A log begun anew comes with the leaf that tells its name, which is one level below.
    (
        "tree_state",
        "UPDATE",
        ("NEW.size <= OLD.size OR (NEW.origin <> OLD.origin AND NEW.origin NOT LIKE 'tradan/%/%')"),
    ),
    ("tree_state", "DELETE", "1 = 1"),
    # A witness may add its word to a checkpoint, or put a newer one in the place of its own, which
    # is as long; a time-stamp authority may add a token. Its text stands, and so does their word.
    (
        "journal_checkpoint",
        "UPDATE",
        (
            "NEW.size <> OLD.size OR NEW.note <> OLD.note OR NEW.signed_at <> OLD.signed_at "
            "OR (OLD.cosignatures IS NOT NULL AND "
            "coalesce(length(NEW.cosignatures), 0) < length(OLD.cosignatures)) "
            "OR (OLD.timestamp_token IS NOT NULL AND "
            "(NEW.timestamp_token IS NULL OR NEW.timestamp_token <> OLD.timestamp_token))"
        ),
    ),
    # Between the last of one minute and the last of the next (`signed_at` counts microseconds),
    # checkpoints may go.
    (
        "journal_checkpoint",
        "DELETE",
        (
            "OLD.cosignatures IS NOT NULL OR OLD.timestamp_token IS NOT NULL "
            "OR NOT EXISTS (SELECT 1 FROM journal_checkpoint AS later WHERE later.size > OLD.size "
            "AND later.signed_at / 60000000 = OLD.signed_at / 60000000)"
        ),
    ),
)

_FUNCTION = """
CREATE FUNCTION journal_{table}_{event}_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {condition} THEN
        RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN {row};
END
$$
"""


def sqlite() -> list[str]:
    """Return the statements that make the triggers on SQLite."""
    return [
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table, event, condition in _RULES
    ]


def postgresql() -> list[str]:
    """Return the statements that make the triggers on PostgreSQL."""
    statements = []
    for table, event, condition in _RULES:
        name = f"{table}_{event.lower()}"
        row = "NEW" if event == "UPDATE" else "OLD"
        statements += [
            _FUNCTION.format(table=table, event=event.lower(), condition=condition, row=row),
            (
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION journal_{name}_refused()"
            ),
        ]
    for table in dict.fromkeys(table for table, _, _ in _RULES):
        statements += [
            (
                f"CREATE FUNCTION journal_{table}_truncate_refused() RETURNS trigger "
                "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
                f"'{table} is append-only' USING ERRCODE = 'restrict_violation'; END $$"
            ),
            (
                f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION journal_{table}_truncate_refused()"
            ),
        ]
    return statements


def missing(session: Session) -> list[str]:
    """Name the triggers that are not there, are switched off, or do something else."""
    if dialect_of(session) == "sqlite":
        found = set(session.execute(sa.text(_ON_SQLITE)).scalars())
        return [_name(statement) for statement in sqlite() if statement not in found]
    rows = session.execute(sa.text(_ON_POSTGRESQL))
    bodies = {row.tgname: row.prosrc for row in rows}
    statements = postgresql()
    made = zip(statements[::2], statements[1::2], strict=True)
    return [
        _name(trigger)
        for function, trigger in made
        if bodies.get(_name(trigger)) != function.split("$$")[1]
    ]


def _name(statement: str) -> str:
    return statement.split()[2]


_ON_SQLITE = "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
# Switched on, and not for replicas alone.
_ON_POSTGRESQL = """
SELECT t.tgname, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgrelid::regclass::text IN (
    'journal_entry', 'journal_leaf', 'journal_tile', 'tree_state', 'journal_checkpoint'
)
"""
