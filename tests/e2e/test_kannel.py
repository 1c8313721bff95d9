"""A citizen behind Debian's Kannel, through the real service; skips loudly where there is none."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.e2e import wire
from tests.e2e.conftest import Deploy
from tests.e2e.harness import Deployment
from tests.e2e.kannel import Handset, Kannel, groups, program
from tests.e2e.listener import Listener, Request, free_port
from tests.e2e.people import Person, plain
from tests.e2e.waiting import NeverError, until
from tests.sms.smpp.smsc import PASSWORD, SHORT_CODE, SYSTEM_ID, Smsc, install, mo

PIN = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
STRANGER, ANOTHER = "+84561234567", "+84561234568"


@pytest.fixture
def kannel(tmp_path: Path) -> Iterator[Kannel]:
    """A Kannel with a made-up SMSC that Kannel's fakesmsc speaks to; nothing of it runs yet."""
    for name in ("bearerbox", "smsbox", "fakesmsc"):
        program(name)
    smsc = {"smsc": "fake", "port": str(free_port()), "connect-allow-ip": "127.0.0.1"}
    made = Kannel(tmp_path, smsc)
    yield made
    made.close()


@pytest.fixture
def handset(kannel: Kannel) -> Handset:
    """A telephone behind it."""
    return Handset(int(kannel.smsc["port"]), kannel.folder)


@pytest.fixture
def smsc(request: pytest.FixtureRequest) -> Iterator[Smsc]:
    """An SMSC that nobody is bound to."""
    program("bearerbox")
    made = Smsc(install(request.config))
    yield made
    made.close()


def behind(smsc: Smsc, folder: Path) -> Kannel:
    """Make a Kannel that binds to an SMSC."""
    there = {"host": '"127.0.0.1"', "port": str(smsc.port)}
    who = {"smsc-username": f'"{SYSTEM_ID}"', "smsc-password": f'"{PASSWORD}"'}
    return Kannel(folder, {**groups()["smsc"], **there, **who})


def pin_in(text: str) -> str:
    """Return the PIN of a PIN reply."""
    (pin,) = set(PIN.findall(text))
    return str(pin)


def until_delivery(service: Deployment, code: str, message_id: str, state: str) -> None:
    """Wait until it is known so far what became of the reply to a message."""

    def is_so() -> bool:
        return bool(service.read("operator", "report", code, message_id)["delivery"] == state)

    until(is_so, f"the reply to be {state}")


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
def test_a_citizen_behind_fakesmsc_completes_a_lookup(
    service: Deployment, person: Person, kannel: Kannel, handset: Handset
) -> None:
    kannel.link(service, "by-fakesmsc")
    kannel.start()

    asked = handset.ask(person.phone, f"DC {person.personal_id}")
    told = handset.ask(person.phone, f"XN {pin_in(asked)}")

    assert person.plain_name in plain(told)
    first, second = kannel.posted()
    assert first != second
    # Kannel's made-up SMSC reports that each text was delivered.
    until_delivery(service, kannel.code, second, "delivered")
    assert service.read("operator", "test", kannel.code)["ok"] is True


@pytest.mark.parametrize("service", ["postgresql"], indirect=True)
def test_a_citizen_behind_an_smsc_that_kannel_binds_to_completes_a_lookup(
    service: Deployment, person: Person, smsc: Smsc, tmp_path: Path
) -> None:
    kannel = behind(smsc, tmp_path)
    try:
        kannel.link(service, "kannel-by-smpp")
        kannel.start()
        smsc.wait("bind")

        asked_in = f"DC {person.personal_id}".encode("utf-16-be").hex()
        smsc.deliver(mo(person.phone, "", data_coding=8, short_message={"hex": asked_in}))
        asked = str(smsc.wait("submit", 1)[0]["text"])
        smsc.deliver(mo(person.phone, f"XN {pin_in(asked)}"))
        told = smsc.wait("submit", 2)[1]

        assert person.plain_name in plain(str(told["text"]))
        assert (told["source"], told["destination"]) == (SHORT_CODE, person.phone.lstrip("+"))
        assert 420 < told["seconds"] <= 600
        _, second = kannel.posted()
        until_delivery(service, kannel.code, second, "sent")
        smsc.deliver(receipt(person.phone, "2", "DELIVRD"))
        until_delivery(service, kannel.code, second, "delivered")
    finally:
        kannel.close()


def receipt(sender: str, message_id: str, state: str) -> dict[str, object]:
    """Write the deliver_sm of a receipt."""
    text = (
        f"id:{message_id} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 "
        f"stat:{state} err:000 text:"
    )
    return {**mo(sender, text), "esm_class": 4, "data_coding": 0, "name": "receipt"}


@pytest.mark.slow
def test_what_was_refused_is_brought_again_with_one_effect(
    deploy: Deploy, kannel: Kannel, handset: Handset
) -> None:
    service = deploy("sqlite")
    kannel.link(service, "vina")
    service.start()
    kannel.start()
    service.do("operator", "disable", "vina")

    def enable() -> None:
        service.do("operator", "disable", "vina", "--undo")

    soon(lambda: len(kannel.posted()) >= 2, enable)
    handset.ask(STRANGER, "HD")

    assert len(kannel.posted()) >= 3
    (message_id,) = set(kannel.posted())
    until_delivery(service, "vina", message_id, "delivered")


@pytest.mark.slow
def test_what_came_while_we_were_killed_is_answered_once(
    deploy: Deploy, kannel: Kannel, handset: Handset
) -> None:
    service = deploy("sqlite")
    kannel.link(service, "vina")
    process = service.start()
    kannel.start()
    service.kill(process, group=True)

    soon(lambda: len(kannel.posted()) >= 2, service.start)
    handset.ask(STRANGER, "HD")

    (message_id,) = set(kannel.posted())
    until_delivery(service, "vina", message_id, "delivered")


@pytest.mark.slow
def test_an_answer_that_is_lost_is_asked_for_again_with_one_effect(
    deploy: Deploy, kannel: Kannel, handset: Handset
) -> None:
    service = deploy("sqlite")
    lost: list[int] = []

    def pass_on(request: Request) -> None:
        headers = [(name, value) for name, value in request.headers.items() if name != "Host"]
        answer = wire.request(service.port, request.command, request.path, request.body, headers)
        if "/inbound/" in request.path and len(lost) < 2:
            lost.append(answer.status)
            request.reset()
        else:
            request.answer(answer.status, answer.body)

    between = Listener(pass_on)
    between.open()
    try:
        kannel.link(service, "vina", through=between.port)
        service.start()
        kannel.start()

        handset.ask(STRANGER, "HD")
        until(lambda: len(kannel.posted()) == 3, "the answer that came through")

        (message_id,) = set(kannel.posted())
        assert lost == [200, 200]
        until_delivery(service, "vina", message_id, "delivered")
        # Whatever else was said to the first telephone would have come before.
        assert len(handset.texts(ANOTHER, "HD")) == 1
    finally:
        between.close()


@pytest.mark.slow
def test_nothing_that_kannel_says_by_itself_reaches_a_citizen(
    kannel: Kannel, handset: Handset, deploy: Deploy
) -> None:
    service = deploy("sqlite")
    kannel.changes = {"smsbox": {"http-request-retry": "0"}}
    kannel.link(service, "vina")
    kannel.start()

    with pytest.raises(NeverError):
        handset.texts(STRANGER, "HD", within=3)

    # With one message allowed Kannel texts that it could not fetch anything: so it was tried.
    kannel.close()
    kannel.changes["sms-service"] = {"max-messages": "1"}
    kannel.link(service, "other")
    kannel.start()
    assert handset.texts(STRANGER, "HD") == ["Could not fetch content, sorry."]


@pytest.mark.slow
def test_what_waits_in_smsbox_is_lost_with_it(
    kannel: Kannel, handset: Handset, deploy: Deploy
) -> None:
    service = deploy("sqlite")
    kannel.link(service, "vina")
    kannel.start()
    soon(lambda: len(kannel.posted()) >= 2, kannel.kill_smsbox)
    with pytest.raises(NeverError):
        handset.texts(STRANGER, "HD", within=5)
    before = kannel.posted()

    service.start()
    kannel.start_smsbox()
    handset.ask(ANOTHER, "HD")

    (since,) = kannel.posted()[len(before) :]
    assert since not in before
    assert service.cli("operator", "report", "vina", before[0]).returncode != 0


def soon(is_so: Callable[[], bool], do: Callable[[], object]) -> None:
    """Do something once it is so, beside what the test goes on with."""

    def wait() -> None:
        until(is_so, "what was waited for")
        do()

    Thread(target=wait, daemon=True).start()
