"""The journal as others read it: in the mirror, over HTTP, and in an export."""

import base64
from pathlib import Path

import pytest

from tests.e2e import wire
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink
from tests.e2e.waiting import until
from tests.journal.independent import Read, head_of, read_whole, reader


@pytest.fixture(scope="module")
def token(service: Deployment) -> str:
    return service.do("journal", "auditor", "add", "kiem-toan").strip()


def public(service: Deployment) -> bytes:
    """Return the log's key as the public page gives it."""
    told = service.get("/status", accept="application/json").document
    journal = told["journal"]
    assert isinstance(journal, dict)
    return base64.b64decode(journal["key"].split("+", 2)[2])[1:]


def over_http(service: Deployment, token: str) -> Read:
    def read(path: str) -> bytes:
        answer = wire.request(
            service.port, "GET", f"/journal/{path}", headers=[("Authorization", f"Bearer {token}")]
        )
        assert answer.status == 200, path
        return answer.body

    # Lookups go on: everything is read under one checkpoint.
    note = read("checkpoint")
    return lambda path: note if path == "checkpoint" else read(path)


def test_the_whole_log_is_read_by_an_auditor(
    service: Deployment, telco: HttpLink, token: str
) -> None:
    telco.ask("+84987000902", "HD")

    leaves = read_whole(over_http(service, token), public(service))

    assert len(leaves) > 2


def test_bundles_are_for_auditors_and_tiles_for_everybody(service: Deployment, token: str) -> None:
    bundle = service.get("/journal/tile/entries/000.p/1")
    tile = service.get("/journal/tile/0/000.p/1")

    assert (bundle.status, bundle.kind) == (401, wire.PROBLEM)
    assert (tile.status, len(tile.body)) == (200, 32)
    assert tile.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for path in ("tile/0/999", "tile/0//000.p/1", "tile/0/000.p/1?x", "tile/0/0", ""):
        assert service.get(f"/journal/{path}").status == 404, path


def test_the_mirror_follows_what_is_served(service: Deployment, token: str) -> None:
    served = service.get("/journal/checkpoint").text
    size = head_of(served, public(service))[1]
    mirror = service.state_dir / "journal"

    def mirrored() -> list[bytes] | None:
        try:
            note = (mirror / "checkpoint").read_text()
            found = read_whole(reader(mirror), public(service))
        except (AssertionError, FileNotFoundError):
            return None  # it moved on while it was read
        return found if head_of(note, public(service))[1] >= size else None

    leaves = until(mirrored, "the mirror is where the service is")

    assert leaves
    assert leaves[:size] == read_whole(over_http(service, token), public(service))[:size]


def test_an_export_is_made_while_the_service_runs(service: Deployment, tmp_path: Path) -> None:
    told = service.read("journal", "export", str(tmp_path / "export"))

    leaves = read_whole(reader(tmp_path / "export"), public(service))

    assert len(leaves) == told["size"] == told["entries"]
