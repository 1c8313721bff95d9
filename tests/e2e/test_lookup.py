"""The main job, from the first message to the record."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from tests.e2e.fake_operator import OK, Mt
from tests.e2e.harness import Deployment
from tests.e2e.links import SHORT_CODE, HttpLink, code_in, pin_in, pins_in
from tests.e2e.people import Person, plain
from tests.e2e.waiting import until


def is_record_of(person: Person, reply: Mt) -> bool:
    """Tell whether a reply shows this person's fields, in whatever order."""
    shown = plain(reply.text)
    parts = (person.plain_name, "NAM", "1985", f"...{person.personal_id[-3:]}", "CUA NAM", "HA NOI")
    return all(part in shown for part in parts)


def test_a_citizen_reads_the_minimal_fields_of_their_own_record(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    asked = telco.ask(person.phone, f"DC {person.personal_id}")
    result = telco.ask(person.phone, f"XN {pin_in(asked)}")

    assert is_record_of(person, result)
    assert person.personal_id not in result.text
    assert "17/03" not in result.text
    assert not pins_in(result)
    assert code_in(result.text)
    assert person.plain_name not in plain(asked.text)
    replies = [service.reply_class(telco, mt.data["in_reply_to"]) for mt in (asked, result)]
    assert replies == ["PIN", "RESULT"]


def test_an_id_alone_and_a_pin_alone_are_enough(telco: HttpLink, person: Person) -> None:
    asked = telco.ask(person.phone, person.personal_id)
    result = telco.ask(person.phone, pin_in(asked))

    assert is_record_of(person, result)


def test_a_citizen_may_type_as_citizens_do(telco: HttpLink, person: Person) -> None:
    parted = " ".join(person.personal_id[at : at + 3] for at in (0, 3, 6, 9))

    asked = telco.ask(person.phone, f"  Tra cứu:  {parted}. ")
    result = telco.ask(person.phone, f"xác nhận {pin_in(asked)}")

    assert is_record_of(person, result)


def test_the_groups_of_fields_are_shown_when_asked_for(telco: HttpLink, person: Person) -> None:
    residence = telco.ask(person.phone, f"DC {person.personal_id} CT")
    shown_residence = telco.ask(person.phone, f"XN {pin_in(residence)}")
    card = telco.ask(person.phone, f"DC {person.personal_id} TT")
    shown_card = telco.ask(person.phone, f"XN {pin_in(card)}")

    assert "HA NOI" in plain(shown_residence.text)
    assert "05/2022" in shown_card.text
    assert "03/2037" in shown_card.text
    for shown in (shown_residence, shown_card):
        assert person.personal_id not in shown.text


def test_the_entry_is_in_the_tree_before_its_message_arrives(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    # By the reply's id: on a slow machine the asking outlasts the send, and a copy follows.
    seen: dict[str, tuple[int, dict[str, Any]]] = {}

    def witness(mt: Mt) -> int:
        size = service.journal_size()  # first: what was sealed later must not count
        seen.setdefault(mt.data["id"], (size, service.report(telco, mt.data["in_reply_to"])))
        return OK

    telco.operator.plan(person.phone, witness, witness, witness, witness)
    asked = telco.ask(person.phone, f"DC {person.personal_id}")
    until(lambda: len(seen) == 1, "the operator to have asked the journal")
    telco.ask(person.phone, f"XN {pin_in(asked)}")
    until(lambda: len(seen) == 2, "the operator to have asked again")

    assert [report["reply"].upper() for _, report in seen.values()] == ["PIN", "RESULT"]
    for size, report in seen.values():
        assert isinstance(report["journal_index"], int)
        assert 0 <= report["journal_index"] < size


def test_what_is_handed_over_keeps_the_contract(telco: HttpLink, person: Person) -> None:
    asked = telco.ask(person.phone, f"DC {person.personal_id}")
    result = telco.ask(person.phone, f"XN {pin_in(asked)}")

    for mt in (asked, result):
        assert mt.verified
        assert mt.document["type"] == "message.send"
        assert set(mt.data) >= {
            "id", "to", "from", "text", "encoding", "segments", "expires_at", "in_reply_to"
        }  # fmt: skip
        assert mt.headers["webhook-id"] == mt.data["id"]
        assert mt.headers["content-type"].startswith("application/json")
        assert (mt.data["to"], mt.data["from"]) == (person.phone, SHORT_CODE)
        assert (mt.data["encoding"], mt.data["segments"]) == ("gsm7", 1)
        assert len(mt.text) <= 160
        assert datetime.fromisoformat(mt.data["expires_at"]) > datetime.now(UTC)


def test_everybody_gets_their_own_record_when_many_ask_at_once(
    telco: HttpLink, at_hand: Iterator[Person]
) -> None:
    people = list(islice(at_hand, 8))

    with ThreadPoolExecutor(len(people)) as pool:
        results = list(pool.map(telco.look_up, people))

    for person, result in zip(people, results, strict=True):
        assert is_record_of(person, result)
        assert result.data["to"] == person.phone


def test_a_telephone_written_in_another_way_is_the_same_telephone(
    telco: HttpLink, person: Person
) -> None:
    national = f"0{person.phone.removeprefix('+84')}"

    asked = telco.ask(national, f"DC {person.personal_id}")
    result = telco.ask(person.phone, f"XN {pin_in(asked)}")

    assert asked.data["to"] == person.phone
    assert is_record_of(person, result)


def test_one_telephone_of_two_people_asks_for_each(service: Deployment, telco: HttpLink) -> None:
    child = service.people.make()
    parent = service.people.make(phone=child.phone)
    service.import_people(child, parent)

    shown_child = telco.look_up(child)
    shown_parent = telco.look_up(parent)

    assert is_record_of(child, shown_child)
    assert is_record_of(parent, shown_parent)
