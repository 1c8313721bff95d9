"""Draft the next revision from what the tables have become: `make migration MESSAGE="..."`.

What autogenerate cannot see (triggers, data, a renamed column) is written in by hand.
"""

import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

SCRIPTS = Path(__file__).parent


def draft(message: str) -> None:
    """Bring a throw-away database to the newest revision and write down what it still lacks."""
    number = len(list(SCRIPTS.glob("versions/[0-9]*.py"))) + 1
    configuration = Config()
    configuration.set_main_option("script_location", str(SCRIPTS))
    configuration.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    with tempfile.TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{folder}/draft.db", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
            command.revision(
                configuration, message=message, autogenerate=True, rev_id=f"{number:04}"
            )
    (path,) = SCRIPTS.glob(f"versions/{number:04}_*.py")
    written = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in written if "# ### " not in line))


if __name__ == "__main__":
    if not (title := " ".join(sys.argv[1:]).strip()):
        sys.exit('say what it does: make migration MESSAGE="Add the ..."')
    draft(title)
