"""Our checkpoints before witnesses: who cosigns, who refuses, what is kept, what a quorum is."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import metrics
from journal import cosignature
from journal.attendance import Attendance
from journal.journal import Journal
from journal.note import Signer
from journal.obstacle import Obstacle
from journal.quorum import Witnessed
from journal.tables import JOURNAL_CHECKPOINT
from journal.witness_client import Refusal, Reply
from journal.witnessing import Witnessing
from tests.journal.bodies import Bodies, gather
from tests.journal.conftest import ORIGIN, Administrator, House

# For what does not hang on the kind of database.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HOURS = timedelta(hours=1)
MINUTES = timedelta(minutes=1)
SECONDS = timedelta(seconds=1)


@pytest.fixture
def bodies(house: House, tmp_path: Path) -> Bodies:
    """Three bodies of which two are a quorum."""
    return gather(tmp_path / "bodies", house.journal.verifier_key, house.clock)


@pytest.fixture
def witnessed(house: House, bodies: Bodies) -> Iterator[House]:
    """A journal that goes by the policy of these bodies."""
    journal = opened(house, bodies)
    yield replace(house, journal=journal)
    journal.close()


def opened(house: House, bodies: Bodies) -> Journal:
    return Journal.open(
        house.database, house.keyring, house.keys_dir, house.state_dir, ORIGIN, house.clock,
        bodies.policy,
    )  # fmt: skip


def push(house: House, bodies: Bodies) -> dict[str, Refusal | None]:
    """Ask every witness, and return what each refused for."""
    asker = Witnessing(house.database, bodies.policy, house.clock, bodies.post)
    return {witness.name: asked.refusal for witness, asked in asker.push().items()}


def obstacle(house: House) -> Obstacle | None:
    now = house.clock.now()
    return house.database.read(lambda session: house.journal.obstacle(session, now))


def quorum(house: House) -> Witnessed:
    found = house.database.read(house.journal.witnessed)
    assert found is not None
    return found


def stored(house: House) -> dict[int, str | None]:
    wanted = sa.select(JOURNAL_CHECKPOINT.c.size, JOURNAL_CHECKPOINT.c.cosignatures)
    rows = house.database.read(lambda s: s.execute(wanted).all())
    return {row.size: row.cosignatures for row in rows}


def test_every_witness_cosigns_the_newest_checkpoint(witnessed: House, bodies: Bodies) -> None:
    witnessed.append(5)

    refused = push(witnessed, bodies)

    assert refused == {"a": None, "b": None, "c": None}
    found = quorum(witnessed)
    assert (found.size, found.at) == (8, witnessed.clock.now())
    assert {each.key.name for each in found.cosignatures} == {
        "a.example/w", "b.example/w", "c.example/w",
    }  # fmt: skip
    assert witnessed.verify().ok


@ON_SQLITE
def test_a_proof_leads_from_what_each_has_cosigned(witnessed: House, bodies: Bodies) -> None:
    witnessed.append(1)
    push(witnessed, bodies)
    witnessed.append(300)
    bodies.away("a")
    push(witnessed, bodies)
    witnessed.append(7)
    bodies.away()

    refused = push(witnessed, bodies)

    assert set(refused.values()) == {None}
    assert [body.asked[-1].split(b"\n")[0] for body in bodies.bodies.values()] == [
        b"old 4", b"old 304", b"old 304",
    ]  # fmt: skip
    assert [size for size, lines in stored(witnessed).items() if lines] == [4, 304, 311]


@ON_SQLITE
def test_a_size_that_we_have_forgotten_is_learnt_from_the_witness(
    witnessed: House, bodies: Bodies, administrator: Administrator
) -> None:
    witnessed.append(4)
    push(witnessed, bodies)
    administrator.run("DELETE FROM journal_witness")
    witnessed.append(4)

    refused = push(witnessed, bodies)

    assert set(refused.values()) == {None}
    asked = [body.split(b"\n")[0] for body in bodies.bodies["a"].asked]
    assert asked == [b"old 0", b"old 0", b"old 7"]


@ON_SQLITE
def test_the_same_checkpoint_again_is_a_sign_of_life(witnessed: House, bodies: Bodies) -> None:
    push(witnessed, bodies)
    witnessed.clock.advance(timedelta(minutes=9))
    before = quorum(witnessed)

    push(witnessed, bodies)

    assert quorum(witnessed).at - before.at == timedelta(minutes=9)
    assert len(stored(witnessed)) == 1
    assert len(quorum(witnessed).cosignatures) == 3


def test_a_checkpoint_that_was_dropped_meanwhile_is_kept_once_it_is_cosigned(
    witnessed: House, bodies: Bodies
) -> None:
    witnessed.append(1)
    body, answer = bodies.bodies["a"], bodies.bodies["a"].answer

    def answer_late(request: bytes) -> Reply:
        witnessed.append(1)  # and with it the older checkpoint of this minute goes
        return answer(request)

    late = replace(bodies, bodies={**bodies.bodies, "a": Late(body, answer_late)})  # type: ignore[dict-item]  # only `answer` is called
    push(witnessed, late)

    assert {size: lines is not None for size, lines in stored(witnessed).items()} == {
        4: True, 5: False,
    }  # fmt: skip
    assert witnessed.verify().ok
    witnessed.append(1)
    assert 4 in stored(witnessed)


class Late:
    """A body during whose answer something happens."""

    def __init__(self, body: object, answer: object) -> None:
        self.body, self.answer = body, answer


def test_two_who_ask_at_once_lose_nothing(witnessed: House, bodies: Bodies) -> None:
    witnessed.append(3)
    askers = [threading.Thread(target=push, args=(witnessed, bodies)) for _ in range(4)]

    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert len(quorum(witnessed).cosignatures) == 3
    assert push(witnessed, bodies) == {"a": None, "b": None, "c": None}


@ON_SQLITE
def test_two_of_three_are_a_quorum_and_one_is_not(witnessed: House, bodies: Bodies) -> None:
    push(witnessed, bodies)
    first = quorum(witnessed)
    witnessed.clock.advance(MINUTES)
    witnessed.append(1)
    bodies.away("a", "b")
    push(witnessed, bodies)
    alone = quorum(witnessed)
    bodies.away("a")
    push(witnessed, bodies)

    assert (alone.size, alone.at) == (first.size, first.at)
    assert quorum(witnessed).at - first.at == MINUTES


REFUSALS = {
    "a proxy's page": (Reply(502, "text/html", b"<html>"), Refusal.UNEXPECTED),
    "a redirect": (Reply(302, "text/plain", b""), Refusal.UNEXPECTED),
    "not found": (Reply(404, "text/plain", b""), Refusal.UNKNOWN_LOG),
    "forbidden": (Reply(403, "text/plain", b""), Refusal.UNTRUSTED_KEY),
    "bad request": (Reply(400, "text/plain", b""), Refusal.MALFORMED),
    "unprocessable": (Reply(422, "text/plain", b""), Refusal.REWRITTEN),
    "nothing": (Reply(200, "text/plain", b""), Refusal.NO_COSIGNATURE),
    "no line": (Reply(200, "text/plain", b"\xff\xfe"), Refusal.NO_COSIGNATURE),
    "a conflict without a size": (Reply(409, "text/plain", b"3\n"), Refusal.REWRITTEN),
    "a conflict with no number": (Reply(409, "text/x.tlog.size", b"x\n"), Refusal.REWRITTEN),
    "a conflict without an end": (Reply(409, "text/x.tlog.size", b"3"), Refusal.REWRITTEN),
    "a conflict with a zero": (Reply(409, "text/x.tlog.size", b"03\n"), Refusal.REWRITTEN),
    "a conflict about our size": (Reply(409, "text/x.tlog.size", b"0\n"), Refusal.REWRITTEN),
    "more than we have": (Reply(409, "text/x.tlog.size", b"99\n"), Refusal.AHEAD),
}


@ON_SQLITE
def test_each_answer_that_is_no_cosignature_has_its_name(house: House, tmp_path: Path) -> None:
    bodies = gather(tmp_path / "bodies", house.journal.verifier_key, house.clock)
    named = {}
    for case, (reply, _) in REFUSALS.items():
        bodies.bodies["b"].instead = reply
        named[case] = push(house, bodies)
    bodies.bodies["b"].instead = None

    after = push(house, bodies)

    expected = {case: {"a": None, "b": each, "c": None} for case, (_, each) in REFUSALS.items()}
    assert named == expected
    assert after == {"a": None, "b": None, "c": None}


@ON_SQLITE
def test_a_witness_that_always_names_another_size_is_not_asked_for_ever(
    house: House, tmp_path: Path
) -> None:
    bodies = gather(tmp_path / "bodies", house.journal.verifier_key, house.clock)
    house.append(10)
    sizes = iter(range(1, 10))

    class Fickle:
        def answer(self, body: bytes) -> Reply:
            return Reply(409, "text/x.tlog.size", f"{next(sizes)}\n".encode())

    bodies.bodies["a"] = Fickle()  # type: ignore[assignment]  # only `answer` is called

    assert push(house, bodies)["a"] is Refusal.UNEXPECTED
    assert next(sizes) == 4


@ON_SQLITE
def test_another_keys_cosignature_and_another_times_are_none(house: House, tmp_path: Path) -> None:
    bodies = gather(tmp_path / "bodies", house.journal.verifier_key, house.clock)
    other = gather(tmp_path / "others", house.journal.verifier_key, house.clock)
    bodies.bodies["a"].witness = other.bodies["a"].witness
    fast = replace(house.clock, at=house.clock.at + timedelta(minutes=6))
    bodies.bodies["b"].witness = gather(
        tmp_path / "bodies", house.journal.verifier_key, fast
    ).bodies["b"].witness  # fmt: skip

    assert push(house, bodies) == {
        "a": Refusal.NO_COSIGNATURE, "b": Refusal.CLOCK, "c": None,
    }  # fmt: skip


def test_what_somebody_writes_beside_a_checkpoint_makes_no_quorum(
    witnessed: House, bodies: Bodies, administrator: Administrator
) -> None:
    push(witnessed, bodies)
    lines = stored(witnessed)[2]
    assert lines is not None
    witnessed.clock.advance(5 * HOURS)
    witnessed.append(1)
    forged = cosignature.merged("", [])
    for text in (lines, forged, "nonsense", "— a.example/w AAAA\n"):
        administrator.run("UPDATE journal_checkpoint SET cosignatures = :t WHERE size = 3", t=text)

        assert quorum(witnessed).size == 2
        assert obstacle(witnessed) is Obstacle.UNWITNESSED


@ON_SQLITE
def test_cosignatures_over_another_log_or_size_make_no_quorum(
    witnessed: House, bodies: Bodies, administrator: Administrator
) -> None:
    push(witnessed, bodies)
    witnessed.append(1)
    copy = (
        "UPDATE journal_checkpoint SET (note, cosignatures) = "
        "(SELECT note, cosignatures FROM journal_checkpoint WHERE size = 2) WHERE size = 3"
    )
    administrator.run(copy)

    assert quorum(witnessed).size == 2


def resigned(house: House, administrator: Administrator) -> None:
    """Make hashes, tiles and root anew, and sign them with the real log key."""
    administrator.rebuild(Signer(ORIGIN, (house.keys_dir / "log.key").read_bytes()))


def test_history_rewritten_with_every_key_is_refused(
    witnessed: House, bodies: Bodies, administrator: Administrator
) -> None:
    witnessed.append(5)
    push(witnessed, bodies)
    size = quorum(witnessed).size
    administrator.run("DELETE FROM journal_leaf WHERE seq = 3")
    resigned(witnessed, administrator)
    cut = push(witnessed, bodies)
    administrator.run(
        "INSERT INTO journal_leaf SELECT :last, id, leaf_hash FROM journal_entry "
        "WHERE id NOT IN (SELECT entry_id FROM journal_leaf)",
        last=(size or 0) - 1,
    )
    resigned(witnessed, administrator)
    moved = push(witnessed, bodies)

    assert set(cut.values()) == {Refusal.AHEAD}
    assert set(moved.values()) == {Refusal.REWRITTEN}
    assert quorum(witnessed).size is None


@pytest.mark.parametrize("quorums", [0, 1])
def test_four_hours_without_a_quorum_hold_answers_and_the_next_lets_them_go(
    witnessed: House, bodies: Bodies, quorums: int
) -> None:
    for _ in range(quorums):
        push(witnessed, bodies)
    began = quorum(witnessed).at
    states = []
    for moment in (
        timedelta(), 10 * MINUTES, 10 * MINUTES + SECONDS, 4 * HOURS, 4 * HOURS + SECONDS,
    ):  # fmt: skip
        witnessed.clock.advance(began + moment - witnessed.clock.now())
        found, now = quorum(witnessed), witnessed.clock.now()
        states.append((found.is_late(now), obstacle(witnessed)))
    push(witnessed, bodies)

    assert states == [
        (False, None), (False, None), (True, None), (True, None), (True, Obstacle.UNWITNESSED),
    ]  # fmt: skip
    assert obstacle(witnessed) is None
    assert not quorum(witnessed).is_late(witnessed.clock.now())


def test_every_process_and_every_restart_sees_the_same(witnessed: House, bodies: Bodies) -> None:
    push(witnessed, bodies)
    witnessed.clock.advance(4 * HOURS + SECONDS)

    another = replace(witnessed, journal=opened(witnessed, bodies))
    seen = obstacle(witnessed), obstacle(another)
    push(another, bodies)
    after = obstacle(witnessed), obstacle(another)
    another.journal.close()

    assert (seen, after) == ((Obstacle.UNWITNESSED,) * 2, (None, None))


@ON_SQLITE
def test_without_a_demand_nothing_waits(house: House, tmp_path: Path) -> None:
    bodies = gather(tmp_path / "bodies", house.journal.verifier_key, house.clock)
    none = replace(bodies, policy=replace(bodies.policy, quorum=None))
    house.clock.advance(9 * HOURS)

    with_policy = replace(house, journal=opened(house, none))

    assert (obstacle(house), obstacle(with_policy)) == (None, None)
    assert house.database.read(with_policy.journal.witnessed) is None
    with_policy.journal.close()


def alarms(kind: str) -> float:
    return float(metrics.ALARMS.labels(kind)._value.get())


@ON_SQLITE
def test_late_missing_and_contradicting_each_raise_one_alarm(house: House, tmp_path: Path) -> None:
    bodies = gather(tmp_path / "bodies", house.journal.verifier_key, house.clock)
    journal = opened(house, bodies)
    asker = Witnessing(house.database, bodies.policy, house.clock, bodies.post)
    attendance = Attendance(asker, journal, house.database, house.clock)
    kinds = [f"witness-{kind}" for kind in ("quorum-late", "quorum-missing", "contradicts")]
    before = [alarms(kind) for kind in kinds]
    attendance.ask()

    for step in (11 * MINUTES, MINUTES, 4 * HOURS, MINUTES):
        house.clock.advance(step)
        attendance.watch()
    age = metrics.QUORUM_AGE._value.get()
    attendance.ask()
    attendance.watch()
    bodies.bodies["a"].instead = Reply(422, "text/plain", b"")
    attendance.ask()
    attendance.ask()

    assert age == (4 * HOURS + 13 * MINUTES).total_seconds()
    assert [alarms(kind) - was for kind, was in zip(kinds, before, strict=True)] == [1, 1, 1]
    assert metrics.QUORUM_AGE._value.get() == 0
    journal.close()
