"""Coming in: who is let in, who is not, and what no attempt can do."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from pyotp.totp import TOTP

from console.access import officers, throttle
from console.access.invitations import InvitationKind
from console.access.login import Admitted, Reception, Refusal, Visitor
from console.access.officers import Officer
from console.access.passwords import Passwords
from console.access.roles import Role
from console.access.sessions import ABSOLUTE, IDLE
from tests.console.conftest import FROM_HERE, House, Visit

PASSWORD = "bốn con mèo trên mái ngói xanh"
HERE = Visitor("192.0.2.1", "a browser")
# The library's own cost is the deployment's to pay, not the tests'.
PASSWORDS = Passwords(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))


def enrolled(
    house: House, name: str = "lan", role: Role = Role.SECURITY_OFFICER
) -> tuple[Officer, TOTP]:
    officer = house.officer(name, role)
    token = house.invited(officer, InvitationKind.ENROL)
    reception = reception_of(house)
    invitation = reception.invitation(token)
    assert invitation is not None
    device = TOTP(reception.seed(invitation))
    admitted = reception.enrol(token, PASSWORD, code(house, device), HERE)
    assert isinstance(admitted, Admitted)
    house.clock.advance(timedelta(seconds=30))
    return admitted.officer, device


def device_of(reception: Reception, token: str) -> TOTP:
    invitation = reception.invitation(token)
    assert invitation is not None
    return TOTP(reception.seed(invitation))


def reception_of(house: House) -> Reception:
    return Reception(house.database, house.keyring, PASSWORDS, house.clock)


def code(house: House, device: TOTP) -> str:
    return device.at(house.clock.now())


@pytest.fixture
def lan(house: House) -> tuple[Officer, TOTP]:
    return enrolled(house)


def test_name_password_and_code_let_in(house: House, lan: tuple[Officer, TOTP]) -> None:
    client = house.app.test_client()

    answer = client.post(
        "/console/login",
        data={"name": "lan", "password": PASSWORD, "code": code(house, lan[1])},
        headers=FROM_HERE,
    )

    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Strict" in answer.headers["Set-Cookie"]
    assert client.get("/console/").status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"password": "another password altogether"}, {"code": "000000"}, {"name": "nobody"}]
)
def test_one_wrong_part_lets_nobody_in_and_says_no_more(
    house: House, lan: tuple[Officer, TOTP], wrong: dict[str, str]
) -> None:
    client = house.app.test_client()
    form = {"name": "lan", "password": PASSWORD, "code": code(house, lan[1]), **wrong}

    answer = client.post("/console/login", data=form, headers=FROM_HERE)

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "Tên, mật khẩu hoặc mã không đúng" in answer.get_data(as_text=True)
    assert client.get("/console/").status_code == 303


def test_a_code_serves_once(house: House, lan: tuple[Officer, TOTP]) -> None:
    reception, now = reception_of(house), code(house, lan[1])

    first = reception.log_in("lan", PASSWORD, now, HERE)
    second = reception.log_in("lan", PASSWORD, now, HERE)

    assert isinstance(first, Admitted)
    assert second is Refusal.WRONG


def test_a_recovery_code_stands_in_for_the_device_once(house: House) -> None:
    officer = house.officer("minh", Role.APPROVER)
    token, reception = house.invited(officer, InvitationKind.ENROL), reception_of(house)
    device = device_of(reception, token)
    admitted = reception.enrol(token, PASSWORD, code(house, device), HERE)
    assert isinstance(admitted, Admitted)
    recovery = admitted.recovery_codes[3].lower().replace("-", " ")

    first = reception.log_in("minh", PASSWORD, recovery, HERE)
    second = reception.log_in("minh", PASSWORD, recovery, HERE)

    assert isinstance(first, Admitted)
    assert second is Refusal.WRONG


def test_an_invitation_opens_once_and_for_a_day(house: House) -> None:
    officer = house.officer("ha", Role.AUDITOR)
    token, client = house.invited(officer, InvitationKind.ENTER), house.app.test_client()

    first = client.post(f"/console/invitation/{token}", headers=FROM_HERE)
    second = client.post(f"/console/invitation/{token}", headers=FROM_HERE)
    late = house.invited(officer, InvitationKind.ENTER)
    house.clock.advance(timedelta(hours=24))

    assert (first.status_code, second.status_code) == (303, 410)
    assert client.get(f"/console/invitation/{late}").status_code == 410


@pytest.mark.parametrize(
    ("password", "refusal"),
    [("short", Refusal.SHORT), ("x" * 129, Refusal.LONG), ("tradantradan2026", Refusal.GUESSABLE)],
)
def test_a_poor_password_is_not_taken(house: House, password: str, refusal: Refusal) -> None:
    officer = house.officer("lan", Role.VIEWER)
    token, reception = house.invited(officer, InvitationKind.ENROL), reception_of(house)
    device = device_of(reception, token)

    assert reception.enrol(token, password, code(house, device), HERE) is refusal


def test_whoever_is_shut_out_is_out_at_once(house: House) -> None:
    visit = house.entered("lan", Role.VIEWER)
    before = visit.get("/console/")[0]

    def lock(session: object) -> None:
        officer = officers.by_name(session, "lan")  # type: ignore[arg-type]  # a session
        officers.disable(session, officer, house.clock.now())  # type: ignore[arg-type]  # a session

    house.database.write(lock)

    assert (before, visit.get("/console/")[0]) == (200, 303)


@pytest.mark.parametrize(("pause", "times"), [(IDLE, 1), (timedelta(minutes=9), 54)])
def test_a_session_ends_when_idle_and_after_a_shift(
    house: House, pause: timedelta, times: int
) -> None:
    visit = house.entered("lan", Role.VIEWER)
    answers = []

    for _ in range(times):
        house.clock.advance(pause)
        answers.append(visit.get("/console/")[0])

    assert answers[-1] == 303
    assert answers[:-1] == [200] * (len(answers) - 1)
    assert pause * times >= min(ABSOLUTE, IDLE)


def test_a_new_login_ends_the_one_before(house: House) -> None:
    visit = house.entered("lan", Role.VIEWER)
    officer = house.database.read(lambda s: officers.by_name(s, "lan"))
    other = Visit(house, house.app.test_client())

    token = house.invited(officer, InvitationKind.ENTER)
    other.client.post(f"/console/invitation/{token}", headers=FROM_HERE)

    assert (visit.get("/console/")[0], other.get("/console/")[0]) == (303, 200)


def test_a_session_that_was_planted_is_not_taken_over(house: House) -> None:
    client = house.app.test_client()
    client.set_cookie("tradan-console", "planted")
    token = house.invited(house.officer("lan", Role.VIEWER), InvitationKind.ENTER)

    answer = client.post(f"/console/invitation/{token}", headers=FROM_HERE)

    assert "planted" not in answer.headers["Set-Cookie"]
    client.set_cookie("tradan-console", "planted")
    assert client.get("/console/").status_code == 303


def test_after_logout_nothing_is_shown(house: House) -> None:
    visit = house.entered("lan", Role.VIEWER)

    status, _ = visit.post("/console/logout")

    assert status == 303
    assert visit.get("/console/messages")[0] == 303


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_thousand_wrong_logins_keep_no_officer_out(
    house: House, lan: tuple[Officer, TOTP]
) -> None:
    reception = reception_of(house)

    ends = {reception.log_in("lan", "wrong", "000000", HERE) for _ in range(1000)}
    admitted = reception.log_in("lan", PASSWORD, code(house, lan[1]), HERE)

    assert ends == {Refusal.WRONG, Refusal.SLOWED}
    assert isinstance(admitted, Admitted)


def test_failures_slow_a_name_and_an_address_and_pass(house: House) -> None:
    keys = throttle.keys_of("lan", "192.0.2.1")

    def attempt() -> bool:
        return house.database.write(lambda s: throttle.count_attempt(s, keys, house.clock.now()))

    free = [attempt() for _ in range(7)]
    house.clock.advance(timedelta(minutes=1))

    assert free == [True] * 5 + [False] * 2
    assert attempt()
    assert not attempt()
    house.clock.advance(timedelta(minutes=15))
    assert attempt()
