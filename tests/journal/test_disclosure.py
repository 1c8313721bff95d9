"""What is opened is what was asked for, opens its leaf, and is said in the journal before."""

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest

from journal import disclosure, export
from journal.disclosure import Chosen, Count, Grounds, Selection
from journal.entries import Kind
from journal.errors import ExportError
from tests.journal.conftest import Administrator, House

GROUNDS = Grounds(by="console:an", reason="audit", case=None, acts_only=False)


def chosen(house: House, *words: str, first: int = 0, last: int | None = None) -> Chosen:
    end = house.size() - 1 if last is None else last
    return disclosure.choose(house.database, house.keyring, disclosure.select(words), first, end)


def opened(house: House, found: Chosen, *, acts_only: bool = False) -> list[dict[str, Any]]:
    lines = disclosure.lines(house.database, house.keyring, found, acts_only=acts_only)
    return [json.loads(line) for line in lines]


def seqs(house: House, *words: str, **bounds: int) -> list[int]:
    return [line["seq"] for line in opened(house, chosen(house, *words, **bounds))]


def commit(salt: str, label: str, value: str) -> str:
    key = hmac.digest(bytes.fromhex(salt), label.encode(), "sha256")
    return hmac.digest(key, value.encode(), "sha256").hex()


def test_what_is_opened_is_what_the_leaf_commits_to(house: House) -> None:
    made = house.append(3)

    lines = opened(house, chosen(house, "2-4"))

    for number, (line, entry) in enumerate(zip(lines, made, strict=True)):
        leaf = json.loads(entry.leaf[64:])
        act, identity = line["act"], line["identity"]
        assert commit(act["e"], "payload", act["payload"]) == leaf["cp"]
        assert commit(identity["s"], "subject", identity["subject"]) == leaf["cs"]
        assert commit(identity["s"], "actor", identity["actor"]) == leaf["ca"]
        assert identity["subject"] == f"person:{number:012d}"
        assert set(line) == {"seq", "act", "identity"}
        assert "actor" not in act
    acts = opened(house, chosen(house, "2-4"), acts_only=True)
    assert acts == [{"seq": line["seq"], "act": line["act"]} for line in lines]
    (raw,) = disclosure.lines(house.database, house.keyring, chosen(house, "2"), acts_only=False)
    said = json.dumps(json.loads(raw), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert raw == said.encode() + b"\n"


def test_entries_are_chosen_by_number_span_receipt_kind_and_person(house: House) -> None:
    made = house.append(10)
    last = 11

    assert seqs(house, "5") == [5]
    assert seqs(house, "7-9", "8-11", "3") == [3, 7, 8, 9, 10, 11]
    assert seqs(house, made[4].receipt, made[2].receipt.lower().replace("-", " ")) == [4, 6]
    assert seqs(house, "key") == [0, 1]
    assert seqs(house, "lookup", "0") == [0, *range(2, last + 1)]
    assert seqs(house, "lookup", first=4, last=6) == [4, 5, 6]
    assert seqs(house, "person:000000000003") == [5]
    assert seqs(house, "person:999999999999") == []
    assert seqs(house, "erase") == []


def test_a_choice_over_many_pages_is_in_order(house: House) -> None:
    house.append(2100)

    assert seqs(house, "lookup") == list(range(2, 2102))
    assert seqs(house, "2040-2060", "7-9") == [7, 8, 9, *range(2040, 2061)]


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("",),
        ("-1",),
        ("01",),
        ("5-",),
        ("7F3K-92TX-2VHD-WR5X",),
        ("person:12",),
        ("person:000000000001", "5"),
        ("person:000000000001", "person:000000000002"),
    ],
)
def test_what_selects_nothing_is_refused_and_nobody_named(words: tuple[str, ...]) -> None:
    with pytest.raises(ExportError) as refused:
        disclosure.select(words)

    assert "0000" not in str(refused.value)
    assert "person:12" not in str(refused.value)


def test_what_is_not_exported_cannot_be_chosen(house: House) -> None:
    made = house.append(10)

    for words in (("2",), ("8",), ("5-8",), ("6-5",), (made[0].receipt,)):
        with pytest.raises(ExportError):
            chosen(house, *words, first=4, last=7)
    with pytest.raises(ExportError):
        chosen(house, "7F3K-92TX-2VHD-WR5T")


def test_the_count_is_that_of_the_lines(house: House) -> None:
    house.append(500)
    words = [str(seq) for seq in range(2, 500, 2)]

    counted = disclosure.count(house.database, chosen(house, *words, "3"))

    numbers = sorted([*map(int, words), 3])
    assert counted.count == len(numbers) == 250
    assert counted.runs[:2] == ((2, 4), (6, 6))
    assert len(counted.runs) == 200
    assert counted.digest == sha256("".join(f"{n}\n" for n in numbers).encode()).hexdigest()
    few = disclosure.count(house.database, chosen(house, "5-8", "20"))
    assert (few.count, few.runs) == (5, ((5, 8), (20, 20)))


def test_what_is_gone_is_said_to_be(house: House, administrator: Administrator) -> None:
    house.append(3)
    here = "WHERE entry_id = (SELECT entry_id FROM journal_leaf WHERE seq = :seq)"
    for seq, change in enumerate(
        (
            "UPDATE journal_open SET enc_identity = NULL",
            "DELETE FROM journal_open",
            "UPDATE journal_open SET enc_act = enc_identity",
        ),
        start=2,
    ):
        administrator.run(f"{change} {here}", seq=seq)

    lines = opened(house, chosen(house, "2-4"))

    assert [line.get("gone") for line in lines] == [["identity"], ["act", "identity"], ["act"]]
    assert [set(line) for line in lines] == [
        {"seq", "gone", "act"},
        {"seq", "gone"},
        {"seq", "gone", "identity"},
    ]


def test_the_entry_says_who_why_how_many_and_which() -> None:
    counted = Count(7, ((2, 7), (9, 9)), "ab" * 32)
    nobody = Chosen(0, 9, (), (), ())

    draft = disclosure.draft(Selection(), nobody, counted, GROUNDS, 10)

    assert (draft.kind, draft.actor, draft.subject) == (Kind.ADMIN, "console:an", None)
    assert draft.payload == {
        "act": "journal-open",
        "reason": "audit",
        "count": 7,
        "chosen": ("2-7", "9"),
        "digest": "ab" * 32,
        "parts": ("act", "identity"),
        "size": 10,
    }


def test_a_person_whose_entries_are_opened_is_the_subject_and_is_told(house: House) -> None:
    house.append(1)
    selection = disclosure.select(["person:000000000000"])
    found = disclosure.choose(house.database, house.keyring, selection, 0, 2)
    counted = disclosure.count(house.database, found)

    draft = disclosure.draft(selection, found, counted, GROUNDS, 3)

    assert (draft.subject, draft.told_as) == ("person:000000000000", "access")
    assert draft.subject_index == found.subjects[0]
    assert "000000000000" not in json.dumps(draft.payload)


def test_a_range_that_opens_brings_the_bundles_of_what_may_cover_it(
    house: House, administrator: Administrator
) -> None:
    house.append(1000)
    administrator.run(
        "UPDATE journal_entry SET kind = 'erase' "
        "WHERE id = (SELECT entry_id FROM journal_leaf WHERE seq = 900)"
    )

    plain = export.decide(house.database, 600, 700)
    opens = export.decide(house.database, 600, 700, opens=True)

    assert plain.bundles == ((0, 0), (2, 2))
    assert opens.bundles == ((0, 0), (2, 3))
