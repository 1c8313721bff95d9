"""Triggers that keep closed statements as they were signed: a hindrance, not the proof.

The proof is the digest, which the journal's entry of the signature holds.
"""

from collections.abc import Sequence

_CLOSED = "('signed', 'settled')"
_OF_CLOSED = (
    "EXISTS (SELECT 1 FROM statement WHERE id = {row}.statement_id "
    "AND state IN ('signed', 'settled'))"
)
_SIGNED = (
    "operator", "period", "digest", "net_hundredths", "opened_by", "opened_at", "sent_by",
    "sent_at", "file_digest", "difference_hundredths", "reconciled_by", "reconciled_at", "agreed",
    "closed_by", "closed_at",
)  # fmt: skip
_SETTLED = ("state", "reference", "settled_by", "settled_at")


def _changed(columns: Sequence[str]) -> str:
    return " OR ".join(
        f"(NEW.{name} IS NULL) <> (OLD.{name} IS NULL) OR NEW.{name} <> OLD.{name}"
        for name in columns
    )


# (table, event, the condition under which it is refused)
_RULES = (
    ("statement_line", "INSERT", _OF_CLOSED.format(row="NEW")),
    (
        "statement_line",
        "UPDATE",
        f"{_OF_CLOSED.format(row='OLD')} OR {_OF_CLOSED.format(row='NEW')}",
    ),
    ("statement_line", "DELETE", _OF_CLOSED.format(row="OLD")),
    (
        "statement",
        "UPDATE",
        (
            f"OLD.state IN {_CLOSED} AND ({_changed(_SIGNED)} OR NEW.state NOT IN {_CLOSED}) "
            f"OR OLD.state = 'settled' AND ({_changed(_SETTLED)})"
        ),
    ),
    ("statement", "DELETE", f"OLD.state IN {_CLOSED}"),
)

_FUNCTION = """
CREATE FUNCTION billing_{name}_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {condition} THEN
        RAISE EXCEPTION 'a closed statement does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN {row};
END
$$
"""


def sqlite() -> list[str]:
    """Return the statements that make the triggers on SQLite."""
    return [
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} WHEN {condition} "
        "BEGIN SELECT RAISE(ABORT, 'a closed statement does not change'); END"
        for table, event, condition in _RULES
    ]


def postgresql() -> list[str]:
    """Return the statements that make the triggers on PostgreSQL."""
    statements = []
    for table, event, condition in _RULES:
        name = f"{table}_{event.lower()}"
        row = "OLD" if event == "DELETE" else "NEW"
        statements += [
            _FUNCTION.format(name=name, condition=condition, row=row),
            (
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION billing_{name}_refused()"
            ),
        ]
    # What empties a table whole asks no trigger of its rows.
    for table in dict.fromkeys(table for table, _, _ in _RULES):
        name = f"{table}_truncate"
        statements += [
            _FUNCTION.format(name=name, condition="true", row="NULL"),
            (
                f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION billing_{name}_refused()"
            ),
        ]
    return statements


def dropped(dialect: str) -> list[str]:
    """Return the statements that take away whatever triggers there are."""
    names = [(table, f"{table}_{event.lower()}") for table, event, _ in _RULES]
    if dialect == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for _, name in names]
    names += [(table, f"{table}_truncate") for table in dict.fromkeys(table for table, _ in names)]
    return [
        statement
        for table, name in names
        for statement in (
            f"DROP TRIGGER IF EXISTS {name} ON {table}",
            f"DROP FUNCTION IF EXISTS billing_{name}_refused()",
        )
    ]
