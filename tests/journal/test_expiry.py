"""Expiry over five years: what goes when, what holds keep, and that the journal verifies."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.keyring import Keyring, row_id
from core.months import FILE
from journal import legal_holds, openings
from journal.cover import Part
from journal.entries import Kind, Retention
from journal.erasures import Erasures
from journal.expiry import Expired, Expiry
from journal.journal import Journal
from journal.legal_holds import Scope
from journal.orders import Order
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF, JOURNAL_OPEN
from journal.targets import Months
from tests.fakes import NOON
from tests.journal.conftest import ORIGIN, Administrator, House, codes

LOOKUP = "journal-lookup-identity"
CITIZEN = 3


@dataclass(frozen=True, slots=True)
class Machine:
    """What expires on one machine, with its own key file."""

    house: House
    keyring: Keyring
    expiry: Expiry

    def at(self, year: int, month: int, day: int = 1) -> "Machine":
        """Let time pass."""
        self.house.clock.at = datetime(year, month, day, 5, tzinfo=NOON.tzinfo)
        return self

    def run(self, *, whole: bool = False) -> Expired:
        return self.expiry.run(whole=whole)

    def open(self) -> dict[int, tuple[bool, bool]]:
        """Return, for the lookups by their leaves, whether identity and act open."""
        opened = {}
        for row in self.rows():
            if row.kind == Kind.LOOKUP:
                who = openings.identity(
                    self.keyring, row.entry_id, row.identity_key_id, row.enc_identity
                )
                what = openings.act(self.keyring, row.entry_id, row.act_key_id, row.enc_act)
                opened[row.seq] = who is not None, what is not None
        return opened

    def rows(self) -> list[Any]:
        wanted = (
            sa.select(JOURNAL_LEAF.c.seq, JOURNAL_ENTRY.c.kind, JOURNAL_OPEN)
            .join(JOURNAL_OPEN, JOURNAL_OPEN.c.entry_id == JOURNAL_LEAF.c.entry_id)
            .join(JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_LEAF.c.entry_id)
            .order_by(JOURNAL_LEAF.c.seq)
        )
        return list(self.house.database.read(lambda session: session.execute(wanted).all()))

    def told(self) -> list[dict[str, Any]]:
        """Return the payloads of what was erased."""
        found = (
            openings.act(self.keyring, row.entry_id, row.act_key_id, row.enc_act)
            for row in self.rows()
            if row.kind == Kind.ERASE
        )
        return [dict(act.payload) for act in found if act is not None]

    def hold(self, scope: Scope) -> int:
        add = partial(
            legal_holds.add,
            keyring=self.keyring,
            scope=scope,
            reason="case 9",
            by="console:em",
            now=self.house.clock.now(),
        )
        return self.house.database.write(add)

    def lift(self, number: int) -> None:
        lift = partial(legal_holds.lift, number=number, by="console:em", now=self.house.clock.now())
        assert self.house.database.write(lift)


def machine_of(house: House, keyring: Keyring, journal: Journal) -> Machine:
    return Machine(house, keyring, Expiry(house.database, journal, keyring, house.clock))


@pytest.fixture
def machine(house: House) -> Machine:
    """Leaves 2 to 6 are lookups of March 2026, leaves 7 to 11 of May."""
    house.append(5)
    made = machine_of(house, house.keyring, house.journal).at(2026, 5, 20)
    house.append(5)
    return made


@pytest.fixture
def other(machine: Machine, tmp_path: Path) -> Iterator[Machine]:
    """Another machine of the same deployment."""
    house, keys_dir = machine.house, tmp_path / "other-keys"
    shutil.copytree(house.keys_dir, keys_dir)
    keyring = Keyring.load(keys_dir, house.database, house.clock)
    journal = Journal.open(house.database, keyring, keys_dir, house.state_dir, ORIGIN, house.clock)
    yield machine_of(house, keyring, journal)
    journal.close()


def sound(machine: Machine) -> bool:
    report = machine.house.verify()
    assert (report.findings, report.incomplete) == ([], [])
    return True


def test_identities_go_after_24_months_and_acts_after_60(machine: Machine) -> None:
    march, may = range(2, 7), range(7, 12)

    assert machine.at(2028, 3, 31).run().openings == 0
    assert set(machine.open().values()) == {(True, True)}

    expired = machine.at(2028, 4).run()
    assert expired == Expired(5, ("lookup-identity 202603",))
    assert [machine.open()[seq] for seq in march] == [(False, True)] * 5
    assert [machine.open()[seq] for seq in may] == [(True, True)] * 5
    assert sound(machine)
    assert machine.house.verify().notes == []

    machine.at(2028, 6).run()
    assert [machine.open()[seq] for seq in may] == [(False, True)] * 5
    # The announcements of keys are acts of March too, and go with its acts.
    assert machine.at(2031, 4).run().openings == 9
    assert [machine.open()[seq] for seq in march] == [(False, False)] * 5
    assert machine.at(2031, 6).run().openings == 5
    assert set(machine.open().values()) == {(False, False)}
    assert sound(machine)
    assert machine.house.verify().notes == []
    gone = [row for row in machine.rows() if row.kind == Kind.LOOKUP]
    assert {tuple(row)[3:] for row in gone} == {(None,) * (len(gone[0]) - 3)}


def test_each_run_that_destroys_something_is_an_entry(machine: Machine) -> None:
    size = machine.house.size()

    machine.at(2028, 4).run()
    machine.run()
    machine.at(2028, 4, 30).run()

    assert machine.house.size() == size + 1
    (told,) = machine.told()
    assert (told["act"], told["basis"], told["openings"]) == ("expire", "retention", 5)
    assert told["keys"][-1] == "lookup-identity 202603"


def test_an_old_copy_of_the_database_opens_nothing_of_destroyed_months(
    machine: Machine, administrator: Administrator
) -> None:
    before = administrator.rows("SELECT * FROM journal_open")
    machine.at(2028, 4).run()

    restore(administrator, before)

    assert [machine.open()[seq] for seq in range(2, 7)] == [(False, True)] * 5
    assert [machine.open()[seq] for seq in range(7, 12)] == [(True, True)] * 5
    report = machine.house.verify()
    assert report.findings == []
    assert report.notes == [
        "5 openings are kept beyond their time: under a legal hold, or expiry is behind"
    ]
    # What is left of them goes when all is looked at.
    assert machine.run() == Expired()
    assert machine.run(whole=True).openings == 5
    assert machine.house.verify().notes == []


def test_a_key_that_is_destroyed_before_its_time_is_a_finding(machine: Machine) -> None:
    with machine.keyring.month_keys.destroying({LOOKUP: [202603]}):
        pass

    assert codes(machine.house.verify()) == {"opening-unreadable"}
    machine.at(2028, 3, 31)
    assert codes(machine.house.verify()) == {"opening-unreadable"}
    machine.at(2028, 4)
    assert sound(machine)


def test_every_machine_destroys_its_own_keys(machine: Machine, other: Machine) -> None:
    machine.at(2028, 4).run()
    assert set(other.open().values()) == {(True, True), (False, True)}
    before = (other.keyring.month_keys._keys_dir / FILE).read_bytes()

    expired = other.run()

    assert (expired.openings, len(expired.keys)) == (0, 3)
    assert (other.keyring.month_keys._keys_dir / FILE).read_bytes() != before
    assert len(machine.told()) == 2
    assert sound(machine)


def test_a_machine_follows_what_was_erased_by_order_on_another(
    machine: Machine, other: Machine
) -> None:
    house = machine.house
    erasures = Erasures(house.database, house.journal, house.keyring, house.clock)
    march = Months(Retention.LOOKUP, 202603, 202603)
    order = erasures.plan(march, Part.IDENTITY, basis="law", reason="case", by="console:an")
    assert isinstance(order, Order)
    for by in ("console:binh", "console:chi"):
        erasures.approve(order.id, by=by)
    erasures.run(order.id, by="console:an")

    expired = other.run()

    assert expired.keys == ("lookup-identity 202603",)
    assert 202603 not in other.keyring.month_keys.chains()[LOOKUP].readable(202605)
    assert 202602 in other.keyring.month_keys.chains()[LOOKUP].readable(202605)
    assert other.run() == Expired()
    assert sound(machine)


def test_a_hold_on_somebody_keeps_their_openings_and_their_months_keys(machine: Machine) -> None:
    index = row_id(machine.keyring.index("personal_id", f"{CITIZEN:012d}"))
    number = machine.hold(Scope(subject_index=index))

    expired = machine.at(2028, 4).run()

    assert expired.openings == 4
    assert "lookup-identity 202603" not in expired.keys
    assert [machine.open()[seq] for seq in range(2, 7)] == [
        (seq == 2 + CITIZEN, True) for seq in range(2, 7)
    ]
    report = machine.house.verify()
    assert report.findings == []
    assert report.notes[0].startswith("1 openings are kept beyond their time")
    assert machine.run() == Expired()

    # Later months go all the same: that of the hold stays alone.
    assert machine.at(2028, 6).run().openings == 4
    chain = machine.keyring.month_keys.chains()[LOOKUP]
    assert (chain.start, sorted(chain.kept)) == (202605, [202603])

    machine.lift(number)
    assert machine.run().openings == 2
    assert machine.keyring.month_keys.chains()[LOOKUP].start == 202606
    assert not machine.keyring.month_keys.chains()[LOOKUP].kept
    assert sound(machine)


def test_a_hold_on_a_month_keeps_all_of_it(machine: Machine) -> None:
    number = machine.hold(Scope(first_month=202603, last_month=202603))

    machine.at(2031, 6).run()

    assert [machine.open()[seq] for seq in range(2, 7)] == [(True, True)] * 5
    assert [machine.open()[seq] for seq in range(7, 12)] == [(False, False)] * 5
    for chain in machine.keyring.month_keys.chains().values():
        assert 202603 in chain.kept
    assert machine.house.verify().findings == []

    machine.lift(number)
    machine.run()
    assert set(machine.open().values()) == {(False, False)}
    assert sound(machine)


def test_nothing_is_destroyed_while_the_key_file_cannot_be_replaced(
    machine: Machine, tmp_path: Path
) -> None:
    (machine.house.keys_dir / "journal-months.new").mkdir()

    with pytest.raises(OSError, match="journal-months"):
        machine.at(2028, 4).run()

    assert machine.told() == []  # no entry says what did not happen
    (machine.house.keys_dir / "journal-months.new").rmdir()
    assert machine.run().keys
    assert sound(machine)


def test_a_hold_says_why_and_by_whom(machine: Machine) -> None:
    number = machine.hold(Scope(first_month=202603, last_month=202604))
    machine.lift(number)

    (found,) = machine.house.database.read(
        lambda session: legal_holds.everything(session, machine.keyring)
    )

    assert (found.id, found.reason, found.added_by, found.lifted_by) == (
        number,
        "case 9",
        "console:em",
        "console:em",
    )
    assert not machine.house.database.write(
        lambda s: legal_holds.lift(s, number, by="console:em", now=NOON)
    )


def restore(administrator: Administrator, before: list[Any]) -> None:
    """Put rows of openings back as they were."""
    columns = before[0]._fields
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    with administrator.at_work() as connection:
        connection.execute(
            sa.text(f"UPDATE journal_open SET {sets} WHERE entry_id = :entry_id"),  # noqa: S608 (our own words)
            [dict(zip(columns, row, strict=True)) for row in before],
        )
