"""What else a citizen can text, and everything that is not their record."""

from datetime import UTC, datetime, timedelta

from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, masked, pin_in, pins_in, wrong
from tests.e2e.people import Person, plain

STRANGER = "+84987000111"


def reply_class(service: Deployment, telco: HttpLink, sender: str, text: str) -> str:
    """Send one message and name the reply it got."""
    reply = telco.ask(sender, text)
    return service.reply_class(telco, str(reply.data["in_reply_to"]))


def test_a_locked_record_is_not_to_be_had_until_it_is_unlocked(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    locking = telco.ask(person.phone, f"KHOA {person.personal_id}")
    locked = reply_class(service, telco, person.phone, f"XN {pin_in(locking)}")
    while_locked = reply_class(service, telco, person.phone, f"DC {person.personal_id}")
    unlocking = telco.ask(person.phone, f"MO {person.personal_id}")
    unlocked = reply_class(service, telco, person.phone, f"XN {pin_in(unlocking)}")
    result = telco.look_up(person)

    assert (locked, while_locked, unlocked) == ("LOCKED", "NOMATCH", "UNLOCKED")
    assert person.plain_name in plain(result.text)


def test_a_cancelled_request_is_over(service: Deployment, telco: HttpLink, person: Person) -> None:
    asked = telco.ask(person.phone, f"DC {person.personal_id}")
    cancelled = reply_class(service, telco, person.phone, "HUY")
    after = telco.ask(person.phone, f"XN {pin_in(asked)}")

    assert cancelled == "CANCELLED"
    assert person.plain_name not in plain(after.text)


def test_there_is_nothing_to_cancel_and_it_is_cancelled_all_the_same(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    assert reply_class(service, telco, person.phone, "HUY") == "CANCELLED"


def test_help_is_for_everybody_and_in_the_language_it_was_asked_in(
    service: Deployment, telco: HttpLink
) -> None:
    vietnamese = telco.ask(STRANGER, "HD")
    english = telco.ask(STRANGER, "help")

    for reply in (vietnamese, english):
        assert service.reply_class(telco, str(reply.data["in_reply_to"])) == "HELP"
        assert reply.data["segments"] == 1
    assert vietnamese.text != english.text
    assert "DC" in vietnamese.text
    assert "INFO" in english.text


def test_the_price_is_that_of_the_link_it_is_asked_on(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    reply = telco.ask(person.phone, "PHI")

    assert service.reply_class(telco, str(reply.data["in_reply_to"])) == "PRICE"
    assert "700" in reply.text or "1400" in reply.text.replace(".", "")


def test_an_english_conversation_stays_english(telco: HttpLink, person: Person) -> None:
    asked = telco.ask(person.phone, f"INFO {person.personal_id}")
    result = telco.ask(person.phone, f"PIN {pin_in(asked)}")

    for reply in (asked, result):
        assert not {"MA", "SOAN", "SINH", "HIEU"} & set(plain(reply.text).split())
    assert person.plain_name in plain(result.text)


def test_three_wrong_pins_spend_the_right_one(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    pin = pin_in(telco.ask(person.phone, f"DC {person.personal_id}"))

    guesses = [telco.ask(person.phone, f"XN {wrong(pin, by)}") for by in (1, 2, 3)]
    late = telco.ask(person.phone, f"XN {pin}")

    for reply in (*guesses, late):
        assert person.plain_name not in plain(reply.text)
        assert not pins_in(reply)
    assert service.reply_class(telco, str(guesses[0].data["in_reply_to"])) == "WRONG"


def test_a_pin_opens_once(telco: HttpLink, person: Person) -> None:
    pin = pin_in(telco.ask(person.phone, f"DC {person.personal_id}"))

    first = telco.ask(person.phone, f"XN {pin}")
    second = telco.ask(person.phone, f"XN {pin}")

    assert person.plain_name in plain(first.text)
    assert person.plain_name not in plain(second.text)


def test_a_new_request_voids_the_pin_of_the_old(telco: HttpLink, person: Person) -> None:
    old = pin_in(telco.ask(person.phone, f"DC {person.personal_id}"))
    new = pin_in(telco.ask(person.phone, f"DC {person.personal_id}"))

    with_old = telco.ask(person.phone, f"XN {old if old != new else wrong(new)}")
    with_new = telco.ask(person.phone, f"XN {new}")

    assert person.plain_name not in plain(with_old.text)
    assert person.plain_name in plain(with_new.text)


def test_a_pin_opens_nothing_on_another_telephone_or_another_link(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    pin = pin_in(telco.ask(person.phone, f"DC {person.personal_id}"))

    stranger = telco.ask(STRANGER, f"XN {pin}")
    elsewhere = service.http["other"].ask(person.phone, f"XN {pin}")
    here = telco.ask(person.phone, f"XN {pin}")

    assert person.plain_name not in plain(stranger.text)
    assert person.plain_name not in plain(elsewhere.text)
    assert person.plain_name in plain(here.text)


def test_a_pin_before_any_request_opens_nothing(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    assert reply_class(service, telco, person.phone, "XN 123456") not in {"RESULT", "PIN"}


def test_every_reason_not_to_answer_reads_the_same(service: Deployment, telco: HttpLink) -> None:
    make = service.people.make
    today = datetime.now(UTC).date().isoformat()
    owner, recent, dead, silent = (
        make(),
        make(phone_verified_on=today),
        make(status="deceased"),
        make(phone="", phone_verified_on=""),
    )
    crowd = [make(phone="+84987000222") for _ in range(4)]
    service.import_people(owner, recent, dead, silent, *crowd)

    questions = {
        "unknown id": ("+84987000301", "099085999999"),
        "unknown telephone": ("+84987000302", owner.personal_id),
        "another person's id": (recent.phone, owner.personal_id),
        "a telephone too new": (recent.phone, recent.personal_id),
        "no longer alive": (dead.phone, dead.personal_id),
        "no telephone": ("+84987000303", silent.personal_id),
        "a telephone of too many": (crowd[0].phone, crowd[0].personal_id),
    }
    replies = {why: telco.ask(phone, f"DC {asked}") for why, (phone, asked) in questions.items()}

    unknown = replies["unknown id"]
    assert service.reply_class(telco, str(unknown.data["in_reply_to"])) == "NOMATCH"
    assert len({masked(reply.text) for reply in replies.values()}) == 1
    assert all(reply.data["segments"] == 1 and not pins_in(reply) for reply in replies.values())


def test_what_is_not_understood_is_said_without_an_echo(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    texts = ("XN 12345", f"DC {person.personal_id} {person.personal_id[::-1]}", "xin chào")

    replies = [telco.ask(person.phone, text) for text in texts]

    assert service.reply_class(telco, str(replies[-1].data["in_reply_to"])) == "SYNTAX"
    for reply in replies:
        assert not pins_in(reply)
        assert person.personal_id not in reply.text
        assert "12345" not in reply.text


def test_a_message_that_was_long_on_its_way_is_not_acted_upon(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    late = (datetime.now(UTC) - timedelta(minutes=20)).isoformat()
    very_late = (datetime.now(UTC) - timedelta(hours=25)).isoformat()

    told = telco.ask(person.phone, f"DC {person.personal_id}", received_at=late)
    silent = telco.send(person.phone, f"DC {person.personal_id}", received_at=very_late)
    telco.ask(person.phone, "HD")  # answered in order of arrival, so the one before had its turn

    assert not pins_in(told)
    assert telco.operator.copies(silent) == []


def test_a_sender_that_is_no_vietnamese_mobile_is_taken_in_and_never_answered(
    service: Deployment, telco: HttpLink
) -> None:
    senders = ("+12025550198", "VIETTEL", "1414", "+842438241234")

    ids = [telco.send(sender, "HD") for sender in senders]

    for message_id in ids:
        assert service.until_handled(telco, message_id) == "refused"
        assert telco.operator.copies(message_id) == []
