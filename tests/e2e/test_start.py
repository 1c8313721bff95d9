"""A service that cannot keep its promises does not start, and says why."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e import wire
from tests.e2e.conftest import Deploy
from tests.e2e.harness import Deployment
from tests.e2e.listener import free_port

Started = tuple[Deployment, int]
_REFUSAL_SECONDS = 30


@pytest.fixture(scope="module")
def initialised(make_deployment: Deploy) -> Deployment:
    """A SQLite deployment on which `init` has run."""
    return make_deployment("sqlite")


@pytest.fixture
def copy(initialised: Deployment, tmp_path: Path) -> Deployment:
    """A copy of it, to be spoiled."""
    home = tmp_path / "copy"
    shutil.copytree(initialised.home, home)
    return Deployment(home)


def refusal(deployment: Deployment, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run `run`, which must end by itself, with a reason and no trace."""
    done = deployment.cli("run", *flags, seconds=_REFUSAL_SECONDS)
    assert done.returncode not in {0, 130}
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    return done


def test_init_may_be_run_again_and_says_what_it_made(copy: Deployment) -> None:
    before = {path.name: path.read_bytes() for path in copy.keys_dir.iterdir()}

    again = copy.cli("init")

    assert again.returncode == 0
    assert {path.name: path.read_bytes() for path in copy.keys_dir.iterdir()} == before
    assert {path.stat().st_mode & 0o777 for path in copy.keys_dir.iterdir()} == {0o400}


@pytest.mark.parametrize("name", ["pepper.key", "kek-1.key", "index-1.key", "log.key"])
def test_without_a_key_it_does_not_start(copy: Deployment, name: str) -> None:
    (copy.keys_dir / name).unlink()

    done = refusal(copy)

    assert name in done.stderr
    assert "missing" in done.stderr
    assert not (copy.keys_dir / name).exists()


@pytest.mark.parametrize("mode", [0o404, 0o440])
def test_with_a_key_that_others_can_read_it_does_not_start(copy: Deployment, mode: int) -> None:
    (copy.keys_dir / "pepper.key").chmod(mode)

    done = refusal(copy)

    assert "pepper.key" in done.stderr
    assert "chmod" in done.stderr


def empty(deployment: Deployment) -> None:
    """Put an empty database in the place of the one that `init` made."""
    (deployment.state_dir / "tradan.db").unlink()
    sqlite3.connect(deployment.state_dir / "tradan.db").close()


def older(deployment: Deployment) -> None:
    """Have the database forget that its last migration was run."""
    connection = sqlite3.connect(deployment.state_dir / "tradan.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()


@pytest.mark.parametrize("spoil", [empty, older])
def test_on_a_database_behind_its_migrations_it_does_not_start(
    copy: Deployment, spoil: Callable[[Deployment], None]
) -> None:
    spoil(copy)

    done = refusal(copy)

    assert "migrat" in done.stderr.lower() or "empty" in done.stderr
    assert "app.py init" in done.stderr


def test_on_an_empty_postgresql_it_does_not_start(
    copy: Deployment, deploy: Deploy, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("postgres_server")
    copy.database_url = server.create().render_as_string(hide_password=False)

    done = refusal(copy)

    assert "app.py init" in done.stderr


def test_without_its_database_it_does_not_start(copy: Deployment) -> None:
    copy.database_url = f"postgresql://tradan:hidden@127.0.0.1:{free_port()}/tradan"

    done = refusal(copy)

    assert done.returncode == 69
    assert "hidden" not in done.stderr + done.stdout


def test_every_fault_of_the_environment_is_named_at_once(copy: Deployment) -> None:
    copy.settings = {
        "PIN_LIFE_SECONDS": "9000",
        "PIN_SPACING_SECONDS": "soon",
        "PUBLIC_URL": "http://sms.tradan.example",
        "MODE": "party",
    }

    done = refusal(copy)

    for name in copy.settings:
        assert f"TRADAN_{name}" in done.stderr


def test_a_short_life_is_for_tests_only(copy: Deployment) -> None:
    copy.settings = {"PIN_LIFE_SECONDS": "60", "MODE": "production"}

    done = refusal(copy)

    assert "TRADAN_PIN_LIFE_SECONDS" in done.stderr


@pytest.mark.parametrize("flag", ["--web", "--worker"])
def test_sqlite_is_not_for_half_a_service(copy: Deployment, flag: str) -> None:
    done = refusal(copy, flag)

    assert done.returncode == 5
    assert "SQLite" in done.stderr
    assert "PostgreSQL" in done.stderr


def test_a_taken_port_is_named(copy: Deployment, service: Deployment) -> None:
    copy.port = service.port

    done = refusal(copy)

    assert str(service.port) in done.stderr


@pytest.fixture(scope="module")
def started(initialised: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A copy of it that runs, with its metrics on a port of their own."""
    home, port = tmp_path_factory.mktemp("started") / "copy", free_port()
    shutil.copytree(initialised.home, home)
    made = Deployment(home, settings={"METRICS_BIND": f"127.0.0.1:{port}"})
    try:
        made.start()
        yield made, port
        assert made.stop() == [0]
    finally:
        made.close()


def test_a_sqlite_database_has_one_service(started: Started) -> None:
    first, _ = started
    second = Deployment(first.home)

    done = refusal(second)

    assert done.returncode == 5
    assert second.port != first.port
    assert first.get("/readyz").status == 200


def test_metrics_can_have_an_address_of_their_own(started: Started) -> None:
    service, port = started

    assert service.get("/metrics").status == 404
    assert b"tradan_" in wire.get(port, "/metrics").body


def test_an_unknown_verb_or_option_is_a_usage_error(copy: Deployment) -> None:
    for words in (["dance"], ["run", "--sideways"], ["operator", "add"]):
        done = copy.cli(*words)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [[], ["run"], ["operator"], ["operator", "add"], ["import", "people"], ["journal"]]
)
def test_every_verb_explains_itself(copy: Deployment, words: list[str]) -> None:
    done = copy.cli(*words, "--help")

    assert done.returncode == 0
    assert done.stdout.strip()
