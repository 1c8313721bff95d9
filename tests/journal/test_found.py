"""Entries found again by their receipts and codes."""

from dataclasses import replace

from journal import found, receipts
from journal.entries import ToldAs
from journal.found import Found
from tests.journal.conftest import Administrator, House


def look(house: House, *wanted: str) -> dict[str, list[Found]]:
    return house.database.read(lambda session: found.by_receipt(session, wanted))


def test_a_receipt_and_its_code_lead_to_the_entry_and_its_place(house: House) -> None:
    before = house.size()
    draft = replace(house.draft(7), told_as=ToldAs.ACCESS)
    (entry,) = house.journal.prepare([draft])
    house.database.write(lambda session: house.journal.append(session, [entry]))
    house.seal()
    house.append(3)

    by_name = look(house, entry.receipt, entry.code)

    expected = Found(
        entry.id, entry.receipt, house.clock.now(), before, before + 4, draft.actor_index,
        draft.subject_index, ToldAs.ACCESS,
    )  # fmt: skip
    assert by_name == {entry.receipt: [expected], entry.code: [expected]}


def test_what_is_in_no_entry_is_not_found(house: House) -> None:
    (entry,) = house.append(1)
    other = receipts.receipt_of(bytes(32))

    assert look(house, other, receipts.code_of(other)) == {other: [], receipts.code_of(other): []}
    # The first twelve symbols alone are not the receipt.
    symbols = entry.receipt[:-4] + other[-4:]
    assert look(house, symbols) == {symbols: []}


def test_an_entry_that_is_not_sealed_is_not_found(house: House) -> None:
    (entry,) = house.journal.prepare([house.draft()])
    house.database.write(lambda session: house.journal.append(session, [entry]))

    waiting = look(house, entry.receipt)[entry.receipt]

    house.seal()
    at_once = house.database.dialect == "sqlite"
    assert len(waiting) == (1 if at_once else 0)
    assert len(look(house, entry.receipt)[entry.receipt]) == 1


def test_the_whole_receipt_works_when_the_entry_is_erased_and_says_nobodys(
    house: House, administrator: Administrator
) -> None:
    (entry,) = house.append(1)
    administrator.run("DELETE FROM journal_open")

    (still,) = look(house, entry.receipt)[entry.receipt]

    assert (still.actor_index, still.subject_index, still.told_as) == (None, None, None)


def test_two_entries_of_one_code_are_both_found(house: House, administrator: Administrator) -> None:
    one, other = house.append(2)
    number = receipts.numbers_of(one.code)[0]
    administrator.run("UPDATE journal_entry SET receipt = :number", number=number)

    by_code = look(house, one.code)[one.code]

    # The column narrows the search; what it finds is compared with what the leaf says.
    assert [each.entry_id for each in by_code] == [one.id]
    assert one.code != other.code
