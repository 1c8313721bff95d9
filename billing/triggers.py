"""Triggers that keep usage as counted and closed statements as signed: a hindrance, no proof.

The proof of a statement is its digest, which the journal's entry of the signature holds; that of
usage, that messages and the journal tell the same.
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


_Rules = Sequence[tuple[str, str, str]]

# Table, event, and the condition under which it is refused.
_OF_STATEMENTS: _Rules = (
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
# Usage of a month goes once a settled statement of that month says that it does.
_OF_USAGE: _Rules = (
    ("usage", "UPDATE", "true"),
    (
        "usage",
        "DELETE",
        (
            "NOT EXISTS (SELECT 1 FROM statement WHERE forgotten_at IS NOT NULL "
            "AND period = substr(OLD.day, 1, 7))"
        ),
    ),
)

_FUNCTION = """
CREATE FUNCTION billing_{name}_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {condition} THEN
        RAISE EXCEPTION 'what was {what} does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN {row};
END
$$
"""


def of_statements(dialect: str) -> list[str]:
    """Return the statements that make the triggers on statements and their lines."""
    return _made(dialect, _OF_STATEMENTS, "signed")


def of_usage(dialect: str) -> list[str]:
    """Return the statements that make the triggers on usage."""
    return _made(dialect, _OF_USAGE, "counted")


def _made(dialect: str, rules: _Rules, what: str) -> list[str]:
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, 'what was {what} does not change'); END"
            for table, event, condition in rules
        ]
    statements = []
    for table, event, condition in rules:
        name = f"{table}_{event.lower()}"
        row = "OLD" if event == "DELETE" else "NEW"
        statements += [
            _FUNCTION.format(name=name, condition=condition, row=row, what=what),
            (
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION billing_{name}_refused()"
            ),
        ]
    # What empties a table whole asks no trigger of its rows.
    for table in dict.fromkeys(table for table, _, _ in rules):
        name = f"{table}_truncate"
        statements += [
            _FUNCTION.format(name=name, condition="true", row="NULL", what=what),
            (
                f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION billing_{name}_refused()"
            ),
        ]
    return statements


def dropped(dialect: str) -> list[str]:
    """Return the statements that take away whatever triggers there are on statements."""
    names = [(table, f"{table}_{event.lower()}") for table, event, _ in _OF_STATEMENTS]
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
