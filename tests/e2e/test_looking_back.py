"""Who looked at my record, is it in the journal, it is wrong: through the signed webhook."""

import re

import pytest

from tests.e2e.fake_operator import Mt
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, pin_in, pins_in
from tests.e2e.people import Person

RECEIPT = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}")
CASE = re.compile(r"(?<= )[0-9A-Z]{4}-[0-9A-Z]{4}(?=[. ])")
# Words asked with, and words that must be in the answers.
VIETNAMESE = ("DC", "NK", "XN", "KT", "SAI", "Ma GD", "ban, SMS, ho so", "Co trong nhat ky")
ENGLISH = ("INFO", "LOG", "PIN", "CHECK", "WRONG", "Ref", "you, SMS, record", "In the journal")


def journal_size(service: Deployment) -> int:
    journal = service.get("/status").document["journal"]
    assert isinstance(journal, dict)
    return int(journal["size"])


def one_segment(reply: Mt) -> str:
    assert reply.data["segments"] == 1
    return reply.text


@pytest.mark.parametrize("words", [VIETNAMESE, ENGLISH], ids=["vi", "en"])
def test_a_citizen_sees_who_looked_checks_it_and_says_what_is_wrong(
    service: Deployment, telco: HttpLink, person: Person, words: tuple[str, ...]
) -> None:
    record, log, confirm, check, wrong, label, seen, included = words
    size = journal_size(service)

    asked = telco.ask(person.phone, f"{record} {person.personal_id}")
    result = one_segment(telco.ask(person.phone, f"{confirm} {pin_in(asked)}"))
    asked = telco.ask(person.phone, f"{log} {person.personal_id}")
    told = telco.ask(person.phone, f"{confirm} {pin_in(asked)}")
    code = result.split(f"{label} ")[1][:6]
    checked = one_segment(telco.ask(person.phone, f"{check} {code}"))
    (receipt,) = RECEIPT.findall(checked)
    (case,) = CASE.findall(one_segment(telco.ask(person.phone, f"{wrong} {code}")))
    again = one_segment(telco.ask(person.phone, f"{wrong} {receipt}"))

    assert seen in one_segment(told)
    assert not pins_in(told)
    assert included in checked
    assert receipt.replace("-", "").startswith(code)
    assert case in again
    # DC, XN, NK, XN, and each SAI; a look at the journal makes no entry.
    assert journal_size(service) == size + 6


def test_a_code_says_nothing_to_another_number_and_a_receipt_everything_to_everybody(
    telco: HttpLink, person: Person
) -> None:
    code = telco.look_up(person).text.split("Ma GD ")[1][:6]
    (receipt,) = RECEIPT.findall(telco.ask(person.phone, f"KT {code}").text)

    theirs = telco.ask("+84987000222", f"KT {code}")
    nobodys = telco.ask("+84987000222", "KT 000000")
    whole = telco.ask("+84987000222", f"KT {receipt}")

    assert theirs.text == nobodys.text
    assert receipt in whole.text
