"""Whoever means harm: cookies, headers, hosts, guessed ids, sessions that are over, floods."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from pyotp.totp import TOTP
from werkzeug.test import TestResponse

from app import create_app
from cli.context import Service
from console.access import invitations, officers, sessions
from console.access.invitations import InvitationKind
from console.access.login import Admitted, Reception, Refusal, Visitor
from console.access.passwords import Passwords
from console.access.roles import Role
from console.access.sessions import Ended
from core.db import Database
from core.settings import Settings
from records import stops
from tests.console.conftest import FROM_HERE, House
from tests.console.test_guard import pages

ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
EVIL = "evil.example"
# security.md 5, as far as it can be seen in an answer.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'",
        "base-uri 'none'", "frame-ancestors 'none'",
    ),
    "Strict-Transport-Security": ("max-age=63072000",),
    "X-Content-Type-Options": ("nosniff",),
    "Referrer-Policy": ("no-referrer",),
    "Cross-Origin-Opener-Policy": ("same-origin",),
    "Cross-Origin-Resource-Policy": ("same-origin",),
}  # fmt: skip


@dataclass(slots=True)
class Behind:
    """The whole application as it stands behind a proxy with TLS."""

    app: Flask
    service: Service

    def entered(self, *roles: Role) -> FlaskClient:
        """Log a new officer in and return the browser."""
        now, keyring = self.service.clock.now(), self.service.keyring

        def invite(session: object) -> str:
            officer = officers.add(session, "lan", "Lan", roles, now)  # type: ignore[arg-type]  # a session
            return invitations.invite(session, officer, InvitationKind.ENTER, keyring, now)  # type: ignore[arg-type]  # a session

        token = self.service.database.write(invite)
        client = self.app.test_client()
        client.post(f"/console/invitation/{token}", base_url="https://x", headers=FROM_HERE)
        return client


@pytest.fixture
def behind(sqlite_database: Database, keys_dir: Path, tmp_path: Path) -> Iterator[Behind]:
    environ = {
        "TRADAN_STATE_DIR": str(tmp_path),
        "TRADAN_KEYS_DIR": str(keys_dir),
        "TRADAN_DATABASE_URL": sqlite_database.url.render_as_string(),
        "TRADAN_PUBLIC_URL": "https://sms.example.vn",
        "TRADAN_MODE": "test",
    }
    settings = Settings.from_env(environ)
    with closing(Service.of(settings)) as service:
        yield Behind(create_app(settings), service)


def has_headers(answer: TestResponse) -> bool:
    """Tell whether an answer bears all that a browser is to keep to."""
    return all(
        part in answer.headers.get(name, "") for name, parts in HEADERS.items() for part in parts
    )


def test_every_answer_bears_the_headers(behind: Behind) -> None:
    inside, outside = behind.entered(Role.VIEWER), behind.app.test_client()
    answers = {
        "page": inside.get("/console/"),
        "static": inside.get("/console/static/mark.svg", buffered=True),
        "not there": inside.get("/console/nowhere"),
        "no right": inside.get("/console/officers"),
        "no such message": inside.get("/console/messages/01890000-0000-7000-8000-000000000000"),
        "wrong method": inside.delete("/console/"),
        "forged": inside.post("/console/control/stop", data={"what": "service"}),
        "login": outside.get("/console/login"),
        "to the login": outside.get("/console/messages"),
        "spent invitation": outside.get("/console/invitation/x"),
        "logout": inside.post("/console/logout", headers=FROM_HERE),
    }

    assert [name for name, answer in answers.items() if not has_headers(answer)] == []
    kept = [n for n, a in answers.items() if a.headers.get("Cache-Control") != "no-store"]
    assert kept == ["static"]
    assert answers["static"].status_code == 200


def test_the_cookie_stays_with_this_host_and_off_scripts(behind: Behind) -> None:
    officer = behind.entered(Role.VIEWER)

    cookie = officer.get_cookie("__Host-tradan-console", domain="x")

    assert cookie is not None
    assert (cookie.secure, cookie.http_only, cookie.same_site) == (True, True, "Strict")
    assert (cookie.path, cookie.origin_only) == ("/", True)
    assert len(cookie.value) >= 43  # 256 bits


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "X-Forwarded-For", "Forwarded"])
def test_nobody_chooses_the_host_that_pages_lead_to(behind: Behind, name: str) -> None:
    officer = behind.entered(Role.USER_ADMIN)
    said = []
    for path in ("/console/officers", "/console/control", "/console/", "/console/login"):
        answer = officer.get(path, base_url="https://x", headers={name: EVIL})
        said += [answer.get_data(as_text=True), answer.headers.get("Location", "")]

    assert [text for text in said if EVIL in text] == []


def test_an_invitation_leads_to_the_public_address_whatever_the_host(behind: Behind) -> None:
    officer = behind.entered(Role.USER_ADMIN)
    page = officer.get("/console/officers", base_url="https://x").get_data(as_text=True)
    token = page.partition('name="form_token" value="')[2][:64]

    invited = officer.post(
        "/console/officers/add",
        base_url="https://x",
        data={"form_token": token, "name": "ha", "full_name": "Hà", "role": "viewer"},
        headers={**FROM_HERE, "X-Forwarded-Host": EVIL},
    ).get_data(as_text=True)

    assert "https://sms.example.vn/console/invitation/" in invited


@ONE_DATABASE
@pytest.mark.parametrize("guess", ["01890000-0000-7000-8000-000000000000", "0", "1", "x", "../.."])
def test_a_guessed_id_shows_nothing(house: House, guess: str) -> None:
    visit = house.entered("lan", Role.SECURITY_OFFICER)
    answered = {}
    for rule in house.app.url_map.iter_rules():
        if rule.arguments and rule.endpoint.removeprefix("console.") in house.guard.rights:
            path = rule.rule
            for argument in rule.arguments:
                path = path.replace(f"<uuid:{argument}>", guess).replace(f"<int:{argument}>", guess)
                path = path.replace(f"<{argument}>", guess).replace(f"<path:{argument}>", guess)
            answered[path] = visit.get(path)[0]

    assert answered
    assert {status for status in answered.values() if status < 300 or status >= 500} == set()


@ONE_DATABASE
def test_a_session_that_was_revoked_shows_nothing_more(house: House) -> None:
    visit, admin = house.entered("lan", Role.VIEWER), house.entered("ha", Role.USER_ADMIN)
    now = house.clock.now()
    (login,) = house.database.read(
        lambda s: [each for each in sessions.in_force(s, now) if each.officer.name == "lan"]
    )
    before = visit.get("/console/messages")[0]

    ended, _ = admin.post("/console/officers/end", session=str(login.id))

    assert (before, ended) == (200, 303)
    assert visit.get("/console/messages")[0] == 303


@ONE_DATABASE
def test_a_role_that_is_taken_away_is_gone_within_the_session(house: House) -> None:
    visit = house.entered("lan", Role.VIEWER, Role.APPROVER)
    before = visit.get("/console/messages")[0]

    def take(session: object) -> None:
        officer = officers.by_name(session, "lan")  # type: ignore[arg-type]  # a session
        officers.set_roles(session, officer, [Role.BILLING_MAKER])  # type: ignore[arg-type]  # a session

    house.database.write(take)
    status, _ = visit.post("/console/control/stop", what="service", reason="security")

    assert (before, visit.get("/console/messages")[0], status) == (200, 403, 403)
    assert house.database.read(stops.standing) == []


@ONE_DATABASE
def test_who_is_given_other_roles_by_the_console_logs_in_anew(house: House) -> None:
    visit, admin = house.entered("lan", Role.VIEWER), house.entered("ha", Role.USER_ADMIN)

    admin.post("/console/officers/roles", name="lan", role="auditor")

    assert visit.get("/console/")[0] == 303


@ONE_DATABASE
def test_a_token_of_an_ended_session_opens_nothing(house: House) -> None:
    visit = house.entered("lan", Role.SECURITY_OFFICER)
    cookie = visit.client.get_cookie("tradan-console")
    assert cookie is not None
    house.database.write(
        lambda s: sessions.end_all(
            s, officers.by_name(s, "lan").id, Ended.REVOKED, house.clock.now()
        )
    )

    for path, method, _ in pages(house):
        visit.client.set_cookie("tradan-console", cookie.value)
        assert visit.client.open(path, method=method, headers=FROM_HERE).status_code == 303
    assert house.database.read(stops.standing) == []


def test_a_flood_of_logins_from_everywhere_keeps_no_officer_from_the_switch(
    sqlite_database: Database, behind: Behind
) -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1))
    service = behind.service
    reception = Reception(service.database, service.keyring, passwords, service.clock)
    device = enrol(service, reception)
    over, refused = threading.Event(), []

    def attack(number: int) -> None:
        name, address = ("lan", "minh", f"n{number}")[number % 3], f"198.51.{number % 251}.{number}"
        found = reception.log_in(name, "a wrong password", "000000", Visitor(address, ""))
        refused.append(found)

    with ThreadPoolExecutor(12) as pool:
        attempts = [pool.submit(attack, number) for number in range(1000)]
        while len(refused) < 100:
            over.wait(0.01)
        code = device.at(datetime.now(UTC))
        admitted = reception.log_in("lan", PASSWORD, code, Visitor("203.0.113.9", "a browser"))
        still_under_way = sum(not attempt.done() for attempt in attempts)
        client = behind.app.test_client()
        assert isinstance(admitted, Admitted)
        client.set_cookie("__Host-tradan-console", admitted.token, domain="localhost", secure=True)
        page = client.get("/console/control", base_url="https://localhost").get_data(as_text=True)
        stopped = client.post(
            "/console/control/stop",
            base_url="https://localhost",
            data={
                "form_token": page.partition('name="form_token" value="')[2][:64],
                "what": "service",
                "reason": "security",
            },
            headers=FROM_HERE,
        )

    assert still_under_way > 0
    assert set(refused) <= {Refusal.WRONG, Refusal.SLOWED}
    assert "stopped=" in stopped.headers["Location"]
    assert len(service.database.read(stops.standing)) == 1


PASSWORD = "bốn con mèo trên mái ngói xanh"


def enrol(service: Service, reception: Reception) -> TOTP:
    """Enrol the officer whom the flood is to keep out, and return the device."""
    now, keyring = service.clock.now(), service.keyring
    token = service.database.write(
        lambda s: invitations.invite(
            s, officers.add(s, "lan", "Lan", [Role.SECURITY_OFFICER], now), InvitationKind.ENROL,
            keyring, now,
        )
    )  # fmt: skip
    invitation = reception.invitation(token)
    assert invitation is not None
    device = TOTP(reception.seed(invitation))
    # The code of the half minute before: that of this one is still to be spent.
    code = device.at(now.timestamp() - 30)
    assert isinstance(reception.enrol(token, PASSWORD, code, Visitor("", "")), Admitted)
    return device
