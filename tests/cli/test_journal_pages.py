"""The log over HTTP: every tile of the tree and nothing else, bundles to auditors alone."""

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cli import journal_pages
from journal import auditors
from journal.cosignature import Cosigner
from journal.journal import Journal
from journal.note import Verifier
from journal.policy import parse
from tests.journal.conftest import ORIGIN, Administrator, House
from tests.journal.independent import expected_paths, head_of, read_whole

FOR_GOOD = "max-age=31536000, immutable"
NO_TILES = [
    "tile/0/002",
    "tile/0/001.p/48",
    "tile/0/001",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/0",
    "tile/0/0000",
    "tile/0/x000/000",
    "tile/0//000",
    "tile//0/000",
    "tile/0/000/",
    "tile/00/000",
    "tile/2/000.p/1",
    "tile/1/000",
    "tile/1/000.p/2",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/../0/000",
    "tile/entries/002",
    "tile/entries/001.p/48",
    "tile/0/000?again",
    "tile",
    "tile/",
    "tile/0/\u0660\u0660\u0660",
    "tile/0/" + "x999/" * 5 + "999",
    "checkpoint/",
    "checkpoint?now",
    "",
]


@pytest.fixture
def client(house: House) -> FlaskClient:
    return client_of(house, house.journal)


def client_of(house: House, journal: Journal) -> FlaskClient:
    app = Flask("pages")
    app.register_blueprint(journal_pages.make_blueprint(house.database, journal, house.clock))
    return app.test_client()


def token(house: House, name: str = "kiem-toan") -> str:
    return house.database.write(lambda s: auditors.add(s, name, "console:an", house.clock.now()))


def get(client: FlaskClient, path: str, shown: str | None = None, **headers: str) -> TestResponse:
    if shown is not None:
        headers["Authorization"] = shown
    return client.get(f"/journal/{path}", headers=headers)


def test_an_auditor_reads_the_whole_log(house: House, client: FlaskClient) -> None:
    made = house.append(300)
    shown = f"Bearer {token(house)}"

    def read(path: str) -> bytes:
        answer = get(client, path, shown)
        assert answer.status_code == 200
        return bytes(answer.data)

    leaves = read_whole(read, Verifier.parse(house.journal.verifier_key).public)

    assert leaves[2:] == [entry.leaf for entry in made]


def test_every_tile_says_that_it_stays(house: House, client: FlaskClient) -> None:
    house.append(300)
    shown = f"Bearer {token(house)}"

    for path in expected_paths(302) | {"tile/0/000.p/7", "tile/entries/000.p/7"}:
        answer = get(client, path, shown)
        scope = "private" if "entries" in path else "public"
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == f"{scope}, {FOR_GOOD}"
        assert answer.headers["Content-Type"] == "application/octet-stream"
    assert len(get(client, "tile/0/000.p/7").data) == 7 * 32


def test_the_checkpoint_is_kept_briefly(house: House, client: FlaskClient) -> None:
    house.append(3)

    answer = get(client, "checkpoint")

    assert answer.headers["Cache-Control"] == "public, max-age=2"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    public = Verifier.parse(house.journal.verifier_key).public
    assert head_of(answer.text, public)[:2] == (ORIGIN, 5)


def test_what_is_no_tile_of_the_tree_is_not_there(house: House, client: FlaskClient) -> None:
    house.append(300)
    shown = f"Bearer {token(house)}"

    found = {path: get(client, path, shown).status_code for path in NO_TILES}

    assert {path: status for path, status in found.items() if status != 404} == {}


def test_who_shows_no_token_of_an_auditor_gets_no_bundle(house: House, client: FlaskClient) -> None:
    house.append(3)
    known = token(house)
    wrong = [
        None,
        "",
        "Bearer",
        "Bearer ",
        known,
        f"Basic {known}",
        f"bearer {known}x",
        f"Bearer {known}x",
        f"Bearer {known[:-1]}",
        f"Bearer  {known}",
        "Bearer " + "x" * 5000,
        "Bearer \u00e9\u00e9",
    ]

    answers = [get(client, "tile/entries/000.p/5", shown) for shown in wrong]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}
    assert {answer.mimetype for answer in answers} == {"application/problem+json"}
    assert len({answer.data for answer in answers}) == 1
    # Nor is told whether there is such a bundle.
    assert get(client, "tile/entries/999").data == answers[0].data


def test_a_removed_auditor_is_nobody_at_once(house: House, client: FlaskClient) -> None:
    house.append(3)
    first, second = token(house, "first"), token(house, "second")
    house.database.write(lambda s: auditors.remove(s, "first"))

    path = "tile/entries/000.p/5"
    assert get(client, path, f"Bearer {first}").status_code == 401
    assert get(client, path, f"Bearer {second}").status_code == 200


def test_who_keeps_guessing_is_slowed_and_who_knows_is_not(
    house: House, client: FlaskClient
) -> None:
    house.append(3)
    shown = f"Bearer {token(house)}"
    path = "tile/entries/000.p/5"

    statuses = [get(client, path, "Bearer guess").status_code for _ in range(25)]

    assert statuses == [401] * 20 + [429] * 5
    assert int(get(client, path, "Bearer guess").headers["Retry-After"]) > 200
    assert get(client, path, shown).status_code == 200
    assert get(client, "tile/0/000.p/5").status_code == 200


def test_a_bundle_is_compressed_for_who_can_read_that(house: House, client: FlaskClient) -> None:
    house.append(300)
    shown = f"Bearer {token(house)}"
    path = "tile/entries/000"

    plain = get(client, path, shown)
    packed = get(client, path, shown, **{"Accept-Encoding": "br, gzip"})
    refused = get(client, path, shown, **{"Accept-Encoding": "gzip;q=0"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data == refused.data
    assert len(packed.data) < 0.8 * len(plain.data)
    assert set(packed.headers["Vary"].split(", ")) == {"Authorization", "Accept-Encoding"}


def test_where_a_quorum_is_demanded_the_checkpoint_that_has_it_is_shown(
    house: House, administrator: Administrator
) -> None:
    cosigner = Cosigner("w.example/1", b"w" * 32)
    policy = parse(f"witness w {cosigner.key}\nquorum w\n".encode())
    journal = Journal.open(
        house.database, house.keyring, house.keys_dir, house.state_dir, ORIGIN, house.clock, policy
    )
    client = client_of(house, journal)
    house.append(3)
    before = get(client, "checkpoint").text
    line = cosigner.cosign(before.partition("\n\n")[0] + "\n", house.clock.now())
    administrator.run("UPDATE journal_checkpoint SET cosignatures = :line", line=line)
    house.append(3, 3)

    shown = get(client, "checkpoint").text

    journal.close()
    assert shown == before + line
    assert get(client_of(house, house.journal), "checkpoint").text.splitlines()[1] == "8"


def test_what_cannot_be_read_now_is_said_to_be(
    house: House, client: FlaskClient, administrator: Administrator
) -> None:
    administrator.run("DELETE FROM journal_checkpoint")

    answer = get(client, "checkpoint")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "journal" in answer.get_json()["title"]
