"""The revisions build what the tables say, on both databases, one after the other."""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from core import migrate
from core.db import Database
from migrations.schema import MODULES, metadata

ROOT = Path(__file__).parents[2]
TABLE = re.compile(r"^\w+ = sa\.Table\(\s*\"\w+\",\s*metadata,", re.MULTILINE)


def test_the_schema_knows_every_module_that_has_tables() -> None:
    packages = {module.partition(".")[0] for module in MODULES}
    files = [path for package in packages for path in (ROOT / package).rglob("*.py")]

    having = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in files
        if TABLE.search(path.read_text())
    ]

    assert sorted(having) == sorted(MODULES)


def test_a_migrated_database_is_what_the_tables_say(database: Database) -> None:
    def differences(session: Session) -> list[object]:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    assert database.read(differences) == []


def test_a_migrated_database_has_the_checks_of_the_tables(database: Database) -> None:
    """Alembic compares no CHECK constraints."""
    told = {
        table.name: {
            check.name for check in table.constraints if isinstance(check, sa.CheckConstraint)
        }
        for table in metadata.sorted_tables
    }

    def found(session: Session) -> dict[str, set[str | None]]:
        inspector = sa.inspect(session.connection())
        return {
            name: {check["name"] for check in inspector.get_check_constraints(name)}
            for name in told
        }

    assert database.read(found) == told


def test_a_migrated_database_is_current(database: Database) -> None:
    assert migrate.current(database) == migrate.head()
    assert migrate.upgrade(database) is False


def test_revisions_are_numbered_in_one_line() -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))

    numbers = [revision.revision for revision in script.walk_revisions()]

    assert sorted(numbers) == [f"{number:04}" for number in range(1, len(numbers) + 1)]
