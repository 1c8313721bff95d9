"""A backup of every row, and its restore: what an administrator does when a disk is gone."""

from typing import Any

import sqlalchemy as sa

from tests.journal.conftest import Administrator

Backup = dict[str, list[dict[str, Any]]]


def backup(administrator: Administrator) -> Backup:
    """Keep every row of every table."""
    names = set(sa.inspect(administrator.engine).get_table_names()) - {"alembic_version"}
    return {
        name: [dict(row._mapping) for row in administrator.rows(f"SELECT * FROM {name}")]  # noqa: S608 (our own names)
        for name in names
    }


def restore(administrator: Administrator, kept: Backup) -> None:
    """Put every table back as it was."""
    with administrator.at_work() as connection:
        for name, rows in kept.items():
            connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608 (our own names)
            if rows:
                columns = ", ".join(f'"{column}"' for column in rows[0])
                places = ", ".join(f":{column}" for column in rows[0])
                put = sa.text(f"INSERT INTO {name} ({columns}) VALUES ({places})")  # noqa: S608 (our own names)
                connection.execute(put, rows)
