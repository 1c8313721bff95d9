"""How Alembic runs the revisions: on the connection it is handed, over every package's tables."""

from typing import Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

from migrations.schema import metadata


def render(kind: str, item: object, _autogenerate: object) -> str | Literal[False]:
    """Write our column types as what they are in the database: no revision depends on them."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
