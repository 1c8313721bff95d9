"""The guard: each page by right, and no form that somebody else's page sent."""

import pytest

from console.access.roles import GRANTED, Right, Role, conflict, rights_of
from core.errors import UnavailableError
from journal.errors import JournalError
from tests.console.conftest import FROM_HERE, House

ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ELSEWHERE: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example"},
    {},
)


def pages(house: House) -> list[tuple[str, str, Right | None]]:
    """Every page with its method and right, the arguments of its path filled in."""
    found = []
    for rule in house.app.url_map.iter_rules():
        name = rule.endpoint.removeprefix("console.")
        if name in house.guard.rights:
            arguments = dict.fromkeys(rule.arguments, "01890000-0000-7000-8000-000000000000")
            with house.app.test_request_context():
                path = house.app.url_for(rule.endpoint, **arguments)  # type: ignore[arg-type]  # its arguments
            methods = sorted((rule.methods or set()) & {"GET", "POST"})
            found += [(path, method, house.guard.rights[name]) for method in methods]
    return found


@ONE_DATABASE
def test_every_role_opens_what_it_may_and_nothing_else(house: House) -> None:
    asked = pages(house)

    for role in Role:
        visit = house.entered(role.replace("-", "_"), role)
        token = visit.form_token
        for path, method, right in asked:
            if path.endswith("/logout"):
                continue
            answer = visit.client.open(
                path, method=method, data={"form_token": token}, headers=FROM_HERE
            )
            is_refused = answer.status_code == 403
            assert is_refused is (right is not None and right not in GRANTED[role]), (role, path)


@ONE_DATABASE
def test_nobody_sees_anything_without_a_session(house: House) -> None:
    for path, method, _right in pages(house):
        answer = house.app.test_client().open(path, method=method, headers=FROM_HERE)

        assert (answer.status_code, answer.headers["Location"][:14]) == (303, "/console/login")


@ONE_DATABASE
def test_every_page_has_a_right_or_is_anybodys_by_name(house: House) -> None:
    free = {name for name, right in house.guard.rights.items() if right is None}

    assert free == {"step_up", "logout", "nowhere"}
    assert set(house.app.view_functions) - {f"console.{n}" for n in house.guard.rights} == {
        "static", "vendor", "console.static", "console.login", "console.invitation",
    }  # fmt: skip


@ONE_DATABASE
@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_form_of_another_site_does_nothing(house: House, headers: dict[str, str]) -> None:
    visit = house.entered("lan", Role.SECURITY_OFFICER)

    answer = visit.client.post(
        "/console/control/stop",
        data={"form_token": visit.form_token, "what": "service", "reason": "security"},
        headers=headers,
    )

    assert answer.status_code == 403
    assert "Không có gì bị dừng" in visit.get("/console/control")[1]


@ONE_DATABASE
@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_its_token_does_nothing(house: House, token: str) -> None:
    visit = house.entered("lan", Role.SECURITY_OFFICER)

    answer = visit.client.post(
        "/console/control/stop",
        data={"form_token": token, "what": "service", "reason": "security"},
        headers=FROM_HERE,
    )

    assert answer.status_code == 403


@ONE_DATABASE
@pytest.mark.parametrize("headers", ELSEWHERE)
def test_nobody_is_logged_in_by_another_site(house: House, headers: dict[str, str]) -> None:
    answer = house.app.test_client().post("/console/login", data={}, headers=headers)

    assert answer.status_code == 403


@ONE_DATABASE
@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/console//evil.example", "/sms/x", "\\x"]
)
def test_nobody_is_sent_elsewhere(house: House, back: str) -> None:
    page = house.app.test_client().get("/console/login", query_string={"back": back})

    assert "evil" not in page.get_data(as_text=True)


@ONE_DATABASE
def test_pages_are_kept_by_no_cache_and_framed_by_nobody(house: House) -> None:
    answer = house.entered("lan", Role.VIEWER).client.get("/console/")

    assert answer.headers["Cache-Control"] == "no-store"


def test_roles_that_must_be_apart_are() -> None:
    assert conflict([Role.AUDITOR, Role.VIEWER])
    assert conflict([Role.USER_ADMIN, Role.APPROVER])
    assert conflict([Role.BILLING_MAKER, Role.BILLING_CHECKER])
    assert conflict([])
    assert conflict([Role.SECURITY_OFFICER, Role.INVESTIGATOR]) is None


def test_auditors_and_administrators_see_no_messages() -> None:
    for role in (Role.AUDITOR, Role.USER_ADMIN):
        assert Right.SEE_LOG not in rights_of([role])
        assert Right.ASK_REVEAL not in rights_of([role])


@ONE_DATABASE
@pytest.mark.parametrize("error", [JournalError, UnavailableError])
def test_what_cannot_be_written_is_not_shown(house: House, error: type[Exception]) -> None:
    visit = house.entered("lan", Role.VIEWER)

    def fail(*_arguments: object) -> None:
        raise error

    house.journal.prepare = fail  # type: ignore[method-assign,assignment]  # the journal takes nothing

    status, text = visit.get("/console/messages")

    assert status == 503
    assert "<table" not in text
