"""The console in a real browser: a lookup found, the service stopped and let go; and its looks."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Page, expect

from console.access.roles import Role
from console.pages import MENU
from tests.console.test_translations import foreign_words
from tests.e2e import ledger
from tests.e2e.browsing import NARROW, WIDE, Officer, enrol, faults_at
from tests.e2e.conftest import Deploy
from tests.e2e.fake_operator import Mt
from tests.e2e.harness import Deployment
from tests.e2e.ledger import Faults
from tests.e2e.links import HttpLink, code_in
from tests.e2e.people import Person
from tests.phone.browser import Complaints, axe, chromium, launched

pytestmark = pytest.mark.browser

ROLES = {
    "lan": (Role.INVESTIGATOR, Role.APPROVER, Role.SECURITY_OFFICER, Role.OPERATOR_MANAGER),
    "minh": (Role.INVESTIGATOR, Role.APPROVER, Role.SECURITY_OFFICER),
    "ha": (Role.AUDITOR,),
    "quan": (Role.USER_ADMIN,),
    "thu": (Role.BILLING_MAKER,),
}
_PEOPLE = 8
_ONE_OF_MANY = re.compile(r"(/console/[^/]+/).+")
Looks = tuple[tuple[str, tuple[int, int], tuple[str, ...]], ...]
HALF: Looks = (("en", WIDE, ("light",)), ("vi", NARROW, ("dark",)))
ALL: Looks = (("en", WIDE, ("light", "dark")), ("vi", NARROW, ("light", "dark")))
REFUSED = "Failed to load resource: the server responded with a status of"


@dataclass(slots=True)
class Office:
    """A running service, and officers at their browsers."""

    service: Deployment
    telco: HttpLink
    people: Iterator[Person]  # who has not asked for anything yet
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
        telco = service.add_http("telco", "--mo-price", "700")
        people = service.people.make_many(_PEOPLE)
        service.import_people(*people)
        faults = Faults(lost=60, extra=3, doubled=2, longer=4, dearer=5)
        ledger.make_up(service, "telco", 10, faults, service.home / "held")
        service.start()
        complaints = Complaints()
        officers = {
            name: enrol(service, browser, complaints, name, *roles) for name, roles in ROLES.items()
        }
        yield Office(service, telco, iter(people), officers, complaints)
        assert service.stop() == [0]


def test_a_lookup_is_found_and_tells_nothing_of_the_citizen(office: Office) -> None:
    lan, person = office.officers["lan"], next(office.people)
    lan.log_out()
    lan.log_in()
    expect(lan.page.get_by_role("heading", name="Tổng quan")).to_be_visible()

    listed = find(lan, office.telco.look_up(person))
    lan.page.locator("tbody .ds-link").click()
    expect(lan.page.get_by_text("vừa tính lại từ lá đến gốc đã ký")).to_be_visible()

    assert person.phone[-3:] in listed
    assert "Kết quả" in listed
    for shown in (listed, lan.page.locator("main").inner_text()):
        assert not told_of(person, shown)


def test_what_is_masked_is_seen_once_with_a_second_officer(office: Office) -> None:
    lan, minh, person = office.officers["lan"], office.officers["minh"], next(office.people)
    find(lan, office.telco.look_up(person))
    lan.page.locator("tbody .ds-link").click()
    lan.page.get_by_text("Đề nghị xem phần bị che").click()
    lan.page.get_by_label("số điện thoại", exact=True).check()
    give_grounds(lan)
    lan.press("Gửi đề nghị")
    expect(lan.page.get_by_text("Chờ một cán bộ khác duyệt.")).to_be_visible()
    where = lan.page.url

    minh.open("/console/reveals")
    minh.press("Duyệt")
    expect(minh.page.get_by_text("đã duyệt")).to_be_visible()
    assert not told_of(person, minh.page.content())
    lan.page.goto(where)
    lan.press("Xem một lần")

    expect(lan.page.locator(".opened")).to_contain_text(person.phone[-9:])
    lan.page.goto(where)
    expect(lan.page.get_by_role("button", name="Xem một lần")).to_have_count(0)
    assert not told_of(person, lan.page.content())


def test_the_log_leaves_as_a_file_that_tells_no_more(office: Office) -> None:
    lan, person = office.officers["lan"], next(office.people)
    told = office.telco.look_up(person)
    find(lan, told)

    lan.page.get_by_text("Xuất tệp").click()
    lan.page.get_by_label("Lý do").fill("Kiem tra dinh ky theo ke hoach thang 11")
    with lan.page.expect_download() as download:
        lan.press("Excel (.xlsx)")
    with ZipFile(download.value.path()) as file:
        parts = "".join(file.read(name).decode() for name in file.namelist())

    assert str(told.data["in_reply_to"]) in parts
    assert not told_of(person, parts)


def test_one_officer_stops_the_service_and_two_let_it_go_again(office: Office) -> None:
    lan, minh, person = office.officers["lan"], office.officers["minh"], next(office.people)

    lan.open("/console/control")
    lan.page.get_by_label("Phạm vi").select_option("service")
    lan.press("Dừng ngay")
    expect(lan.page.get_by_text("Đã dừng, lệnh số")).to_be_visible()
    assert reply_to(office, person) == "DOWN"

    lan.page.get_by_label("Lý do mở lại").fill("Dien tap xong")
    lan.press("Đề nghị mở lại")
    expect(lan.page.get_by_text("Chờ một cán bộ khác mở lại.")).to_be_visible()
    assert reply_to(office, person) == "DOWN"

    minh.open("/console/control")
    minh.press("Mở lại")
    expect(minh.page.get_by_text("dịch vụ đang hoạt động")).to_be_visible()
    assert reply_to(office, person) == "PIN"


def test_nothing_is_shown_after_logging_out(office: Office) -> None:
    minh = office.officers["minh"]
    minh.open("/console/messages")
    minh.open("/console/control")

    minh.log_out()
    expect(minh.page.get_by_role("heading", name="Đăng nhập")).to_be_visible()
    minh.page.go_back()

    expect(minh.page.get_by_role("heading", name="Đăng nhập")).to_be_visible()
    assert "Điều khiển" not in minh.page.content()
    assert office.complaints == []


def find(officer: Officer, told: Mt) -> str:
    """Find what a citizen was told by its transaction code, and return what the log says of it."""
    officer.open("/console/messages")
    officer.page.get_by_label("Mã giao dịch").fill(code_in(told.text))
    officer.press("Lọc")
    expect(officer.page.locator("tbody tr")).to_have_count(1)
    return officer.page.locator("tbody").inner_text()


def told_of(person: Person, shown: str) -> list[str]:
    """Return what of a citizen is shown that must not be."""
    secret = (person.phone[-9:], person.personal_id, person.full_name, person.plain_name)
    return [each for each in secret if each in shown]


def give_grounds(officer: Officer) -> None:
    """Type why, without the letters that a page in English must not have."""
    officer.page.get_by_label("Lý do").fill("Cong dan khieu nai ve tin da nhan")
    officer.page.get_by_label("Số hồ sơ").fill("HS-118/2026")
    officer.page.get_by_label("Cơ quan").fill("Cong an phuong Cua Nam")


def reply_to(office: Office, person: Person) -> str:
    """Have a citizen ask for their record, and return the name of what came back."""
    told = office.telco.ask(person.phone, f"DC {person.personal_id}")
    return office.service.reply_class(office.telco, str(told.data["in_reply_to"]))


@pytest.mark.parametrize(
    "looks", [HALF, pytest.param(ALL, marks=pytest.mark.slow)], ids=["half", "all"]
)
def test_every_page_is_fit_for_everybody(office: Office, looks: Looks) -> None:
    source = axe()
    if source is None:
        pytest.skip("no npm here to fetch axe-core with")
    office.telco.look_up(next(office.people))
    seen: set[str] = set()
    menu: set[str] = set()
    faults: list[str] = []
    for officer in office.officers.values():
        officer.page.context.add_init_script(source)
        officer.page.emulate_media(reduced_motion="reduce")
        officer.open("/console/")
        for path in new(menu_of(officer.page), seen):
            menu.add(path)
            faults += faults_of(officer, path, looks)
            # A page of one thing is found where a page of the menu leads to it.
            for further in new(details_of(officer.page, path), seen):
                faults += faults_of(officer, further, looks)

    assert faults == []
    assert len(menu) == len(MENU)
    assert office.complaints == []


def test_the_pages_of_a_month_are_fit_too(office: Office) -> None:
    source = axe()
    if source is None:
        pytest.skip("no npm here to fetch axe-core with")
    thu, month = office.officers["thu"], "/console/billing/telco/2026-10"
    thu.page.context.add_init_script(source)

    pages = [month, f"{month}/result", f"{month}/result/only_ours"]
    faults = [fault for path in pages for fault in faults_of(thu, path, HALF)]
    thu.open(f"{month}/minutes")

    faults += faults_at(thu.page, WIDE, ("light",)) + faults_at(thu.page, NARROW, ("dark",))
    assert faults == []
    assert office.complaints == []


def test_a_page_that_answers_a_form_is_fit_too(office: Office) -> None:
    source = axe()
    if source is None:
        pytest.skip("no npm here to fetch axe-core with")
    lan = office.officers["lan"]
    lan.page.context.add_init_script(source)
    lan.open("/console/access-file?lang=vi")
    lan.page.get_by_label("Số định danh cá nhân").fill(next(office.people).personal_id)
    give_grounds(lan)

    lan.press("Mở hồ sơ")

    expect(lan.page.get_by_role("heading", name="Các lần truy cập")).to_be_visible()
    assert faults_at(lan.page, WIDE, ("light",)) + faults_at(lan.page, NARROW, ("dark",)) == []


def test_a_page_that_is_refused_is_fit_too(office: Office) -> None:
    source = axe()
    if source is None:
        pytest.skip("no npm here to fetch axe-core with")
    officer = office.officers["quan"]
    officer.page.context.add_init_script(source)
    for path in ("/console/nothing", "/console/messages", "/console/login?ended=1"):
        assert faults_of(officer, path, HALF) == []

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


def faults_of(officer: Officer, path: str, looks: Looks) -> list[str]:
    """Look at a page in both languages, both widths and both schemes."""
    page, faults = officer.page, list[str]()
    for language, size, schemes in looks:
        officer.open(f"{path}{'&' if '?' in path else '?'}lang={language}")
        if language == "en":
            faults += [f"not in English: {word}" for word in foreign_words(page.content())]
        faults += faults_at(page, size, schemes)
    return [f"{path}: {fault}" for fault in faults]
