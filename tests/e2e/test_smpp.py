"""A citizen behind an SMSC that nobody here wrote, through the real service."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Deploy
from tests.e2e.harness import Deployment
from tests.e2e.people import Person, plain
from tests.e2e.waiting import until
from tests.sms.smpp.smsc import PASSWORD, SYSTEM_ID, Smsc, install, mo

AT_ONCE = {"PIN_SPACING_SECONDS": "0"}
MANY = 300
CODE = "by-smpp"


@pytest.fixture(scope="session")
def smpp_folder(request: pytest.FixtureRequest) -> Path:
    """A folder with npm's smpp."""
    return install(request.config)


@pytest.fixture
def smsc(smpp_folder: Path) -> Iterator[Smsc]:
    """An SMSC that nobody is bound to."""
    made = Smsc(smpp_folder)
    yield made
    made.close()


def bound(deployment: Deployment, smsc: Smsc, *options: str) -> None:
    """Add a link to the SMSC."""
    password = deployment.secret_file(PASSWORD)
    where = ("--host", "127.0.0.1", "--port", str(smsc.port), "--system-id", SYSTEM_ID)
    secret = ("--password-file", str(password))
    deployment.do("operator", "add", CODE, "--kind", "smpp", *where, *secret, *options)


def answered(smsc: Smsc, count: int) -> str:
    """Wait for the reply of this number and return its text."""
    return str(smsc.wait("submit", count)[count - 1]["text"])


def test_a_citizen_behind_an_smsc_completes_a_lookup(
    service: Deployment, person: Person, smsc: Smsc
) -> None:
    bound(service, smsc)
    smsc.wait("bind")

    smsc.deliver(mo(person.phone, f"DC {person.personal_id}"))
    asked = answered(smsc, 1)
    (pin,) = set(re.findall(r"(?<![0-9])[0-9]{6}(?![0-9])", asked))
    smsc.deliver(mo(person.phone, f"XN {pin}"))
    told = answered(smsc, 2)

    assert person.plain_name in plain(told)
    first, second = smsc.wait("submit", 2)
    assert {first["destination"], second["destination"]} == {person.phone.lstrip("+")}
    assert 200 < first["seconds"] <= 240
    assert set(smsc.statuses(2).values()) == {0}
    assert service.read("operator", "test", CODE)["ok"] is True
    service.do("operator", "disable", CODE)
    smsc.wait("unbind", 2)


@pytest.mark.slow
def test_what_was_not_answered_before_a_kill_is_delivered_again_with_one_effect(
    deploy: Deploy, smsc: Smsc
) -> None:
    deployment = deploy("sqlite", **AT_ONCE)
    bound(deployment, smsc, "--rate", "1000")
    process = deployment.start()
    smsc.wait("bind")
    messages = {f"m{number}": mo(f"+8456{number:07}", "HD") for number in range(MANY)}

    smsc.deliver(*({"name": name, **one} for name, one in messages.items()))
    smsc.wait("answer")
    deployment.kill(process, group=True)
    smsc.wait("close")
    acknowledged = {event["name"] for event in smsc.of("answer")}
    deployment.start()
    smsc.wait("bind", 2)
    again = {name: one for name, one in messages.items() if name not in acknowledged}
    smsc.deliver(*({"name": name, **one} for name, one in again.items()))
    until(lambda: len({e["name"] for e in smsc.of("answer")}) == MANY, "all are answered")

    assert {event["status"] for event in smsc.of("answer")} == {0}
    smsc.wait("submit", MANY, within=60)
    destinations = [event["destination"] for event in smsc.of("submit")]
    assert set(destinations) == {f"8456{number:07}" for number in range(MANY)}
    # Of those that were on their way when it was killed, a second copy may leave (G5).
    assert len(destinations) <= MANY + 32
