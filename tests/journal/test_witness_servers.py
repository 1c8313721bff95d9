"""Witnesses over HTTP, ours and another's: what they cosign, and every attack they refuse."""

from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest
import urllib3

from core.clock import SystemClock
from core.db import Database
from core.keyring import Keyring
from journal import cosignature, witness_client
from journal.checkpoint import text_of
from journal.journal import Journal
from journal.note import Signer
from journal.policy import parse
from journal.proofs import consistency_spans
from journal.tree import TreeHead
from journal.witness_client import HttpPost, Reply
from journal.witnessing import Witnessing
from tests.fakes import FixedClock
from tests.journal import witness_processes
from tests.journal.conftest import House
from tests.journal.trees import leaf_hashes, naive_root
from tests.journal.witness_processes import FOREIGN, Process

POST = HttpPost()
STRANGE_SEED = bytes(range(32))
LOGS = [(f"log{n}.example/attacked", bytes([n]) * 32) for n in range(1, 25)]
_KINDS = {"ours": witness_processes.ours, "aics": witness_processes.another}


@dataclass(slots=True)
class Server:
    """A witness, and logs that nobody has shown it yet."""

    kind: str
    process: Process
    unused: Iterator[tuple[str, bytes]] = field(default_factory=lambda: iter(LOGS))

    def log(self) -> "PaperLog":
        """Take a log that the witness has never seen."""
        return PaperLog(Signer(*next(self.unused)), self.process, leaf_hashes(300))


@dataclass(frozen=True, slots=True)
class PaperLog:
    """A log that can be told to lie: its leaves, its key, and the witness that it stands before."""

    signer: Signer
    process: Process
    leaves: list[bytes]

    def text(self, size: int) -> str:
        root = naive_root(self.leaves[:size])
        return text_of(self.signer.verifier.name, TreeHead(size, root))

    def proof(self, old: int, size: int) -> list[bytes]:
        spans = consistency_spans(old, size) if old else []
        return [naive_root(self.leaves[span.begin : span.end]) for span in spans]

    def offer(self, old: int, size: int, proof: list[bytes] | None = None) -> Reply:
        """Ask for a cosignature, as a log does that was last cosigned at *old*."""
        proof = self.proof(old, size) if proof is None else proof
        note = self.signer.sign(self.text(size))
        return self.post(witness_client.request(old, proof, note))

    def post(self, body: bytes) -> Reply:
        return POST(f"{self.process.url}/add-checkpoint", body)

    def cosigned(self, reply: Reply, size: int) -> bool:
        """Tell whether an answer holds a cosignature of our checkpoint of this size."""
        lines = reply.body.decode(errors="replace")
        found = cosignature.verified(self.text(size), lines, [self.process.key])
        return reply.status == 200 and bool(found)

    def forked_at(self, place: int) -> "PaperLog":
        """Return the same log, telling another history from one leaf on."""
        other = sha256(b"\x00rewritten").digest()
        return replace(self, leaves=[*self.leaves[:place], other, *self.leaves[place + 1 :]])


@pytest.fixture(scope="module", params=sorted(_KINDS))
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A running witness of each kind."""
    kind = request.param
    if kind == "aics" and not FOREIGN.is_dir():
        pytest.skip(
            "no aics-witness here (`make .venv/.foreign`): only a witness of ours was asked"
        )
    keys = [Signer(*log).verifier for log in LOGS]
    with _KINDS[kind](tmp_path_factory.mktemp(kind), keys) as process:
        yield Server(kind, process)


def test_a_log_that_grows_is_cosigned(server: Server) -> None:
    log = server.log()
    steps = [(0, 1), (1, 2), (2, 2), (2, 7), (7, 8), (8, 255), (255, 256), (256, 257), (257, 300)]

    replies = [(log.offer(*step), step[1]) for step in steps]

    assert [log.cosigned(*reply) for reply in replies] == [True] * len(steps)


def test_the_size_it_has_is_named_to_whoever_has_another(server: Server) -> None:
    log = server.log()
    first = log.offer(3, 9)
    log.offer(0, 9)

    stale = log.offer(0, 12)

    for reply, size in ((first, b"0\n"), (stale, b"9\n")):
        assert (reply.status, reply.content_type, reply.body) == (409, "text/x.tlog.size", size)
    assert log.cosigned(log.offer(9, 12), 12)


def test_a_rollback_is_refused(server: Server) -> None:
    log = server.log()
    log.offer(0, 9)

    replies = [log.offer(0, 5), log.offer(5, 5), log.offer(9, 5, []), log.offer(5, 9)]

    assert [reply.status for reply in replies] == [409, 409, 400, 409]
    assert log.offer(9, 9).status == 200


@pytest.mark.parametrize("place", [0, 4, 8])
def test_rewritten_history_is_refused(server: Server, place: int) -> None:
    log = server.log()
    log.offer(0, 9)
    liar = log.forked_at(place)
    truth = log.proof(9, 12)

    replies = [liar.offer(9, 12), liar.offer(9, 12, truth), liar.offer(9, 12, [])]

    assert [reply.status for reply in replies] == [422, 422, 422]
    assert log.cosigned(log.offer(9, 12), 12)


def test_a_split_view_is_refused(server: Server) -> None:
    log = server.log()
    log.offer(0, 9)
    liar = log.forked_at(8)

    replies = [liar.offer(9, 9), liar.offer(0, 9)]

    assert [reply.status for reply in replies] == [422, 409]
    assert log.cosigned(log.offer(9, 9), 9)


def test_of_many_views_shown_at_once_one_is_cosigned(server: Server) -> None:
    log = server.log()
    views = [replace(log, leaves=leaf_hashes(8)[::-1][n:] + log.leaves[:n]) for n in range(8)]

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda view: view.offer(0, 5), views * 3))

    cosigned = [
        view.text(5)
        for view, reply in zip(views * 3, replies, strict=True)
        if view.cosigned(reply, 5)
    ]
    assert len(cosigned) == 1
    assert {reply.status for reply in replies} == {200, 409}


def test_whoever_loses_the_race_rolls_nothing_back(server: Server) -> None:
    log = server.log()
    log.offer(0, 10)
    sizes = [10 + n for n in range(1, 25)]

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda size: log.offer(10, size), sizes))

    (won,) = [size for size, reply in zip(sizes, replies, strict=True) if reply.status == 200]
    assert {reply.body for reply in replies if reply.status == 409} == {f"{won}\n".encode()}


def test_a_log_it_does_not_know_and_a_key_it_does_not_trust(server: Server) -> None:
    log = server.log()
    stranger = Signer("stranger.example/log", STRANGE_SEED)
    unsigned = Signer(log.signer.verifier.name, STRANGE_SEED)
    text = log.text(4)
    other = text_of("stranger.example/log", TreeHead(4, naive_root(log.leaves[:4])))

    replies = [
        log.post(witness_client.request(0, [], stranger.sign(other))),
        log.post(witness_client.request(0, [], unsigned.sign(text))),
        log.post(witness_client.request(0, [], stranger.sign(text))),
    ]

    assert [reply.status for reply in replies] == [404, 403, 403]


def test_signatures_of_others_are_no_matter(server: Server) -> None:
    log = server.log()
    stranger = Signer("stranger.example/log", STRANGE_SEED)
    foreign = stranger.sign(log.text(4)).rpartition("\n\n")[2]
    note = log.signer.sign(log.text(4)) + foreign

    assert log.cosigned(log.post(witness_client.request(0, [], note)), 4)


def test_what_is_no_request_is_told_so(server: Server) -> None:
    log = server.log()
    note = log.signer.sign(log.text(4))
    line = b64encode(bytes(32)).decode()
    bodies = [
        "", "\n", "old 0", "old 0\n", "old 0\n\n", f"old\n\n{note}", f"old 00\n\n{note}",
        f"old -1\n\n{note}", f"old 0 \n\n{note}", f"old  0\n\n{note}", f"Old 0\n\n{note}",
        f"old 0\n{note}", f"old 0\r\n\r\n{note}", f"old 0\nAAAA\n\n{note}", f"old 0\n!\n\n{note}",
        f"old 0\n\n{note[:-1]}", f"old 0\n\n{note.split(chr(10) * 2)[0]}\n", f"\nold 0\n\n{note}",
        f"old 0\n{line[:-1]}\n\n{note}", "old 0\n" + f"{line}\n" * 64 + f"\n{note}",
        f"old 0\n\n{note.replace(chr(10) + '4' + chr(10), chr(10) + '04' + chr(10))}",
        f"old 99999999999999999999\n\n{note}", "old 0\n\n\ufffe\n",
    ]  # fmt: skip

    replies = {body: log.post(body.encode()).status for body in bodies}
    replies["not UTF-8"] = log.post(b"old 0\n\n\xff\xfe").status

    assert {body: status for body, status in replies.items() if status != 400} == {}
    assert log.cosigned(log.offer(0, 4), 4)


def test_too_much_is_not_read(server: Server) -> None:
    reply = POST(f"{server.process.url}/add-checkpoint", b"x" * (1 << 20))

    assert reply.status == 413


def test_the_newest_is_shown_to_whoever_watches(server: Server) -> None:
    log = server.log()
    digest = sha256(log.signer.verifier.name.encode()).hexdigest()
    page = f"{server.process.url}/{digest}/checkpoint"
    before = urllib3.request("GET", page, retries=False).status
    log.offer(0, 6)

    shown = urllib3.request("GET", page, retries=False)

    text, _, lines = shown.data.decode().rpartition("\n\n")
    assert (before, shown.status, text + "\n") == (404, 200, log.text(6))
    assert cosignature.verified(log.text(6), lines, [server.process.key])


def test_a_killed_witness_has_forgotten_nothing(server: Server) -> None:
    log = server.log()
    log.offer(0, 9)

    server.process.kill()
    server.process.start()

    assert (log.offer(0, 12).status, log.forked_at(8).offer(9, 9).status) == (409, 422)
    assert log.cosigned(log.offer(9, 12), 12)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_our_own_journal_is_cosigned(
    server: Server, database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path
) -> None:
    name, seed = next(server.unused)
    (keys_dir / "log.key").unlink()
    (keys_dir / "log.key").touch(0o400)
    (keys_dir / "log.key").write_bytes(seed)
    lines = (f"witness w {server.process.key} {server.process.url}", "quorum w")
    policy = parse("".join(f"{line}\n" for line in lines).encode())
    clock = SystemClock()
    journal = Journal.open(database, keyring, keys_dir, tmp_path, name, clock, policy)
    house = House(journal, database, keyring, keys_dir, tmp_path, FixedClock(clock.now()))
    asker = Witnessing(database, policy, clock, POST)

    refusals = []
    for _ in range(3):
        refusals += [asked.refusal for asked in asker.push().values()]
        house.append(100)
    witnessed = database.read(journal.witnessed)
    journal.close()

    assert refusals == [None, None, None]
    assert witnessed is not None
    assert witnessed.size == 202
    assert not witnessed.is_late(clock.now())
