"""What is disclosed beside the leaves, and what may be gone."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.verify_journal.conftest import Verify
from tests.verify_journal.logs import Log, line


def test_disclosed_parts_are_what_the_leaves_commit_to(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(300)
    whole, act, identity = (dict(log.openings[seq]) for seq in (3, 100, 290))
    del act["identity"], identity["act"]

    report = verify(
        log.export(tmp_path / "e", openings_jsonl="".join(map(line, (whole, act, identity))))
    )

    assert report["exit"] == 0
    assert "3 openings: commitments, erasures" in report["checked"]


@pytest.mark.parametrize(
    ("part", "name", "value", "fault"),
    [
        ("act", "payload", '{"command":"NK"}', "payload"),
        ("act", "e", "0" * 64, "payload"),
        ("identity", "subject", "person:000000000001", "subject"),
        ("identity", "subject", None, "subject"),
        ("identity", "actor", "phone:+84901234568", "actor"),
        ("act", "actor", "officer:an", "actor"),
    ],
)
def test_another_opening_is_found(
    tmp_path: Path, verify: Verify, part: str, name: str, value: str | None, fault: str
) -> None:
    log = Log.begun(5)
    log.openings[4][part][name] = value

    report = verify(log.export(tmp_path / "e", openings_jsonl=log.opened(3, 4, 5)))

    assert {each["seq"] for each in report["findings"]} == {4}
    assert fault in report["findings"][0]["detail"]
    assert set(report["counts"]) == {"opening-differs"}


def test_openings_of_two_entries_cannot_be_swapped(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(5)
    log.openings[3]["seq"], log.openings[4]["seq"] = 4, 3

    report = verify(log.export(tmp_path / "e", openings_jsonl=log.opened(4, 3)))

    assert report["counts"] == {"opening-differs": 6}


@pytest.mark.parametrize(
    "text",
    [
        "{}\n",
        "[]\n",
        "3\n",
        "not json\n",
        '{"seq":3}\n',
        '{"gone":[],"seq":3}\n',
        '{"gone":["identity","act"],"seq":3}\n',
        '{"gone":["act"],"seq":-1}\n',
        '{"gone":["act"],"seq":true}\n',
        '{"gone":["act"],"seq":3,"seq":3}\n',
        '{"gone":["act"], "seq":3}\n',
        '{"gone":["act"],"more":1,"seq":3}\n',
        '{"gone":["act"],"seq":1e0}\n',
        '{"act":{"e":"00","payload":""},"seq":3}\n',
        '{"act":{"payload":""},"seq":3}\n',
        '{"identity":{"s":null,"subject":null},"seq":3}\n',
        '{"gone":["act"],"seq":3}',
        "[" * 30_000 + "\n",
        '{"gone":["act"],"seq":' + "9" * 30_000 + "}\n",
        '{"gone":["act"],"seq":3}' + " " * 40_000 + "\n",
        "\udcff\n",
        "\n",
    ],
    ids=range(22),
)
def test_a_line_that_is_no_opening_is_found(tmp_path: Path, verify: Verify, text: str) -> None:
    log = Log.begun(5)
    folder = log.export(tmp_path / "e")
    (folder / "openings.jsonl").write_bytes(text.encode(errors="surrogateescape"))

    report = verify(folder)

    assert report["exit"] == 1
    assert "opening-malformed" in report["counts"]


@pytest.mark.parametrize("leaves", [(4, 3), (3, 3)])
def test_openings_stand_in_the_order_of_their_leaves(
    tmp_path: Path, verify: Verify, leaves: tuple[int, ...]
) -> None:
    log = Log.begun(5)

    report = verify(log.export(tmp_path / "e", openings_jsonl=log.opened(*leaves)))

    assert report["counts"]["opening-malformed"] == 1


def test_an_opening_of_no_leaf_is_found(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(5)
    log.openings[7] = log.openings[6] | {"seq": 7}

    report = verify(log.export(tmp_path / "e", openings_jsonl=log.opened(6, 7)))

    assert report["counts"] == {"opening-outside": 1}


def erased(part: str = "all", why: str = "order") -> Log:
    """Return a log whose leaves 3, and 5 to 6, were erased."""
    log = Log.begun(6)
    log.add("erase", ec=why, ep=part, es="3,5-6")
    return log


def gone(log: Log, seq: int, *parts: str) -> str:
    said: dict[str, Any] = dict(log.openings[seq])
    for part in parts:
        del said[part]
    return line({**said, "gone": sorted(parts)})


@pytest.mark.parametrize("seq", [3, 5, 6])
@pytest.mark.parametrize(("part", "found"), [("all", 2), ("identity", 1)])
def test_what_was_erased_cannot_be_disclosed(
    tmp_path: Path, verify: Verify, seq: int, part: str, found: int
) -> None:
    log = erased(part)

    report = verify(log.export(tmp_path / "e", openings_jsonl=log.opened(seq)))

    assert report["counts"] == {"erased-present": found}


def test_what_was_lost_may_come_back(tmp_path: Path, verify: Verify) -> None:
    log = erased(why="loss")

    assert verify(log.export(tmp_path / "e", openings_jsonl=log.opened(2, 3)))["exit"] == 0


@pytest.mark.parametrize("why", ["order", "loss"])
def test_what_is_gone_is_covered(tmp_path: Path, verify: Verify, why: str) -> None:
    log = erased("identity", why)
    covered, bare = gone(log, 3, "identity"), gone(log, 4, "identity")
    beyond = gone(log, 5, "act", "identity")

    assert verify(log.export(tmp_path / "e", openings_jsonl=covered))["exit"] == 0
    for text in (bare, beyond):
        report = verify(log.export(tmp_path / "e", openings_jsonl=text))
        assert report["counts"] == {"opening-missing": 1}


def test_what_has_expired_needs_no_cover(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(0)
    log.add(ts=1_500_000_000_000_000)  # 2017

    report = verify(log.export(tmp_path / "e", openings_jsonl=gone(log, 2, "act", "identity")))

    assert report["exit"] == 0


def test_a_forged_erasure_covers_nothing_unseen(tmp_path: Path, verify: Verify) -> None:
    log = erased()
    log.leaves[-1] = bytes(64) + log.leaves[-1][64:]

    report = verify(log.export(tmp_path / "e"), "--signatures", "none")

    assert report["counts"] == {"writer-signature": 1}
    assert json.loads(log.leaves[-1][64:])["es"] == "3,5-6"
