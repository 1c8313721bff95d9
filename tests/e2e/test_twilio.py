"""The Twilio link: requests signed by Twilio's own library, replies by its REST API."""

import base64
import re
import secrets
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from twilio.request_validator import RequestValidator

from tests.e2e import wire
from tests.e2e.harness import PUBLIC_URL, Deployment
from tests.e2e.links import TwilioLink
from tests.e2e.people import Person, plain
from tests.e2e.problems import assert_problem
from tests.e2e.waiting import until

PIN = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
LONGEST_VALIDITY = 36_000


@pytest.fixture
def link(service: Deployment) -> TwilioLink:
    """The Twilio link of the shared service."""
    return service.twilio["twilio"]


def assert_acknowledged(answer: wire.Response) -> None:
    """Check for an empty TwiML response."""
    assert (answer.status, answer.kind) == (200, "text/xml")
    root = ET.fromstring(answer.body)  # noqa: S314 (what our own service has written)
    assert (root.tag, len(root), (root.text or "").strip()) == ("Response", 0, "")


def test_a_citizen_reads_their_record_through_twilio(link: TwilioLink, person: Person) -> None:
    asked = link.post(link.form(person.phone, f"DC {person.personal_id}"))
    pin_message = link.twilio.message_to(person.phone)
    (pin,) = set(PIN.findall(pin_message.value("Body")))
    given = link.post(link.form(person.phone, f"XN {pin}"))
    result = link.twilio.message_to(person.phone, 2)

    assert_acknowledged(asked)
    assert_acknowledged(given)
    assert person.plain_name in plain(result.value("Body"))
    account, token = link.twilio.account_sid, link.twilio.token
    expected = base64.b64encode(f"{account}:{token}".encode()).decode()
    for message in (pin_message, result):
        assert message.path == f"/2010-04-01/Accounts/{account}/Messages.json"
        assert message.authorization == f"Basic {expected}"
        assert message.value("From") == link.twilio.number
        assert 1 <= int(message.value("ValidityPeriod")) <= LONGEST_VALIDITY


def test_the_address_that_is_signed_is_the_configured_one(link: TwilioLink, person: Person) -> None:
    form = link.form(person.phone, "HD")
    claimed = "https://attacker.example"

    answer = wire.twilio_post(
        link.port, link.path, link.twilio.token, form, public_url=claimed, host="attacker.example"
    )

    assert_problem(answer, 401)


def test_the_same_message_again_is_acknowledged_and_answered_once(
    link: TwilioLink, person: Person
) -> None:
    form = link.form(person.phone, f"DC {person.personal_id}")

    first, second = link.post(form), link.post(form)
    conflicting = link.post({**form, "Body": "HD"})
    link.post(link.form(person.phone, "HD"))
    link.twilio.message_to(person.phone, 2)

    assert_acknowledged(first)
    assert (first.status, first.body) == (second.status, second.body)
    assert_problem(conflicting, 409)
    assert len(link.twilio.sent_to(person.phone)) == 2


def forged(genuine: dict[str, str], victim: Person, sid: str) -> dict[str, str]:
    """Cut the signed text of *genuine* into other parameters: the victim's message."""
    body, smuggled = genuine["Body"].split("From", 1)
    signed = "".join(name + genuine[name] for name in sorted(genuine))
    head = signed.index(smuggled) + len(smuggled)
    form = {
        "AccountSid": genuine["AccountSid"],
        "ApiVersion": genuine["ApiVersion"],
        "Body": body,
        "From": victim.phone,
        "MessageSid": sid,
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "To": genuine["To"],
        "ToZ": signed[head:],
    }
    assert "".join(name + form[name] for name in sorted(form)) == signed
    return form


def test_a_text_that_is_cut_into_another_message_is_refused(
    link: TwilioLink, person: Person
) -> None:
    attacker, sid, to = "+84987000601", f"SM{secrets.token_hex(16)}", link.twilio.number
    text = (
        f"DC {person.personal_id}From{person.phone}MessageSid{sid}"
        f"SmsMessageSid{sid}SmsSid{sid}To{to}ToZ"
    )
    genuine = link.form(attacker, text)
    forgery = forged(genuine, person, sid)
    url = PUBLIC_URL + link.path
    validator = RequestValidator(link.twilio.token)
    signature = validator.compute_signature(url, genuine)
    assert validator.validate(url, forgery, signature)  # the library alone would take it

    headers = [("Content-Type", wire.FORM), ("X-Twilio-Signature", signature)]
    answer = wire.request(link.port, "POST", link.path, urlencode(forgery).encode(), headers)

    assert_problem(answer, 401)
    link.post(link.form(person.phone, "HD"))
    link.twilio.message_to(person.phone)
    assert len(link.twilio.sent_to(person.phone)) == 1


def test_what_is_not_ours_is_refused(link: TwilioLink, person: Person) -> None:
    changes = {
        "another account": {"AccountSid": f"AC{'0' * 32}"},
        "another number": {"To": "+12025550199"},
        "a message of another kind": {"MessageSid": "MM" + "0" * 32},
        "two messages in one": {"SmsSid": f"SM{'0' * 32}"},
    }

    answers = {
        why: link.post(link.form(person.phone, "HD", **change)) for why, change in changes.items()
    }

    for answer in answers.values():
        assert answer.status in {400, 401}
        assert_problem(answer, answer.status)
    assert link.twilio.sent_to(person.phone) == []


def test_what_proves_nothing_gets_the_answer_of_every_link(
    link: TwilioLink, person: Person
) -> None:
    form = link.form(person.phone, "HD")
    body = urlencode(form).encode()
    typed = ("Content-Type", wire.FORM)

    def post(path: str, content: bytes, *headers: tuple[str, str | bytes]) -> wire.Response:
        return wire.request(link.port, "POST", path, content, [typed, *headers])

    answers = [
        post(link.path, body),
        post(link.path, body, ("X-Twilio-Signature", "")),
        post(link.path, body, ("X-Twilio-Signature", "é".encode() * 14)),
        post(link.path, b"Body=%ff%zz&&=", ("X-Twilio-Signature", "A" * 27 + "=")),
        post(link.path, b"\xff\xfe", ("X-Twilio-Signature", "A" * 27 + "=")),
        post(link.path.rpartition("/")[0], body),
        post(link.path[:-1] + ("0" if link.path[-1] != "0" else "1"), body),
        link.post(form, token=secrets.token_hex(16)),
    ]

    for answer in answers:
        assert_problem(answer, 401)
    assert len({answer.body for answer in answers}) == 1


def test_a_parameter_given_twice_is_refused(link: TwilioLink, person: Person) -> None:
    form = link.form(person.phone, "HD")
    pairs = [*form.items(), ("From", "+84987000602")]
    doubled = {name: [value for key, value in pairs if key == name] for name in form}
    content = "".join(
        name + value for name in sorted(doubled) for value in sorted(set(doubled[name]))
    )
    validator = RequestValidator(link.twilio.token)
    signature = validator.compute_signature(PUBLIC_URL + link.path + content, {})
    headers = [("Content-Type", wire.FORM), ("X-Twilio-Signature", signature)]

    answer = wire.request(link.port, "POST", link.path, urlencode(pairs).encode(), headers)

    assert answer.status in {400, 401}
    assert_problem(answer, answer.status)


def test_the_wrong_kind_or_size_of_body_is_refused(link: TwilioLink, person: Person) -> None:
    form = link.form(person.phone, "HD")

    as_json = wire.request(link.port, "POST", link.path, b"{}", [("Content-Type", wire.JSON)])
    too_large = link.post({**form, "More": "x" * 8192})
    read = wire.get(link.port, link.path)

    assert_problem(as_json, 415)
    assert_problem(too_large, 413)
    assert_problem(read, 405)


def test_a_sender_from_elsewhere_is_acknowledged_in_silence(
    service: Deployment, link: TwilioLink
) -> None:
    form = link.form("+12025550177", "HD")

    answer = link.post(form)

    assert_acknowledged(answer)
    assert service.until_handled(link, form["MessageSid"]) == "refused"
    assert link.twilio.sent_to("+12025550177") == []


def test_a_refusal_by_the_api_that_passes_is_outlasted(link: TwilioLink, person: Person) -> None:
    link.twilio.answers.extend([429, 503])

    link.post(link.form(person.phone, "HD"))
    last = link.twilio.message_to(person.phone, 3)

    bodies = {message.value("Body") for message in link.twilio.sent_to(person.phone)}
    assert bodies == {last.value("Body")}


def test_both_tokens_are_good_while_one_follows_the_other(
    service: Deployment, link: TwilioLink, person: Person
) -> None:
    old, new = link.twilio.token, secrets.token_hex(16)
    file = service.secret_file(new)

    service.do("operator", "rotate-key", link.code, "--token-file", str(file))
    until(
        lambda: link.post(link.form(person.phone, "HUY"), token=new).status == 200,
        "the new token to be good",
        within=5,
    )

    assert_acknowledged(link.post(link.form(person.phone, "HD"), token=old))
    stranger = link.post(link.form(person.phone, "HD"), token=secrets.token_hex(16))
    assert stranger.status in {401, 429}  # the token was tried before it was known
    link.twilio.token = new
