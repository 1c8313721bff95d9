"""NK, KT and SAI through the real HANDLE, SEAL and SEND: what the journal tells citizens."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from journal import openings
from journal.entries import Draft, Kind, Retention
from journal.openings import Act
from journal.receipts import receipt_of
from journal.tables import JOURNAL_ENTRY, JOURNAL_OPEN
from records import cases
from records.cases import CORRECTION_CASE
from records.register import Record
from records.stops import Stops
from sms import traces
from sms.facts import Loaded, Moving
from sms.groundwork import Groundwork
from tests.fakes import NOON
from tests.sms.deciding import EVERY_COMMAND, KT, SAI, SENDER, challenge, message
from tests.sms.gateway import OTHER, REAL, Gateway, other_than, stranger

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CODE = re.compile(r"(?:Ma GD|Ref) ([0-9A-Z]{6})")


def look_up(gateway: Gateway, person: Record, words: str = "DC {} XN") -> str:
    """Have somebody ask, give the PIN, and return what they are told in the end."""
    command, confirm = words.split(" {} ")
    told = gateway.ask(person.phone, f"{confirm} {gateway.pin(person, command)}")
    assert told is not None
    gateway.clock.advance(61 * MINUTE)
    return told.text


def code_in(text: str) -> str:
    found = CODE.search(text)
    assert found is not None, text
    return found[1]


def look_at(gateway: Gateway, person: Record, **changes: object) -> None:
    """Have an institution look at a record."""
    draft = Draft(
        kind=Kind.ADMIN, retention=Retention.ACT, actor="officer:binh", actor_index=None,
        subject=f"person:{person.personal_id}", subject_index=gateway.citizen_id(person),
        payload={"act": "view", "receiver": "Công an phường Cửa Nam"}, **changes,  # type: ignore[arg-type]  # fields by name
    )  # fmt: skip
    made = gateway.journal.prepare([draft])
    gateway.database.write(lambda session: gateway.journal.append(session, made))
    gateway.seal()


def receipt_of_newest(gateway: Gateway) -> str:
    entries = gateway.rows(JOURNAL_ENTRY)
    return receipt_of(max(entries, key=lambda row: row.id).leaf_hash)


def test_a_citizen_is_told_who_looked_when_and_why(gateway: Gateway) -> None:
    person, other = gateway.population(2)
    look_up(gateway, person)
    look_up(gateway, other)
    look_at(gateway, person)
    gateway.clock.advance(DAY)

    told = look_up(gateway, person, "NK {} XN")

    assert told.startswith(
        "CSDLDC: Truy cap: 02/03 14:02 CA P. Cua Nam, xem; 02/03 12:00 ban, SMS, ho so. "
    )
    again = look_up(gateway, person, "LOG {} PIN")
    assert again.startswith(
        "CSDLDC: Accessed: 03/03 14:02 you, SMS, log; 02/03 14:02 CA P. Cua Nam, view; "
        "02/03 12:00 you, SMS, record. "
    )


def test_nobody_has_looked_at_a_record_that_nobody_was_told(gateway: Gateway) -> None:
    person = gateway.person()
    thief = stranger(1)
    gateway.ask(thief, f"DC {person.personal_id}")
    gateway.ask(stranger(2), f"NK {person.personal_id}")

    told = look_up(gateway, person, "NK {} XN")

    assert "chua ghi lan truy cap nao" in told
    assert "(so khac thu 2 lan/30 ngay)" in told
    assert "so khac thu 2 lan/30 ngay" in look_up(gateway, person, "NK {} XN")
    gateway.clock.advance(31 * DAY)
    assert "so khac" not in look_up(gateway, person, "NK {} XN")


def test_an_access_under_embargo_is_told_when_its_time_has_come(gateway: Gateway) -> None:
    person = gateway.person()
    look_at(gateway, person, embargo_until=gateway.clock.now() + DAY)

    before = look_up(gateway, person, "NK {} XN")

    gateway.clock.advance(DAY)
    assert "Cua Nam" not in before
    assert "Cua Nam" in look_up(gateway, person, "NK {} XN")


def test_a_log_has_an_entry_of_its_own_and_ends_the_request(gateway: Gateway) -> None:
    person = gateway.person()
    pin = gateway.pin(person, "NK")
    wrong = gateway.says(person.phone, other_than(pin))

    told = gateway.ask(person.phone, pin)

    assert (wrong, told and told.reply) == ("WRONG", "LOG")
    assert told is not None
    assert code_in(told.text) == receipt_of_newest(gateway)[:4] + receipt_of_newest(gateway)[5:7]
    assert gateway.says(person.phone, pin) == "NOOPEN"


def test_nobody_is_told_of_anothers_log(gateway: Gateway) -> None:
    person, other = gateway.population(2)
    look_up(gateway, person)

    assert gateway.says(other.phone, f"NK {person.personal_id}") == "NOMATCH"
    assert gateway.says(person.phone, "482913") == "NOOPEN"
    gateway.clock.advance(61 * MINUTE)
    own = look_up(gateway, other, "NK {} XN")
    assert "chua ghi" in own


def test_a_code_leads_to_the_receipt_on_any_link_of_the_number(gateway: Gateway) -> None:
    person = gateway.person()
    code = code_in(look_up(gateway, person))
    receipt = receipt_of_newest(gateway)

    told = gateway.ask(person.phone, f"KT {code}", code=OTHER)

    size = gateway.database.read(gateway.journal.head).size
    assert told is not None
    assert told.reply == "INCLUDED"
    assert f"muc {size - 1} tren {size}, luc 02/03/2026 12:00. Bien nhan {receipt}." in told.text
    assert gateway.message().entry_id is None


def test_a_code_is_nothing_to_another_number_and_the_receipt_is_anybodys(gateway: Gateway) -> None:
    person = gateway.person()
    code = code_in(look_up(gateway, person))
    receipt = receipt_of_newest(gateway)
    mistyped = receipt[:-1] + ("0" if receipt[-1] != "0" else "1")

    unknown = gateway.ask(stranger(1), "KT 000000")
    not_theirs = gateway.ask(stranger(2), f"KT {code}")
    wrong_check = gateway.ask(stranger(3), f"KT {mistyped}")
    whole = gateway.ask(stranger(4), f"check {receipt.lower().replace('-', ' ')}")

    assert unknown is not None
    assert {unknown.text} == {each.text for each in (not_theirs, wrong_check) if each}
    assert unknown.reply == "UNKNOWN"
    assert whole is not None
    assert whole.text.startswith("CSDLDC: In the journal: entry ")
    assert receipt in whole.text


def test_a_code_is_nobodys_once_the_identity_is_erased(gateway: Gateway) -> None:
    person = gateway.person()
    code = code_in(look_up(gateway, person))
    receipt = receipt_of_newest(gateway)
    gateway.database.write(
        lambda s: s.execute(sa.update(JOURNAL_OPEN).values(actor_index=None, enc_identity=None))
    )

    assert gateway.says(person.phone, f"KT {code}") == "UNKNOWN"
    assert gateway.says(person.phone, f"KT {receipt}") == "INCLUDED"


def test_what_is_wrong_becomes_one_case_with_its_entry(gateway: Gateway) -> None:
    person = gateway.person()
    code = code_in(look_up(gateway, person))
    disputed = receipt_of_newest(gateway)

    first = gateway.ask(person.phone, f"SAI {code}")
    again = gateway.ask(person.phone, f"wrong {disputed}")

    (case,) = gateway.rows(CORRECTION_CASE)
    assert first is not None
    assert again is not None
    assert (first.reply, again.reply) == ("CASE", "CASE")
    assert f"so {case.number}." in first.text
    assert f"as case {case.number}." in again.text
    assert code_in(first.text) != code_in(again.text)
    assert case.sender_id == gateway.sender_id(str(person.phone))
    payloads = [json.loads(act.payload_text) for act in acts(gateway, person)]
    assert [each["outcome"] for each in payloads[-2:]] == ["CASE", "CASE"]
    assert {(each["about"], each["case"]) for each in payloads[-2:]} == {(disputed, case.number)}
    assert all("about" not in each for each in payloads[:-2])


def acts(gateway: Gateway, person: Record) -> list[Act]:
    """Open what the entries about somebody say was done."""
    query = sa.select(JOURNAL_OPEN).where(
        JOURNAL_OPEN.c.subject_index == gateway.citizen_id(person)
    )
    rows = gateway.database.read(lambda s: s.execute(query.order_by(JOURNAL_OPEN.c.entry_id)).all())
    opened = [
        openings.act(gateway.keyring, row.entry_id, row.act_key_id, row.enc_act) for row in rows
    ]
    return [act for act in opened if act is not None]


@pytest.mark.parametrize("told", ["PIN", "NOMATCH", "another's"])
def test_only_what_told_the_sender_of_a_record_can_be_said_to_be_wrong(
    gateway: Gateway, told: str
) -> None:
    person, other = gateway.population(2)
    whose = other if told == "NOMATCH" else person
    asked = gateway.ask(person.phone, f"DC {whose.personal_id}")
    assert asked is not None
    code = code_in(asked.text)
    sender = person.phone
    if told == "another's":
        code, sender = code_in(look_up(gateway, other)), person.phone

    assert gateway.says(sender, f"SAI {code}") == "UNKNOWN"
    assert gateway.rows(CORRECTION_CASE) == []


def test_a_number_has_three_cases_open_at_most(gateway: Gateway) -> None:
    person = gateway.person()
    codes = []
    for _ in range(4):
        codes.append(code_in(look_up(gateway, person)))
        gateway.clock.advance(DAY)

    told = [gateway.says(person.phone, f"SAI {code}") for code in codes]

    assert told == ["CASE", "CASE", "CASE", "QUOTA"]
    assert len(gateway.rows(CORRECTION_CASE)) == 3


def test_a_look_at_ones_log_is_never_sent_over_a_link_for_real_people_if_made_up(
    gateway: Gateway,
) -> None:
    person = gateway.population(1, is_test=True)[0]

    assert gateway.says(person.phone, f"NK {person.personal_id}", code=REAL) == "NOMATCH"


class Untouched:
    """A database and a session that nothing is asked of."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was asked for")


@pytest.mark.parametrize("purpose", ["DC", "KHOA", "MO"])
def test_a_batch_without_them_asks_the_database_nothing_more(purpose: str) -> None:
    untouched: Any = Untouched()
    messages = [message(each) for each in EVERY_COMMAND if each not in {SAI, KT}]
    stops = Stops()
    loaded = Loaded(Moving({SENDER: challenge(purpose)}, {}, stops), {}, {}, journal_is_up=True)
    groundwork = Groundwork({}, {SENDER: True}, {}, register_is_up=True, register_erred=False)

    found = traces.load(untouched, untouched, messages, loaded, groundwork, NOON)

    assert found == {}
    cases.open_all(untouched, [])
