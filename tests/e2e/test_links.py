"""The engineer's verbs for links, while the service runs."""

import json
from collections.abc import Iterator
from contextlib import closing

from sqlalchemy.orm import Session

from cli.context import Service
from sms.links import endings
from tests.e2e import wire
from tests.e2e.fake_operator import new_secret
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, envelope, message, pins_in
from tests.e2e.people import Person
from tests.e2e.waiting import until

# Two seconds are promised; a busy machine is given some more.
SOON = 5.0


def answers(link: HttpLink, *statuses: int) -> None:
    """Wait until a message on this link is answered so."""
    until(
        lambda: link.offer(message("+84987000801", "HUY")).status in statuses,
        f"one of {statuses}",
        within=SOON,
    )


def test_a_link_is_heard_soon_after_it_is_added_and_no_longer_once_disabled(
    service: Deployment,
) -> None:
    added = service.add_http("newcomer")
    answers(added, 202)

    service.do("operator", "disable", added.code)
    answers(added, 401, 403)


def test_links_are_listed_without_their_secrets(service: Deployment) -> None:
    listed = service.do("operator", "list", "--json")

    for link in service.http.values():
        assert link.code in listed
        assert link.operator.secret.removeprefix("whsec_") not in listed
    for twilio in service.twilio.values():
        assert twilio.twilio.token not in listed
    assert json.loads(listed)


def test_a_link_cannot_be_added_twice(service: Deployment, telco: HttpLink) -> None:
    file = service.secret_file(new_secret())
    words = ("--kind", "http", "--send-url", telco.operator.send_url, "--secret-file", str(file))

    done = service.cli("operator", "add", telco.code, *words)

    assert done.returncode != 0
    assert telco.code in done.stderr
    assert "Traceback" not in done.stderr


def test_a_link_of_another_shape_is_refused(service: Deployment, telco: HttpLink) -> None:
    good = str(service.secret_file(new_secret()))
    short = str(service.secret_file("whsec_c2hvcnQ="))
    url = telco.operator.send_url

    refused = [
        ("odd1", "--send-url", url, "--secret-file", short),
        ("odd2", "--send-url", "http://operator.example/send", "--secret-file", good),
        ("odd3", "--send-url", "ftp://127.0.0.1/", "--secret-file", good),
        ("odd4", "--send-url", url, "--secret-file", "/nowhere"),
        ("odd5", "--send-url", url),
        ("Odd 6", "--send-url", url, "--secret-file", good),
    ]

    for words in refused:
        done = service.cli("operator", "add", *words, "--kind", "http")
        assert done.returncode != 0, words
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr


def test_both_secrets_are_good_while_one_follows_the_other(service: Deployment) -> None:
    link = service.add_http("rotating")
    answers(link, 202)
    old, new = link.operator.secret, new_secret()

    service.do("operator", "rotate-key", link.code, "--secret-file", str(service.secret_file(new)))

    def heard(secret: str) -> bool:
        body = envelope(message("+84987000802", "HUY"))
        return wire.signed_post(link.port, link.path, secret, body).status == 202

    until(lambda: heard(new), "the new secret to be good", within=SOON)
    assert heard(old)


def ended(service: Deployment, code: str) -> None:
    """End a link for good, as two officers do."""
    with closing(Service(dict(service.environment))) as mine:
        link, now = mine.links.get(code), mine.clock.now()
        assert link is not None

        def end(session: Session) -> None:
            endings.ask(session, link, "contract ended", "officer:lan", now)
            endings.agree(session, link, "officer:minh", now)

        mine.database.write(end)


def test_a_terminated_link_is_unknown(service: Deployment) -> None:
    link = service.add_http("leaving")
    answers(link, 202)

    ended(service, link.code)

    answers(link, 401, 429)


def test_a_link_that_was_not_assessed_carries_help_and_nothing_of_anybody(
    service: Deployment, person: Person
) -> None:
    link = service.http["unassessed"]

    asked = link.ask(person.phone, f"DC {person.personal_id}")
    helped = link.ask(person.phone, "HD")

    assert not pins_in(asked)
    assert service.reply_class(link, str(asked.data["in_reply_to"])) == "DOWN"
    assert service.reply_class(link, str(helped.data["in_reply_to"])) == "HELP"


def test_a_link_can_be_tried_without_a_citizen(service: Deployment, telco: HttpLink) -> None:
    before = len(telco.operator.messages) + len(telco.operator.strays)

    done = service.cli("operator", "test", telco.code)

    assert done.returncode == 0, done.stderr
    assert len(telco.operator.messages) + len(telco.operator.strays) >= before


def test_people_made_up_are_answered_on_links_for_tests_alone(
    service: Deployment, telco: HttpLink, at_hand: Iterator[Person]
) -> None:
    tests = service.add_http("playground", "--test")
    answers(tests, 202)
    made_up, other = service.people.make_many(2)
    service.import_people(made_up, other, options=("--test",))

    on_test_link = tests.ask(made_up.phone, f"DC {made_up.personal_id}")
    on_real_link = telco.send(other.phone, f"DC {other.personal_id}")
    service.until_handled(telco, on_real_link)
    telco.ask(next(at_hand).phone, "HD")

    assert pins_in(on_test_link)
    assert not any(pins_in(mt) for mt in telco.operator.copies(on_real_link))


def test_what_became_of_a_message_is_told_without_whose_it_was(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    asked = telco.ask(person.phone, f"DC {person.personal_id}")

    told = service.do("operator", "report", telco.code, asked.data["in_reply_to"], "--json")

    assert {"state", "reply", "reply_state", "journal_index"} <= set(json.loads(told))
    for secret in (person.phone[3:], person.personal_id, pins_in(asked)[0]):
        assert secret not in told


def test_a_message_nobody_sent_is_not_reported(service: Deployment, telco: HttpLink) -> None:
    done = service.cli("operator", "report", telco.code, "never-sent", "--json")

    assert done.returncode != 0
    assert "Traceback" not in done.stderr
