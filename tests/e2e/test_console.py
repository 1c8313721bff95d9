"""The console in a real browser: a lookup found, the service stopped and let go; and its looks."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from console.access.roles import Role
from console.pages import MENU
from tests.console.test_translations import foreign_words
from tests.e2e.browsing import NARROW, WIDE, Officer, enrol
from tests.e2e.conftest import Deploy
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, code_in, pins_in
from tests.e2e.people import Person
from tests.phone.browser import Complaints, axe, chromium, launched

pytestmark = pytest.mark.browser

ROLES = {
    "lan": (Role.INVESTIGATOR, Role.APPROVER, Role.SECURITY_OFFICER, Role.OPERATOR_MANAGER),
    "minh": (Role.INVESTIGATOR, Role.APPROVER, Role.SECURITY_OFFICER),
    "ha": (Role.AUDITOR,),
    "quan": (Role.USER_ADMIN,),
}
AXE = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    fault => fault.id + ": " + fault.nodes.map(node => node.html).join())"""
_ONE_OF_MANY = re.compile(r"(/console/[^/]+/).+")
REFUSED = "Failed to load resource: the server responded with a status of"


@dataclass(slots=True)
class Office:
    """A running service, and officers at their browsers."""

    service: Deployment
    telco: HttpLink
    person: Person
    officers: dict[str, Officer]
    complaints: Complaints


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of this file."""
    path = chromium()
    if path is None:
        pytest.skip("no chromium here: make chromium")
    with launched(path) as browser:
        yield browser


@pytest.fixture(scope="module")
def office(browser: Browser, make_deployment: Deploy) -> Iterator[Office]:
    """A service whose officers have taken over their accounts."""
    service = make_deployment("sqlite", PIN_SPACING_SECONDS="0")
    service.settings["PUBLIC_URL"] = f"http://127.0.0.1:{service.port}"
    with ExitStack() as stack:
        stack.callback(service.close)
        telco, person = service.add_http("telco", "--mo-price", "700"), service.new_person()
        service.start()
        complaints = Complaints()
        officers = {
            name: enrol(service, browser, complaints, name, *roles) for name, roles in ROLES.items()
        }
        yield Office(service, telco, person, officers, complaints)
        assert service.stop() == [0]


def test_a_lookup_is_found_and_the_service_stopped_and_let_go_again(office: Office) -> None:
    lan, minh, telco, person = *pair(office), office.telco, office.person
    lan.log_out()
    lan.log_in()
    expect(lan.page.get_by_role("heading", name="Tổng quan")).to_be_visible()

    told = telco.look_up(person)
    find(lan, code_in(told.text))
    listed = lan.page.locator("main").inner_text()
    lan.page.get_by_role("link", name=str(told.data["in_reply_to"])).click()
    expect(lan.page.get_by_text("vừa tính lại từ lá đến gốc đã ký")).to_be_visible()
    shown = lan.page.locator("main").inner_text()

    assert person.phone[-3:] in listed
    for page in (listed, shown):
        assert not [said for said in (person.phone[-9:], person.personal_id) if said in page]
        assert person.full_name not in page

    stop_everything(lan)
    assert reply_to(office, f"DC {person.personal_id}") == "DOWN"
    ask_to_resume(lan)
    assert reply_to(office, f"DC {person.personal_id}") == "DOWN"
    minh.open("/control")
    minh.press("Mở lại")
    expect(minh.page.get_by_text("dịch vụ đang hoạt động")).to_be_visible()
    assert pins_in(telco.ask(person.phone, f"DC {person.personal_id}"))


def test_nothing_is_shown_after_logging_out(office: Office) -> None:
    minh = office.officers["minh"]
    minh.open("/messages")
    minh.open("/control")

    minh.log_out()
    expect(minh.page.get_by_role("heading", name="Đăng nhập")).to_be_visible()
    minh.page.go_back()

    expect(minh.page.get_by_role("heading", name="Đăng nhập")).to_be_visible()
    assert "Điều khiển" not in minh.page.content()
    assert office.complaints == []


def pair(office: Office) -> tuple[Officer, Officer]:
    return office.officers["lan"], office.officers["minh"]


def find(officer: Officer, code: str) -> None:
    officer.open("/messages")
    officer.page.get_by_label("Mã giao dịch").fill(code)
    officer.press("Lọc")
    expect(officer.page.locator("tbody tr")).to_have_count(1)


def stop_everything(officer: Officer) -> None:
    officer.open("/control")
    officer.page.get_by_label("Phạm vi").select_option("service")
    officer.press("Dừng ngay")
    expect(officer.page.get_by_text("Đã dừng, lệnh số")).to_be_visible()


def ask_to_resume(officer: Officer) -> None:
    officer.page.get_by_label("Lý do mở lại").fill("Diễn tập xong")
    officer.press("Đề nghị mở lại")
    expect(officer.page.get_by_text("Chờ một cán bộ khác mở lại.")).to_be_visible()


def reply_to(office: Office, text: str) -> str:
    """Have the citizen text the service, and return the name of what came back."""
    told = office.telco.ask(office.person.phone, text)
    return office.service.reply_class(office.telco, str(told.data["in_reply_to"]))


def test_every_page_is_fit_for_everybody(office: Office) -> None:
    source = axe()
    if source is None:
        pytest.skip("no npm here to fetch axe-core with")
    office.telco.look_up(office.person)
    seen: set[str] = set()
    menu: set[str] = set()
    faults: list[str] = []
    for officer in office.officers.values():
        officer.page.context.add_init_script(source)
        officer.page.emulate_media(reduced_motion="reduce")
        officer.open()
        for path in new(menu_of(officer.page), seen):
            menu.add(path)
            faults += faults_of(officer, path)
            # A page of one thing is found where a page of the menu leads to it.
            for further in new(details_of(officer.page, path), seen):
                faults += faults_of(officer, further)

    assert faults == []
    assert len(menu) == len(MENU)
    assert office.complaints == []


def test_a_page_that_is_refused_is_fit_too(office: Office) -> None:
    source = axe()
    if source is None:
        pytest.skip("no npm here to fetch axe-core with")
    officer = office.officers["quan"]
    officer.page.context.add_init_script(source)
    for path in ("/console/nothing", "/console/messages", "/console/login?ended=1"):
        assert faults_of(officer, path) == []

    assert all(told.startswith(REFUSED) for told in office.complaints)
    office.complaints.clear()  # which the browser says of every status that is no success


def menu_of(page: Page) -> list[str]:
    return addresses(page, ".pages .menu a")


def details_of(page: Page, path: str) -> list[str]:
    links = addresses(page, "main a[href^='/console/']:not([download])")
    return [link for link in links if link.startswith(f"{path}/") and "?" not in link]


def addresses(page: Page, chosen: str) -> list[str]:
    found = page.locator(chosen).evaluate_all("links => links.map(a => a.getAttribute('href'))")
    return [str(address) for address in found]


def new(paths: list[str], seen: set[str]) -> Iterator[str]:
    """Yield what is the first of its kind: one message stands for all."""
    for path in paths:
        kind = _ONE_OF_MANY.sub(r"\1…", path)
        if kind not in seen:
            seen.add(kind)
            yield path


def faults_of(officer: Officer, path: str) -> list[str]:
    """Look at a page in both languages, both widths and both schemes."""
    page, faults = officer.page, list[str]()
    for language, size in (("en", WIDE), ("vi", NARROW)):
        page.goto(f"{officer.url}{path}{'&' if '?' in path else '?'}lang={language}")
        if language == "en":
            faults += [f"not in English: {word}" for word in foreign_words(page.content())]
        faults += faults_at(page, size)
    return [f"{path}: {fault}" for fault in faults]


def faults_at(page: Page, size: tuple[int, int]) -> list[str]:
    """Look at what the page shows, in one width and in both schemes."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    is_wider = page.evaluate("document.documentElement.scrollWidth") > size[0]
    faults = [f"wider than {size[0]} px"] if is_wider else []
    for scheme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.colorScheme = '{scheme}'")
        faults += [f"{scheme}, {size[0]} px: {told}" for told in page.evaluate(AXE)]
    return faults
