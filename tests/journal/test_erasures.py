"""Erasure before the time: what goes, who decides it, and that the journal verifies all along."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Database
from core.keyring import row_id
from journal import cover, legal_holds, openings, returned
from journal.audit import KeyringOpenings
from journal.cover import Part
from journal.entries import Draft, Kind, Retention
from journal.erasures import Erasures
from journal.errors import DraftError
from journal.leaf import Cover
from journal.legal_holds import Scope
from journal.note import Verifier
from journal.orders import Order, Refusal, State
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF, JOURNAL_OPEN
from journal.targets import Leaves, Months, People, Target
from journal.verifier import Report, verify
from tests.fakes import FixedClock
from tests.journal.conftest import Administrator, House, codes

CITIZEN = 7
# What people may decide does not hang on the kind of database; what is stored and sealed does.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
MARCH = Months(Retention.LOOKUP, 202603, 202603)


@dataclass(frozen=True, slots=True)
class Office:
    """Those who erase, and a journal of March: three lookups by a citizen, seven by others."""

    house: House
    erasures: Erasures

    def plan(self, target: Target | None = None, part: Part = Part.IDENTITY) -> Order | Refusal:
        return self.erasures.plan(
            target or self.citizen(), part, basis="Law 91/2025", reason="case 12", by="console:an"
        )

    def approved(self, target: Target | None = None, part: Part = Part.IDENTITY) -> int:
        order = self.plan(target, part)
        assert isinstance(order, Order), order
        for by in ("console:binh", "console:chi"):
            assert isinstance(self.erasures.approve(order.id, by=by), Order)
        return order.id

    def erase(
        self,
        target: Target | None = None,
        part: Part = Part.IDENTITY,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> Order | Refusal:
        return self.erasures.run(self.approved(target, part), by="console:dung", progress=progress)

    def citizen(self, number: int = CITIZEN) -> People:
        index = self.house.keyring.index("personal_id", f"{number:012d}")
        return People(subjects=[row_id(index)])

    def hold(self, scope: Scope) -> int:
        return self.house.database.write(
            lambda session: legal_holds.add(
                session,
                self.house.keyring,
                scope,
                reason="case 9",
                by="console:em",
                now=self.house.clock.now(),
            )
        )

    def openings(self) -> dict[int, tuple[bool, bool]]:
        """Return, by leaf, whether identity and act open."""
        opener = KeyringOpenings(self.house.keyring)
        return {
            row.seq: (
                row.enc_identity is not None
                and opener.identity(row.entry_id.bytes, row.identity_key_id, row.enc_identity)
                is not None,
                row.enc_act is not None
                and opener.act(row.entry_id.bytes, row.act_key_id, row.enc_act) is not None,
            )
            for row in rows(self.house.database)
        }

    def leaves(self, kind: Kind) -> list[dict[str, Any]]:
        """Return what the leaves of a kind say."""
        return [json.loads(row.leaf[64:]) for row in rows(self.house.database) if row.kind == kind]

    def told(self, kind: Kind) -> list[dict[str, Any]]:
        """Return the payloads of a kind of entry, as far as they open."""
        acts = (
            openings.act(self.house.keyring, row.entry_id, row.act_key_id, row.enc_act)
            for row in rows(self.house.database)
            if row.kind == kind
        )
        return [dict(act.payload) for act in acts if act is not None]


def rows(database: Database) -> list[Any]:
    """Return all sealed entries with their openings, in their order."""
    wanted = (
        sa.select(JOURNAL_LEAF.c.seq, JOURNAL_ENTRY.c.kind, JOURNAL_ENTRY.c.leaf, JOURNAL_OPEN)
        .join(JOURNAL_OPEN, JOURNAL_OPEN.c.entry_id == JOURNAL_LEAF.c.entry_id)
        .join(JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_LEAF.c.entry_id)
        .order_by(JOURNAL_LEAF.c.seq)
    )
    return list(database.read(lambda session: session.execute(wanted).all()))


@pytest.fixture
def office(house: House) -> Office:
    """Leaves 0 and 1 announce keys; 2 to 11 are lookups, 4, 7 and 9 of them by one citizen."""
    numbers = [1, 2, CITIZEN, 3, 4, CITIZEN, 5, CITIZEN, 6, 8]
    made = house.journal.prepare([house.draft(number) for number in numbers])
    house.database.write(lambda session: house.journal.append(session, made))
    house.seal()
    erasures = Erasures(house.database, house.journal, house.keyring, house.clock, batch=2)
    return Office(house, erasures)


def sound(report: Report) -> bool:
    assert (report.findings, report.incomplete) == ([], [])
    return True


def test_a_citizen_is_erased_and_the_journal_verifies_before_at_and_after(office: Office) -> None:
    assert sound(office.house.verify())
    between: list[int] = []

    def look(done: int) -> None:
        # On PostgreSQL the entry that covers the batch waits to be sealed just now.
        assert sound(office.house.verify())
        between.append(done)

    order = office.erase(progress=look)

    assert isinstance(order, Order)
    assert (order.state, order.leaves, between) == (State.DONE, None, [2, 3])
    assert sound(office.house.verify())
    assert office.house.verify().notes == []


def test_the_identity_goes_and_the_act_stays(office: Office) -> None:
    office.erase()

    found = office.openings()
    assert {seq for seq, (identity, _) in found.items() if not identity} == {4, 7, 9}
    assert all(act for _, act in found.values())
    gone = [row for row in rows(office.house.database) if row.seq in {4, 7, 9}]
    assert {(row.subject_index, row.actor_index, row.identity_key_id) for row in gone} == {
        (None, None, None)
    }


@ON_ONE
def test_what_is_erased_does_not_stand_in_the_file_any_more(office: Office) -> None:
    file = Path(office.house.database.url.database or "")
    blobs = [row.enc_identity for row in rows(office.house.database) if row.seq in {4, 7, 9}]
    office.house.database.checkpoint()
    assert all(blob in file.read_bytes() for blob in blobs)

    office.erase()

    office.house.database.checkpoint()
    assert not any(blob in file.read_bytes() for blob in blobs)


def test_an_erasure_says_in_its_leaf_what_is_gone_and_in_its_payload_why(office: Office) -> None:
    office.erase()

    covers = [(leaf["ec"], leaf["ep"], leaf["es"]) for leaf in office.leaves(Kind.ERASE)]
    assert covers == [("order", "identity", "4,7"), ("order", "identity", "9")]
    told = office.told(Kind.ERASE)[0]
    assert told["approved_by"] == ["console:binh", "console:chi"]
    assert (told["basis"], told["reason"], told["planned_by"], told["openings"]) == (
        "Law 91/2025",
        "case 12",
        "console:an",
        2,
    )
    acts = [said["act"] for said in office.told(Kind.ADMIN)]
    assert acts == ["erase-plan", "erase-approve", "erase-approve"]


@ON_ONE
def test_nothing_that_is_stored_about_an_order_names_the_citizen(office: Office) -> None:
    office.approved()

    stored = office.house.database.read(
        lambda s: [tuple(row) for row in s.execute(sa.text("SELECT * FROM journal_erasure"))]
    )
    (index,) = office.citizen().subjects
    assert f"{CITIZEN:012d}" not in repr(stored)
    assert str(index) not in repr(stored)
    assert "case 12" not in repr(stored)


@ON_ONE
def test_identity_and_act_may_go_together(office: Office) -> None:
    office.erase(Leaves([4, 5]), Part.ALL)

    found = office.openings()
    assert found[4] == found[5] == (False, False)
    assert found[6] == (True, True)
    assert office.leaves(Kind.ERASE)[0]["es"] == "4-5"
    assert sound(office.house.verify())


@ON_ONE
def test_what_was_asked_from_a_telephone_can_be_erased(office: Office) -> None:
    index = office.house.keyring.index("phone", f"+8490{CITIZEN:07d}")

    order = office.plan(People(actors=[row_id(index)]))

    assert isinstance(order, Order)
    assert order.leaves == "4,7,9"


@ON_ONE
def test_a_plan_says_what_would_go(office: Office) -> None:
    order = office.plan()

    assert isinstance(order, Order)
    assert (order.state, order.leaves) == (State.PLANNED, "4,7,9")
    assert order.counts == {
        "leaves": 3,
        "identity": 3,
        "act": 3,
        "kind lookup": 3,
        "first_month": 202603,
        "last_month": 202603,
    }
    assert office.openings()[4] == (True, True)
    assert office.erasures.all() == [order]


@ON_ONE
def test_a_plan_for_nothing_is_none(office: Office) -> None:
    assert office.plan(office.citizen(999)) is Refusal.NOTHING
    assert office.plan(Leaves([999])) is Refusal.NOTHING
    assert office.erasures.all() == []


@ON_ONE
def test_announcements_and_erasures_are_never_erased_before_their_time(office: Office) -> None:
    office.erase()
    size = office.house.size()

    order = office.plan(Leaves(range(size)), Part.ALL)

    assert isinstance(order, Order)
    # 0 and 1 announce keys, 12 to 14 order the erasure, 15 and 16 cover it.
    assert order.leaves == "2-14"


@ON_ONE
def test_three_different_people_make_an_erasure(office: Office) -> None:
    order = office.plan()
    assert isinstance(order, Order)
    approve = office.erasures.approve

    assert approve(order.id, by="console:an") is Refusal.SAME_PERSON
    assert office.erasures.run(order.id, by="console:dung") is Refusal.NOT_APPROVED
    assert isinstance(approve(order.id, by="console:binh"), Order)
    assert approve(order.id, by="console:binh") is Refusal.SAME_PERSON
    assert office.erasures.run(order.id, by="console:dung") is Refusal.NOT_APPROVED
    assert isinstance(approve(order.id, by="console:chi"), Order)
    assert approve(order.id, by="console:dung") is Refusal.APPROVED_ALREADY
    assert isinstance(office.erasures.run(order.id, by="console:an"), Order)
    assert office.erasures.run(order.id, by="console:an") is Refusal.ENDED
    assert approve(999, by="console:binh") is Refusal.UNKNOWN
    assert office.erasures.run(999, by="console:binh") is Refusal.UNKNOWN


def test_the_database_itself_takes_no_approver_twice(office: Office) -> None:
    number = office.approved()
    refused = pytest.raises(sa.exc.IntegrityError)

    for change in ("first_by = 'console:an'", "second_by = 'console:binh'"):
        statement = sa.text(f"UPDATE journal_erasure SET {change} WHERE id = {number}")  # noqa: S608 (our own words)
        with refused:
            office.house.database.write(partial(Session.execute, statement=statement))


@ON_ONE
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal_erasure SET first_by = 'console:x', second_by = 'console:y'",
        "UPDATE journal_erasure SET second_entry = first_entry",
        "UPDATE journal_erasure SET leaves = '2-11'",
        "UPDATE journal_erasure SET part = 'all'",
        "UPDATE journal_erasure SET planned_by = 'console:x'",
    ],
)
def test_an_administrator_cannot_approve_or_change_what_was_approved(
    office: Office, administrator: Administrator, change: str
) -> None:
    number = office.approved()
    administrator.run(change)

    assert office.erasures.run(number, by="console:dung") is Refusal.NOT_AS_APPROVED
    assert office.openings()[4] == (True, True)


@ON_ONE
def test_an_order_may_be_cancelled(office: Office) -> None:
    number = office.approved()

    order = office.erasures.cancel(number, by="console:an")

    assert isinstance(order, Order)
    assert order.state is State.CANCELLED
    assert office.erasures.run(number, by="console:dung") is Refusal.ENDED
    assert office.openings()[4] == (True, True)


def test_an_erasure_that_was_interrupted_goes_on(office: Office) -> None:
    number = office.approved()

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.erasures.run(number, by="console:dung", progress=stop)
    assert sound(office.house.verify())
    assert not office.openings()[4][0]
    assert office.openings()[9][0]

    assert isinstance(office.erasures.run(number, by="console:dung"), Order)
    assert not office.openings()[9][0]
    assert sound(office.house.verify())


def test_an_erasure_while_the_journal_is_being_verified_is_no_finding(office: Office) -> None:
    number, calls = office.approved(), 0
    house = office.house

    def read(work: Callable[[Session], Any]) -> Any:  # noqa: ANN401 (whatever is read)
        nonlocal calls
        calls += 1
        if calls == 4:  # the size is read, and the entries are not
            office.erasures.run(number, by="console:dung")
        return house.database.read(work)

    log_key = Verifier.parse(house.journal.verifier_key).public
    report = verify(read, [log_key], now=house.clock.now(), openings=KeyringOpenings(house.keyring))

    assert report.size < house.size()
    assert report.findings == []


def test_what_is_erased_beyond_what_an_entry_covers_is_found(
    office: Office, administrator: Administrator
) -> None:
    office.erase()
    wiped = "enc_identity = NULL, subject_index = NULL, actor_index = NULL"
    administrator.run(
        f"UPDATE journal_open SET {wiped} WHERE entry_id IN "  # noqa: S608 (our own words)
        "(SELECT entry_id FROM journal_leaf WHERE seq = 5)"
    )
    administrator.run(
        "UPDATE journal_open SET enc_act = NULL WHERE entry_id IN "
        "(SELECT entry_id FROM journal_leaf WHERE seq = 4)"
    )

    report = office.house.verify()

    assert [(finding.code, finding.seq) for finding in report.findings] == [
        ("opening-missing", 4),  # its identity is covered, its act is not
        ("opening-missing", 5),
    ]


def test_an_entry_covers_nothing_that_comes_after_it(office: Office) -> None:
    size = office.house.size()
    append(office.house, Cover("loss", "all", f"5,{size}"))

    assert codes(office.house.verify()) == {"cover-ahead"}


def test_what_was_lost_in_a_restore_is_covered_and_remarked(
    office: Office, administrator: Administrator
) -> None:
    administrator.run(
        "DELETE FROM journal_open WHERE entry_id IN "
        "(SELECT entry_id FROM journal_leaf WHERE seq BETWEEN 6 AND 8)"
    )
    assert codes(office.house.verify()) == {"opening-missing"}

    append(office.house, Cover("loss", "all", "6-8"))

    report = office.house.verify()
    assert sound(report)
    assert report.notes == ["6 openings were lost, and entries say why"]


def test_what_was_erased_and_is_back_is_found_and_goes_again(
    office: Office, administrator: Administrator
) -> None:
    before = administrator.rows("SELECT * FROM journal_open")
    office.erase()
    columns = list(before[0]._fields)
    for row in before:
        values = dict(zip(columns, row, strict=True))
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        administrator.run(f"UPDATE journal_open SET {sets} WHERE entry_id = :entry_id", **values)  # noqa: S608 (our own words)
    assert codes(office.house.verify()) == {"erased-present"}

    again = returned.erase_again(office.house.database, office.house.journal)
    office.house.seal()

    assert again == 3
    assert sound(office.house.verify())
    assert returned.erase_again(office.house.database, office.house.journal) == 0


@ON_ONE
@pytest.mark.parametrize("what", ["person", "phone", "month", "month-of-all"])
def test_a_legal_hold_blocks_the_plan_and_the_run(office: Office, what: str) -> None:
    keyring = office.house.keyring
    scope = {
        "person": Scope(subject_index=next(iter(office.citizen().subjects))),
        "phone": Scope(actor_index=row_id(keyring.index("phone", f"+8490{CITIZEN:07d}"))),
        "month": Scope(first_month=202602, last_month=202603, retention=Retention.LOOKUP),
        "month-of-all": Scope(first_month=202603, last_month=202605),
    }[what]
    number = office.approved()
    hold = office.hold(scope)

    assert office.plan() is Refusal.HELD
    assert office.erasures.run(number, by="console:dung") is Refusal.HELD
    assert office.openings()[4] == (True, True)

    now = office.house.clock.now()
    assert office.house.database.write(
        lambda s: legal_holds.lift(s, hold, by="console:em", now=now)
    )
    assert isinstance(office.erasures.run(number, by="console:dung"), Order)


@ON_ONE
def test_a_hold_on_others_blocks_nothing(office: Office) -> None:
    office.hold(Scope(subject_index=next(iter(office.citizen(999).subjects))))
    office.hold(Scope(first_month=202603, last_month=202603, retention=Retention.ACT))
    office.hold(Scope(first_month=202604, last_month=202612))

    assert isinstance(office.erase(), Order)


def test_months_are_erased_with_their_keys(office: Office, clock: FixedClock) -> None:
    house = office.house
    assert office.plan(MARCH) is Refusal.TOO_YOUNG
    clock.at = clock.at.replace(month=4, day=2)
    house.append(2, 100)

    order = office.erase(MARCH, Part.ALL)

    assert isinstance(order, Order)
    assert order.state is State.DONE
    found = office.openings()
    assert all(found[seq] == (False, False) for seq in range(2, 12))
    assert found[12] == found[13] == (True, True)
    for purpose, chain in house.keyring.month_keys.chains().items():
        is_gone = "lookup" in purpose
        assert (202603 in chain.readable(202604)) is not is_gone
        assert 202602 in chain.readable(202604)
    assert sound(house.verify())
    keys = [said["keys"] for said in office.told(Kind.ERASE) if "keys" in said]
    assert keys == [["lookup-act 202603", "lookup-identity 202603"]]


@ON_ONE
def test_the_keys_of_acts_are_left_when_their_month_is_erased(
    office: Office, clock: FixedClock
) -> None:
    append(office.house, None)
    clock.at = clock.at.replace(month=4, day=2)

    order = office.erase(Months(Retention.ACT, 202603, 202603), Part.ALL)

    assert isinstance(order, Order)
    assert order.counts["leaves"] == 1
    assert 202603 in office.house.keyring.month_keys.chains()["journal-act-act"].readable(202604)
    assert sound(office.house.verify())


@ON_ONE
def test_only_an_erase_entry_covers(house: House) -> None:
    draft = house.draft(1)
    with pytest.raises(DraftError):
        house.journal.prepare(
            [
                Draft(
                    **{name: getattr(draft, name) for name in draft.__slots__ if name != "cover"},
                    cover=Cover("order", "all", "1"),
                )
            ]
        )


@pytest.mark.parametrize(
    ("leaves", "text"),
    [([], ""), ([7], "7"), ([3, 1, 2, 9], "1-3,9"), ([0, 1, 5, 5], "0-1,5"), ([1, 3], "1,3")],
)
def test_leaves_are_written_as_ranges(leaves: list[int], text: str) -> None:
    assert cover.written(leaves) == text
    assert list(cover.leaves_of(text)) == sorted(set(leaves))


def append(house: House, covered: Cover | None) -> None:
    """Append an entry of an office, one that covers what is gone if told so."""
    draft = Draft(
        kind=Kind.ERASE if covered else Kind.ADMIN,
        retention=Retention.ACT,
        actor="system",
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={"act": "test"},
        cover=covered,
    )
    made = house.journal.prepare([draft])
    house.database.write(lambda session: house.journal.append(session, made))
    house.seal()
