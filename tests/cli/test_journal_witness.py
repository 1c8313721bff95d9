"""`journal witness` and `journal print-anchor`: what they write, say, and end with."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa

from cli.context import Service
from cli.witness_door import WitnessDoor, open_witness
from core.clock import SystemClock
from journal import witness_state
from journal.cosignature import Cosigner
from journal.note import Signer, Verifier
from journal.policy import parse
from journal.witness import Witness
from tests.cli.deployment import Deployment, deployment_on

LOG = Signer("other.example/log", bytes([7]) * 32)
KEY = str(Cosigner("archive.example/w", bytes(32)).key)
URL = "https://witness.archive.example"


@pytest.fixture
def witnessed(deployment: Deployment, tmp_path: Path) -> Deployment:
    """A deployment that names a policy file, which is not there yet."""
    deployment.environ["TRADAN_WITNESS_POLICY"] = str(tmp_path / "policy")
    return deployment


@pytest.fixture
def embedded_witnessed(embedded: Deployment, tmp_path: Path) -> Deployment:
    """The same on SQLite."""
    embedded.environ["TRADAN_WITNESS_POLICY"] = str(tmp_path / "policy")
    return embedded


def log_key(deployment: Deployment) -> str:
    environ = {**deployment.environ, "TRADAN_WITNESS_POLICY": ""}
    with closing(Service(environ)) as service:
        return service.journal.verifier_key


def add(deployment: Deployment, name: str, key: str = KEY, url: str = URL) -> str:
    return deployment.do("journal", "witness", "add", name, "--key", key, "--url", url)


class Body:
    """A witness of ours behind the standard library's server, on a port of its own."""

    def __init__(self, folder: Path, log: str) -> None:
        state = witness_state.open_state(folder, f"{folder.name}.example/w")
        witness = Witness(state.cosigner, [Verifier.parse(log)], state.memory, SystemClock())
        door = WitnessDoor(witness)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = door.answer("POST", self.path.removeprefix("/a/prefix"), body)
                self.send_response(answer.status)
                self.send_header("content-type", answer.content_type)
                self.end_headers()
                self.wfile.write(answer.body.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its own word)
                """Say nothing."""

        self.key = str(state.cosigner.key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/a/prefix"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_two_bodies_are_added_asked_and_told_of(witnessed: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "policy"
    key = log_key(witnessed)
    Prefixed = partial(Body, log=key)  # noqa: N806 (a class but for one argument)
    with closing(Prefixed(tmp_path / "one")) as one, closing(Prefixed(tmp_path / "two")) as two:
        first, second = (add(witnessed, body.key[:3], body.key, body.url) for body in (one, two))
        before = witnessed.run("journal", "witness", "status")
        pushed = witnessed.do("journal", "witness", "push")
        two.close()
        alone = witnessed.run("journal", "witness", "push")
        told = witnessed.read("journal", "witness", "status")

    assert (first, second) == (
        "1 of 1 witnesses are the quorum\n", "2 of 2 witnesses are the quorum\n",
    )  # fmt: skip
    assert [str(log.key) for log in parse(path.read_bytes()).logs] == [key]
    assert (before.exit_code, "No quorum yet" in before.stdout) == (0, True)
    assert re.fullmatch(r"one +2, \d s ago\ntwo +2, \d s ago\n", pushed)
    assert alone.exit_code == 0, "the quorum of a moment ago still stands behind this checkpoint"
    assert "does not answer" in alone.stdout
    assert (told["quorum"]["state"], told["quorum"]["size"]) == ("fine", 2)
    assert [(each["name"], each["size"], each["refusal"]) for each in told["witnesses"]] == [
        ("one", 2, None), ("two", 2, "unreachable"),
    ]  # fmt: skip


def test_too_few_witnesses_and_a_contradiction_have_codes_of_their_own(
    embedded_witnessed: Deployment, tmp_path: Path
) -> None:
    deployment = embedded_witnessed
    with closing(Body(tmp_path / "one", log_key(deployment))) as one:
        add(deployment, "one", one.key, one.url)
        deployment.do("journal", "witness", "push")
        deployment.add_http("viettel")
        remember_otherwise(tmp_path / "one")
        contradicted = deployment.run("journal", "witness", "push")
    away = deployment.run("journal", "witness", "push")

    assert (contradicted.exit_code, "ANOTHER HISTORY" in contradicted.stdout) == (3, True)
    assert (away.exit_code, "does not answer" in away.stdout) == (69, True)


def remember_otherwise(folder: Path) -> None:
    """Have a witness remember another root than the one it cosigned."""
    with closing(sqlite3.connect(folder / "witness.db")) as connection:
        connection.execute("UPDATE seen SET root = zeroblob(32)")
        connection.commit()


def test_what_is_not_to_be_added_is_refused_and_the_file_stays(
    embedded_witnessed: Deployment, tmp_path: Path
) -> None:
    deployment, path = embedded_witnessed, tmp_path / "policy"
    verb = ("journal", "witness", "add")
    add(deployment, "archive")
    written = path.read_bytes()

    told = [
        deployment.refused(*verb, "b", "--key", "nonsense", "--url", URL),
        deployment.refused(*verb, "b", "--key", log_key(deployment), "--url", URL),
        deployment.refused(*verb, "b", "--key", KEY, "--url", "http://archive.example"),
        deployment.refused(*verb, "b", "--key", KEY, "--url", URL),
        deployment.refused(*verb, "none", "--key", other_key(), "--url", URL),
        deployment.refused(*verb, "two words", "--key", other_key(), "--url", URL),
        deployment.refused(*verb, "b", "--key", other_key(), "--url", URL, "--quorum", "3"),
    ]

    assert path.read_bytes() == written
    assert ["left as it is" in each for each in told] == [False] * 3 + [True] * 4


def other_key() -> str:
    return str(Cosigner("other.example/w", bytes([1]) * 32).key)


def test_without_a_policy_there_is_nothing_to_ask(embedded: Deployment) -> None:
    for verb in ("push", "status"):
        assert "TRADAN_WITNESS_POLICY" in embedded.refused("journal", "witness", verb, code=5)
    assert "TRADAN_WITNESS_POLICY" in embedded.refused(
        "journal", "witness", "add", "a", "--key", KEY, "--url", URL, code=5
    )


def test_a_bad_policy_stops_the_start_and_every_fault_is_named(
    embedded_witnessed: Deployment, tmp_path: Path
) -> None:
    deployment, path = embedded_witnessed, tmp_path / "policy"
    missing = deployment.refused("journal", "head")
    path.write_text(f"witness a {KEY}\nwitness a {other_key()} http://a\nodd\n")
    bad = deployment.refused("run")
    exported = deployment.refused("journal", "export", str(tmp_path / "export"))
    path.write_text(f"log {other_log()}\nwitness a {KEY}\nquorum a\n")
    unfit = deployment.refused("run")

    assert "`journal witness add` makes it" in missing
    assert [bad.count(str(path)), unfit.count(str(path))] == [4, 2]
    for said in ("line 2 defines 'a'", "line 2 has a URL", "line 3 begins", "no quorum line"):
        assert said in bad
    assert "no quorum line" in exported
    assert not (tmp_path / "export").exists()
    assert "has no URL" in unfit
    assert f"log {log_key(deployment)}" in unfit


def other_log() -> str:
    return str(LOG.verifier)


def test_a_quorum_that_is_late_ends_1(embedded_witnessed: Deployment, tmp_path: Path) -> None:
    deployment = embedded_witnessed
    log_key(deployment)
    add(deployment, "archive")
    deployment.database.write(age)

    done = deployment.run("journal", "witness", "status", "--json")

    found = json.loads(done.stdout)
    assert (done.exit_code, found["quorum"]["state"], found["quorum"]["size"]) == (1, "late", None)
    assert found["witnesses"][0]["asked_at"] is None


def age(session: sa.orm.Session) -> None:
    """Have the log begin eleven minutes earlier."""
    session.execute(sa.text("DROP TRIGGER journal_checkpoint_update"))
    session.execute(sa.text("UPDATE journal_checkpoint SET signed_at = signed_at - 660000001"))


def test_serve_says_what_is_wrong_before_it_listens(embedded: Deployment, tmp_path: Path) -> None:
    policy = tmp_path / "served"
    verb = ("journal", "witness", "serve", "--name", "w.example", "--policy", str(policy))
    at = ("--dir", str(tmp_path / "memory"), "--bind")
    policy.write_text("quorum none\n")
    nobody = embedded.refused(*verb, *at, "127.0.0.1:1")
    policy.write_text("log x\n")
    bad = embedded.refused(*verb, *at, "127.0.0.1:1")
    policy.write_text(f"log {other_log()}\nquorum none\n")
    nowhere = embedded.refused(*verb, *at, "here")

    assert "nobody to serve" in nobody
    assert "line 1 does not hold" in bad
    assert "no quorum line" in bad
    assert "HOST:PORT" in nowhere
    assert not (tmp_path / "memory").exists()


def test_the_sheet_holds_what_is_to_be_remembered(deployment: Deployment, tmp_path: Path) -> None:
    deployment.add_http("viettel")
    head = deployment.read("journal", "head")
    out = tmp_path / "anchor.html"

    told = deployment.run("journal", "print-anchor", "--out", str(out))
    page = out.read_text()

    root = "".join(re.findall(r"<span>([0-9a-f]{4})</span>", page))
    assert told.exit_code == 0
    assert str(out) in told.stderr
    assert (root, head["size"]) == (head["root"], 3)
    assert head["checkpoint"] in page
    assert log_key(deployment) in page
    assert "Chưa có nhân chứng nào" in page
    assert page.count("<svg") == 1
    # Nothing of it lies elsewhere.
    assert not re.search(r"(?:src|href)=|url\(|@import|https?://", page)
    assert deployment.do("journal", "print-anchor").splitlines()[0] == "<!doctype html>"


def test_the_sheet_names_the_witnesses_of_the_newest_quorum(
    embedded_witnessed: Deployment, tmp_path: Path
) -> None:
    deployment = embedded_witnessed
    with closing(Body(tmp_path / "one", log_key(deployment))) as one:
        add(deployment, "one", one.key, one.url)
        deployment.do("journal", "witness", "push")
    deployment.add_http("viettel")

    page = deployment.do("journal", "print-anchor")

    assert "<code>one.example/w</code>" in page
    assert '<dd class="size">2</dd>' in page
    assert "— one.example/w " in page


@dataclass(slots=True)
class Exchange:
    """The server's side of one request."""

    pieces: list[bytes]
    stalls: bool = False
    answered: list[tuple[int, bytes]] = field(default_factory=list)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.stalls:
            await asyncio.sleep(3600)

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answered.append((status, body))


@dataclass(frozen=True, slots=True)
class Scope:
    """What the server tells of a request."""

    method: str
    path: str
    proto: str = "http"


@pytest.fixture
def door(tmp_path: Path) -> WitnessDoor:
    policy = tmp_path / "served"
    policy.write_text(f"log {other_log()}\nquorum none\n")
    return WitnessDoor(open_witness(tmp_path / "state", "w.example", policy))


def statuses(door: WitnessDoor, *asked: tuple[str, str, Exchange]) -> Iterator[int]:
    for method, path, exchange in asked:
        asyncio.run(door.__rsgi__(Scope(method, path), exchange))  # type: ignore[arg-type]  # as much of it as is used
        ((status, _),) = exchange.answered
        yield status


def test_the_witnesss_door_knows_its_two_ways_and_reads_no_book(door: WitnessDoor) -> None:
    asked = [
        ("POST", "/add-checkpoint", Exchange([b"nonsense"])),
        ("GET", "/add-checkpoint", Exchange([])),
        ("GET", "/", Exchange([])),
        ("GET", "/" + "0" * 64 + "/checkpoint", Exchange([])),
        ("POST", "/" + "0" * 64 + "/checkpoint", Exchange([])),
        ("POST", "/add-checkpoint", Exchange([b"x" * 1000] * 600)),
    ]

    assert list(statuses(door, *asked)) == [400, 405, 404, 404, 404, 413]


def test_trouble_of_the_witness_is_told_as_that(door: WitnessDoor, tmp_path: Path) -> None:
    (tmp_path / "state/witness.db").unlink()
    for beside in (tmp_path / "state").glob("witness.db-*"):
        beside.unlink()
    note = LOG.sign("other.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
    asked = ("POST", "/add-checkpoint", Exchange([f"old 0\n\n{note}".encode()]))

    assert list(statuses(door, asked)) == [500]
