"""Triggers that keep closed statements as they were signed: a hindrance, not the proof.

The proof is the digest, which the journal's entry of the signature holds.
"""

_CLOSED = "('signed', 'settled')"
_OF_CLOSED = (
    "EXISTS (SELECT 1 FROM statement WHERE id = {row}.statement_id "
    "AND state IN ('signed', 'settled'))"
)
_SIGNED = (
    "operator", "period", "digest", "net_hundredths", "opened_by", "opened_at", "sent_by",
    "sent_at", "closed_by", "closed_at",
)  # fmt: skip
_CHANGED = " OR ".join(f"NEW.{name} IS NULL OR NEW.{name} <> OLD.{name}" for name in _SIGNED)

# (table, event, the condition under which it is refused)
_RULES = (
    ("statement_line", "INSERT", _OF_CLOSED.format(row="NEW")),
    ("statement_line", "UPDATE", _OF_CLOSED.format(row="OLD")),
    ("statement_line", "DELETE", _OF_CLOSED.format(row="OLD")),
    (
        "statement",
        "UPDATE",
        (
            f"OLD.state IN {_CLOSED} AND ({_CHANGED} OR NEW.state NOT IN {_CLOSED} "
            "OR (OLD.state = 'settled' AND NEW.state <> 'settled'))"
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
    return statements
