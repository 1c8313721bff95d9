"""A deployment of the tests' own, on which verbs are run as they are typed."""

import base64
import json
import secrets
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from click.testing import CliRunner, Result

from app import main
from cli.context import Service
from core.db import Database
from journal.entries import Kind
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF
from sms.links.model import Link

SEND_URL = "http://127.0.0.1:9/mt"
ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
NUMBER = "+12025550100"
# `run` sets it for its children; what a test starts next must not count in a folder that is gone.
_SHARED = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A state folder, key files and a database."""

    home: Path
    environ: dict[str, str]
    database: Database

    def run(self, *words: str, typed: str | IO[bytes] | None = None) -> Result:
        """Run the command line with these words, and leave the environment as it was."""
        environ = {_SHARED: None, **self.environ}
        return CliRunner().invoke(main, list(words), input=typed, env=environ)

    def do(self, *words: str) -> str:
        """Run a verb that must succeed and return its data."""
        done = self.run(*words)
        assert done.exit_code == 0, (words, done.output, done.exception)
        return done.stdout

    def read(self, *words: str) -> Any:  # noqa: ANN401 (JSON is of any shape)
        """Run a verb that must succeed and return its JSON."""
        return json.loads(self.do(*words, "--json"))

    def refused(self, *words: str, code: int = 2) -> str:
        """Run a verb that must be refused in one sentence, and return the sentence."""
        done = self.run(*words)
        assert done.exit_code == code, (words, done.output)
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        assert "inside" not in done.stderr
        return done.stderr

    def file(self, content: str, mode: int = 0o600) -> str:
        """Write a file and return its path."""
        path = self.home / f"file-{secrets.token_hex(4)}"
        path.touch(mode=mode)
        path.chmod(mode)
        path.write_text(content)
        return str(path)

    def add_http(self, code: str, *options: str, url: str = SEND_URL) -> str:
        """Add a link of the kind `http` and return its secret."""
        secret = new_secret()
        words = ("--kind", "http", "--send-url", url, "--secret-file", self.file(secret))
        self.do("operator", "add", code, *words, *options)
        return secret

    def link(self, code: str) -> Link:
        """Return a link as another process sees it."""
        with closing(Service(dict(self.environ))) as service:
            found = service.links.get(code)
        assert found is not None
        return found

    def acts(self) -> int:
        """Count the sealed entries of acts."""
        entry, leaf = JOURNAL_ENTRY.c, JOURNAL_LEAF.c
        sealed = sa.select(sa.func.count()).join_from(
            JOURNAL_ENTRY, JOURNAL_LEAF, entry.id == leaf.entry_id
        )
        wanted = sealed.where(entry.kind == Kind.ADMIN)
        return self.database.read(lambda s: s.execute(wanted).scalar_one())


def deployment_on(database: Database, keys_dir: Path, home: Path) -> Deployment:
    """Make a deployment of what there is."""
    environ = {
        "TRADAN_STATE_DIR": str(home),
        "TRADAN_KEYS_DIR": str(keys_dir),
        "TRADAN_DATABASE_URL": database.url.render_as_string(hide_password=False),
        "TRADAN_PUBLIC_URL": "https://gateway.example",
    }
    return Deployment(home, environ, database)


def new_secret() -> str:
    """Make a Standard Webhooks secret."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
