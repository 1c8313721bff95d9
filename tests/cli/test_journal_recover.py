"""A restored backup on the command line: refused, explained, recovered by two people's names."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from cli.context import Service
from journal.mirror import FOLDER, Mirror
from tests.cli.deployment import Deployment
from tests.journal.conftest import Administrator
from tests.restoring import backup, restore

TWO = ("--approved-by", "Tran Thi B", "--approved-by", "Le Van C", "--reason", "disk 2 failed")


@pytest.fixture
def administrator(deployment: Deployment) -> Iterator[Administrator]:
    engine = sa.create_engine(deployment.database.url, poolclass=sa.pool.NullPool)
    yield Administrator(engine)
    engine.dispose()


def mirror(deployment: Deployment) -> None:
    with closing(Service(dict(deployment.environ))) as service:
        Mirror(service.database, deployment.home, service.clock).catch_up()


@pytest.fixture
def restored(deployment: Deployment, administrator: Administrator) -> int:
    """A deployment restored to before its last acts; how many leaves it had."""
    deployment.add_http("viettel")
    kept = backup(administrator)
    deployment.do("operator", "disable", "viettel")
    deployment.do("operator", "disable", "viettel", "--undo")
    mirror(deployment)
    size: int = deployment.read("journal", "head")["size"]
    restore(administrator, kept)
    return size


def test_a_restored_backup_is_refused_and_the_mirror_leads_out(
    deployment: Deployment, restored: int
) -> None:
    refusal = deployment.refused("run", code=3)
    assert "not a continuation" in refusal
    assert "journal recover" in refusal
    assert "not a continuation" in deployment.refused("operator", "disable", "viettel", code=3)
    shown = deployment.do("journal", "recover")
    assert f"remembered  {restored} leaves" in shown
    assert f"files       {restored} leaves" in shown
    assert "two people" in deployment.refused("journal", "recover", *TWO[:2], "--reason", "x")
    assert "two people" in deployment.refused("journal", "recover", *TWO[:2], *TWO[:2], *TWO[4:])
    wrong = deployment.run("journal", "recover", *TWO, typed="tradan/other.example\n")
    assert wrong.exit_code == 5

    told = deployment.run("journal", "recover", *TWO, typed="tradan/gateway.example\n")

    assert told.exit_code == 0, told.output
    assert f"replayed: leaves {restored - 4} to {restored - 1}" in told.stdout
    assert "KHOA among them" in told.stdout
    report = deployment.read("journal", "verify")
    assert (report["findings"], report["incomplete"]) == ([], [])
    assert deployment.read("journal", "head")["size"] == restored + 2
    assert "disclosure" in deployment.do("state")
    deployment.do("operator", "disable", "viettel")
    assert "nothing to replay" in deployment.refused("journal", "recover", *TWO, "--yes", code=1)


def test_where_entries_stay_lost_a_new_log_says_so_loudly(
    deployment: Deployment, restored: int
) -> None:
    (deployment.home / FOLDER).rename(deployment.home / "gone")
    refusal = deployment.run("journal", "recover", *TWO, "--yes")
    assert refusal.exit_code == 1

    told = deployment.do("journal", "recover", "--new-log", *TWO, "--yes")

    assert "A NEW LOG WAS BEGUN: tradan/gateway.example/2" in told
    assert f"had {restored} leaves" in told
    assert "4 are lost" in told
    assert (deployment.home / "signer-memory-1").exists()
    head = deployment.read("journal", "head")
    assert head["checkpoint"].startswith("tradan/gateway.example/2\n")
    deployment.do("operator", "disable", "viettel")
    assert deployment.read("journal", "verify")["findings"] == []


def test_another_machine_is_told_to_follow_a_new_log(
    deployment: Deployment, restored: int, tmp_path: Path
) -> None:
    other = Deployment(tmp_path / "other", dict(deployment.environ), deployment.database)
    other.home.mkdir()
    other.environ["TRADAN_STATE_DIR"] = str(other.home)
    shutil.copy(deployment.home / "signer-memory", other.home)
    (deployment.home / FOLDER).rename(deployment.home / "gone")
    deployment.do("journal", "recover", "--new-log", *TWO, "--yes")

    assert "began the log anew" in other.refused("operator", "disable", "viettel", code=3)
    assert "--new-log" in other.refused("journal", "recover", code=5)
    told = other.do("journal", "recover", "--new-log")

    assert "put aside" in told
    other.do("operator", "disable", "viettel")
