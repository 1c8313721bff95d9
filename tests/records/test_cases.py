"""Correction cases: one for each reply, counted by sender while they are open."""

from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from core.db import Database
from core.ids import uuid7
from records import cases
from records.cases import Case, CaseState, NewCase
from tests.fakes import NOON


def new(sender: int = 11, **changes: object) -> NewCase:
    fields: dict[str, object] = {
        "id": uuid7(), "number": cases.draw_number(), "entry_id": uuid7(), "sender_id": sender,
        "opened_at": NOON,
    }  # fmt: skip
    return NewCase(**fields | changes)  # type: ignore[arg-type]  # fields by name


def open_all(database: Database, *made: NewCase) -> None:
    database.write(partial(cases.open_all, new=made))


def test_cases_are_found_by_what_they_are_about_and_counted_by_sender(database: Database) -> None:
    first, second, others = new(), new(), new(sender=12)
    open_all(database, first, second, others)

    found = database.read(partial(cases.of_entries, entry_ids=[first.entry_id, uuid7()]))

    assert found == {
        first.entry_id: Case(
            number=first.number, entry_id=first.entry_id, state=CaseState.OPEN, opened_at=NOON
        )
    }
    assert database.read(partial(cases.open_of, sender_ids=[11, 12, 13])) == {11: 2, 12: 1}


def test_nothing_to_open_is_no_statement(database: Database) -> None:
    open_all(database)

    assert database.read(partial(cases.listed, closed_too=True)) == []


def test_a_reply_has_one_case(database: Database) -> None:
    first = new()
    open_all(database, first)

    with pytest.raises(sa.exc.IntegrityError):
        open_all(database, new(entry_id=first.entry_id))


def test_a_case_that_is_closed_keeps_its_end_and_forgets_its_sender(database: Database) -> None:
    case = new()
    open_all(database, case)
    later = NOON + timedelta(days=1)
    close = partial(cases.close, number=case.number, by="officer:an", now=later)

    was = database.write(partial(close, reason="corrected"))
    again = database.write(partial(close, reason="once more"))

    assert was is not None
    assert was.state is CaseState.OPEN
    assert again == Case(
        number=case.number, entry_id=case.entry_id, state=CaseState.CLOSED, opened_at=NOON,
        closed_at=later, closed_by="officer:an", closed_reason="corrected",
    )  # fmt: skip
    assert database.read(partial(cases.open_of, sender_ids=[11])) == {}
    assert database.read(partial(cases.listed, closed_too=False)) == []
    assert database.read(partial(cases.listed, closed_too=True)) == [again]
    nobodys = sa.select(cases.CORRECTION_CASE.c.sender_id)
    assert database.read(lambda s: s.execute(nobodys).scalar()) is None


def test_there_is_nothing_to_close(database: Database) -> None:
    close = partial(cases.close, number=cases.draw_number(), reason="x", by="an", now=NOON)

    assert database.write(close) is None


def test_a_number_reads_back_and_one_wrong_symbol_is_found() -> None:
    number = cases.draw_number()
    mistyped = ("0" if number[0] != "0" else "1") + number[1:]

    assert cases.read_number(number.lower().replace("-", " ")) == number
    assert cases.read_number(mistyped) is None
    assert len(number) == 9
