"""Roles of PostgreSQL: who may do what to the journal's tables, as statements to be run once.

Tables stay their owner's, who migrates them; the service logs in as somebody who owns nothing and
can therefore neither change what is written once nor take the triggers away.
"""

from collections.abc import Iterator

_GRANTS = {
    "writer": {
        "journal_entry": "INSERT",
        "journal_open": "INSERT",
        "journal_pending": "INSERT",
        "tree_state": "INSERT",  # an empty tree, at the first start
    },
    "sealer": {
        "journal_leaf": "INSERT",
        "journal_checkpoint": "INSERT, UPDATE, DELETE",
        "journal_tile": "INSERT, UPDATE",
        "tree_state": "UPDATE",
        "journal_pending": "DELETE",
        "journal_witness": "INSERT, UPDATE, DELETE",
    },
    "eraser": {
        "journal_open": "UPDATE, DELETE",
        "journal_erasure": "INSERT, UPDATE",
        "legal_hold": "INSERT, UPDATE",
    },
}
_OURS = sorted({table for grants in _GRANTS.values() for table in grants})
_REST = """\
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
        AND tablename NOT IN ({ours}, 'alembic_version')
    LOOP
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO {role}', name);
    END LOOP;
END
$$"""


def statements(prefix: str) -> Iterator[str]:
    """Yield what the owner of the tables runs, after each migration again.

    Shape: *prefix* begins the names of the roles; it is an SQL name.
    """
    roles = [f"{prefix}_{role}" for role in _GRANTS]
    for role in roles:
        yield (
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
    everybody = ", ".join(roles)
    yield f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {everybody}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {everybody}"
    for role, grants in _GRANTS.items():
        for table, rights in grants.items():
            yield f"GRANT {rights} ON {table} TO {prefix}_{role}"
    ours = ", ".join(f"'{table}'" for table in _OURS)
    yield _REST.format(ours=ours, role=f"{prefix}_writer")
