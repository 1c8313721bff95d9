"""Who looked at a record, as the journal tells the citizen whose it is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from journal import accesses, found
from journal.accesses import Accesses, Opened
from journal.entries import Draft, Kind, Retention, ToldAs
from journal.errors import JournalFault
from tests.journal.conftest import Administrator, House

DAY = timedelta(days=1)
MINE = 7


def access(house: House, number: int = MINE, **changes: object) -> Draft:
    draft = replace(house.draft(number), told_as=ToldAs.ACCESS)
    return replace(draft, **changes)  # type: ignore[arg-type]  # fields by name


def append(house: House, *drafts: Draft) -> None:
    made = house.journal.prepare(drafts)
    house.database.write(lambda session: house.journal.append(session, made))
    house.seal()


def subject(house: House, number: int = MINE) -> int:
    found = house.draft(number).subject_index
    assert found is not None
    return found


def newest(house: House, *numbers: int, most: int = 3) -> list[Accesses]:
    subjects = [subject(house, number) for number in numbers or (MINE,)]
    now = house.clock.now()
    found = house.database.read(
        lambda session: accesses.newest(
            session, house.keyring, subjects, now, most=most, attempts_since=now - 30 * DAY
        )
    )
    return [found[each] for each in subjects]


def every(house: House) -> list[Opened]:
    found = [subject(house)]
    return house.database.read(
        lambda session: list(accesses.every(session, house.keyring, found, house.clock.now()))
    )


def test_the_newest_come_first_and_all_are_counted(house: House) -> None:
    for group in ("a", "b", "c", "d"):
        append(house, access(house, payload={"group": group}))
        house.clock.advance(DAY)

    (told,) = newest(house)

    assert [each.act.payload["group"] for each in told.newest] == ["d", "c", "b"]
    assert [house.clock.now() - each.at for each in told.newest] == [DAY, 2 * DAY, 3 * DAY]
    assert told.count == 4


def test_everybody_is_told_of_their_own_record_alone(house: House) -> None:
    append(house, access(house, 1, payload={"group": "one"}), access(house, 2))
    append(house, access(house, 2))

    one, two, three = newest(house, 1, 2, 3)

    assert [each.act.payload["group"] for each in one.newest] == ["one"]
    assert (one.count, two.count) == (1, 2)
    assert three == Accesses()


def test_what_is_no_access_is_not_told(house: House) -> None:
    append(house, house.draft(MINE), access(house, told_as=ToldAs.ATTEMPT))

    (told,) = newest(house)

    assert (told.newest, told.count) == ((), 0)


def test_attempts_are_counted_for_as_long_as_they_are_news(house: House) -> None:
    append(house, *[access(house, told_as=ToldAs.ATTEMPT) for _ in range(2)])
    house.clock.advance(30 * DAY)
    append(house, access(house, told_as=ToldAs.ATTEMPT))

    assert newest(house)[0].attempts == 3
    house.clock.advance(timedelta(microseconds=1))
    assert newest(house)[0].attempts == 1


def test_an_entry_under_embargo_is_neither_told_nor_counted_before_its_time(house: House) -> None:
    ends_at = house.clock.now() + DAY
    append(house, *[access(house, told_as=each, embargo_until=ends_at) for each in ToldAs])

    house.clock.advance(DAY - timedelta(microseconds=1))
    before = newest(house), every(house)

    house.clock.advance(timedelta(microseconds=1))
    (told,) = newest(house)
    assert before == ([Accesses()], [])
    assert (told.count, told.attempts, len(every(house))) == (1, 1, 2)


def test_what_is_not_sealed_let_nothing_leave_and_is_no_access(house: House) -> None:
    made = house.journal.prepare([access(house)])
    house.database.write(lambda session: house.journal.append(session, made))

    waiting = newest(house)[0].count, len(every(house))

    house.seal()
    at_once = house.database.dialect == "sqlite"
    assert waiting == ((1, 1) if at_once else (0, 0))
    assert (newest(house)[0].count, len(every(house))) == (1, 1)


def test_an_access_whose_act_is_gone_is_passed_over(
    house: House, administrator: Administrator
) -> None:
    for gone in ("enc_act = NULL, act_key_id = NULL", "act_key_id = 99"):
        append(house, access(house))
        administrator.run(f"UPDATE journal_open SET {gone} WHERE told_as IS NOT NULL")  # noqa: S608 (our own words)
    append(house, access(house, payload={"group": "kept"}))

    (told,) = newest(house)

    assert [each.act.payload["group"] for each in told.newest] == ["kept"]
    assert len(every(house)) == 1


def test_an_erased_identity_is_nobodys(house: House, administrator: Administrator) -> None:
    append(house, access(house))
    administrator.run("UPDATE journal_open SET subject_index = NULL, enc_identity = NULL")

    assert newest(house) == [Accesses()]
    assert every(house) == []


def test_every_entry_is_told_whole_with_its_receipt(house: House) -> None:
    office = Draft(
        kind=Kind.ADMIN, retention=Retention.ACT, actor="officer:an", actor_index=None,
        subject=f"person:{MINE:012d}", subject_index=subject(house), payload={"act": "view"},
    )  # fmt: skip
    append(house, house.draft(MINE), house.draft(8))
    append(house, office)

    by_office, by_citizen = every(house)

    assert (by_office.act.actor, by_office.identity.actor) == ("officer:an", None)
    assert (by_citizen.act.actor, by_citizen.identity.actor) == (None, f"phone:+8490{MINE:07d}")
    assert (by_office.kind, by_citizen.kind) == (Kind.ADMIN, Kind.LOOKUP)
    assert {each.identity.subject for each in (by_office, by_citizen)} == {f"person:{MINE:012d}"}
    by_receipt = house.database.read(lambda s: found.by_receipt(s, [by_office.receipt]))
    assert by_receipt[by_office.receipt][0].at == by_office.at


def test_an_officers_entry_about_a_citizen_is_an_access_whoever_forgets_to_say_so(
    house: House,
) -> None:
    office = replace(
        house.draft(MINE), kind=Kind.ADMIN, actor="officer:an", actor_index=None,
        payload={"act": "view"},
    )  # fmt: skip
    append(house, office, replace(office, subject=None, subject_index=None))

    (told,) = newest(house)

    assert [each.act.actor for each in told.newest] == ["officer:an"]


def test_a_long_history_is_read_to_its_end(house: House) -> None:
    append(house, *[house.draft(MINE) for _ in range(accesses._PAGE + 1)])

    told = every(house)

    assert len({each.receipt for each in told}) == accesses._PAGE + 1


def test_an_opening_that_its_leaf_does_not_commit_to_is_a_fault(
    house: House, administrator: Administrator
) -> None:
    made = house.append(1, start=MINE)
    other = house.keyring.encrypt(
        b'{"e":"00","payload":"{}"}',
        "journal-lookup-act",
        table="journal_open",
        column="enc_act",
        row=made[0].id.bytes,
    )
    administrator.run(
        "UPDATE journal_open SET enc_act = :blob, act_key_id = :key WHERE subject_index = :who",
        blob=other.blob, key=other.key_id, who=subject(house),
    )  # fmt: skip

    with pytest.raises(JournalFault, match="journal verify"):
        every(house)
