"""The phone's page in a real browser: looks, keys, scripts and proofs."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from phone.mailbox import Mailbox
from sms import segments
from tests.e2e.waiting import until
from tests.phone.browser import Complaints, axe, chromium, launched
from tests.phone.played import LINK, PIN, SUBSCRIBERS, PlayedGateway

pytestmark = pytest.mark.browser

WIDE, NARROW = (1280, 860), (390, 844)
OPEN = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of this file."""
    path = chromium()
    if path is None:
        pytest.skip("no chromium here: make chromium")
    with launched(path) as browser:
        yield browser


@pytest.fixture
def complaints() -> Complaints:
    """What the pages of this test complain of."""
    return Complaints()


@pytest.fixture
def visit(browser: Browser, url: str, complaints: Complaints) -> Iterator[OPEN]:
    """Open the phone's page; nothing it shows may draw a complaint of the browser."""
    pages: list[Page] = []

    def open_page(
        address: str = "", size: tuple[int, int] = WIDE, init: str = "", *, scripts: bool = True
    ) -> Page:
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, java_script_enabled=scripts)  # type: ignore[arg-type] # a plain dict has the keys
        if init:
            context.add_init_script(init)
        page = context.new_page()
        complaints.listen(page)
        pages.append(page)
        page.goto(f"{url}/phone{address}")
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert complaints == []


def tap(page: Page, beginning: str) -> None:
    page.locator(f'.suggestion[value^="{beginning}"]').first.click()
    page.get_by_role("button", name="Gửi", exact=True).click()


def look_up(page: Page) -> None:
    tap(page, "DC")
    expect(page.locator(".theirs")).to_have_count(1)
    tap(page, f"XN {PIN}")
    expect(page.locator(".theirs")).to_have_count(2)
    expect(page.locator("#inside details[open] .browser[data-verdict]")).to_be_visible()


def test_a_lookup_is_four_taps(visit: OPEN, mailbox: Mailbox) -> None:
    page = visit()

    look_up(page)

    expect(page.locator(".theirs").last).to_contain_text("NGUYEN THI PHUONG THAO")
    expect(page.locator(".mine").last).to_contain_text("đã nhận")
    bodies = [text.body for text in mailbox.thread(LINK.code, SUBSCRIBERS[0].number)]
    assert (bodies[0], bodies[2]) == ("DC 999185000101", f"XN {PIN}")


def test_the_inside_shows_every_stage_and_the_browser_checks_the_proof(visit: OPEN) -> None:
    page = visit()

    look_up(page)

    card = page.locator("#inside details").first
    expect(card.locator("summary")).to_contain_text("RESULT")
    names = card.locator(".step").evaluate_all("steps => steps.map(step => step.dataset.stage)")
    assert names == ["received", "stored", "handled", "sealed", "arrived", "handed"]
    expect(card).to_contain_text("#12")
    expect(card.locator(".browser")).to_have_attribute("data-verdict", "yes")
    expect(card.locator(".browser")).to_contain_text("trình duyệt của bạn đã tự kiểm")


def test_the_browser_sees_through_a_service_that_lies_about_a_proof(
    visit: OPEN, gateway: PlayedGateway
) -> None:
    page = visit()
    look_up(page)

    page.route("**/phone/thread*", lie)
    tap(page, "HD")

    expect(page.locator('.browser[data-verdict="no"]').first).to_contain_text("SAI")
    page.unroute_all(behavior="ignoreErrors")  # one may be under way


def lie(route: Route) -> None:
    """Go on to say that the proof holds, over a root that it does not lead to."""
    answer = route.fetch()
    if answer.status != 200:
        route.fulfill(response=answer)
        return
    news = answer.json()
    route.fulfill(json=news | {"inside": news["inside"].replace('data-root="', 'data-root="00')})


def test_what_is_typed_is_counted_as_the_service_counts_it(visit: OPEN) -> None:
    page = visit()
    texts = [
        "", "a", "DC 001085123456", "é", "ê", "€", "[" * 80, "[" * 81, "x" * 160, "x" * 161,
        "x" * 152 + "€" + "x" * 160, "Đ" * 70, "Đ" * 71, "🌾" * 35, "🌾" * 36, "Đ" * 66 + "🌾" * 40,
        "Nguyễn Thị Phương Thảo " * 9, "`", "ç", "Ç", "\f", "à è ì ò ù É", "\u2028",
    ]  # fmt: skip

    counted = page.evaluate(
        "async texts => (await import('/phone/static/segments.js'),"
        " texts.map((await import('/phone/static/segments.js')).measure))",
        texts,
    )

    expected = [segments.measure(text) for text in texts]
    assert [(each["encoding"], each["units"], each["segments"]) for each in counted] == [
        (each.encoding, each.units, each.segments) for each in expected
    ]


def test_the_count_follows_the_typing(visit: OPEN) -> None:
    page = visit("?lang=en")
    body = page.get_by_label("Write a message")

    body.fill("DC 999185000101")
    expect(page.locator("#counter")).to_have_text("15/160 · 1 segment · GSM-7")

    body.fill("Tra cứu giúp tôi với, cảm ơn rất nhiều. " * 2)
    expect(page.locator("#counter")).to_have_text("80/134 · 2 segments · UCS-2")


def test_keys_alone_send_a_text_and_open_its_inside(visit: OPEN) -> None:
    page = visit("?lang=en")

    page.get_by_label("Write a message").press_sequentially("HD")
    page.keyboard.press("Enter")
    expect(page.locator(".theirs")).to_have_count(1)
    page.locator(".moment").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#inside summary").first).to_be_focused()


def test_a_reply_is_told_to_who_cannot_see_it(visit: OPEN) -> None:
    page = visit()

    tap(page, "HD")

    expect(page.locator("#announcement")).to_contain_text("Tin mới: CSDLDC: Soan DC")


def test_a_card_that_was_closed_stays_closed(visit: OPEN) -> None:
    page = visit()
    tap(page, "HD")
    first = page.locator("#inside details").last
    expect(first.locator("summary")).to_contain_text("HELP")

    first.locator("summary").click()
    tap(page, "DC")
    expect(page.locator("#inside details")).to_have_count(2)
    expect(page.locator("#inside details").first.locator("summary")).to_contain_text("PIN")

    expect(page.locator("#inside details").last).not_to_have_attribute("open", "")


def test_without_scripts_the_page_still_sends(visit: OPEN, gateway: PlayedGateway) -> None:
    page = visit(scripts=False)

    page.get_by_label("Soạn tin", exact=True).fill("HD")
    page.get_by_role("button", name="Gửi", exact=True).click()
    expect(page.locator(".mine")).to_have_count(1)
    until(lambda: gateway.known, "the text has come in")
    gateway.finish()
    page.reload()

    expect(page.locator(".theirs")).to_have_count(1)


def test_a_service_that_is_gone_is_noticed_and_nothing_typed_is_lost(
    visit: OPEN, complaints: Complaints
) -> None:
    page = visit("?lang=en")
    page.route("**/phone/*", lambda route: route.abort())

    page.get_by_label("Write a message").fill("HD")
    page.get_by_role("button", name="Send", exact=True).click()

    expect(page.locator("#lost")).to_be_visible()
    expect(page.get_by_label("Write a message")).to_have_value("HD")
    page.unroute_all()
    expect(page.locator("#lost")).to_be_hidden()
    complaints.clear()  # the failures that this test has made


LOOKS = (
    (WIDE, "light", "vi"),
    (WIDE, "dark", "vi"),
    (NARROW, "light", "vi"),
    (NARROW, "dark", "vi"),
    (WIDE, "light", "en"),
)


def test_axe_finds_nothing(visit: OPEN, gateway: PlayedGateway) -> None:
    source = axe()
    if source is None:
        pytest.skip("no npm here to fetch axe-core with")
    look_up(visit())
    gateway.send(SUBSCRIBERS[0].number, "CSDLDC: " + "Đ" * 100, "nothing")
    found = {}

    for size, scheme, language in LOOKS:
        page = visit(f"?lang={language}&scheme={scheme}", size, init=source)
        expect(page.locator(".theirs")).to_have_count(3)
        found[size, scheme, language] = faults(page)
        if size == NARROW:
            page.locator("[data-shows=inside]").click()
            expect(page.locator("#inside details").first).to_be_visible()
            found[size, scheme, language] += faults(page)
        page.close()  # it asks for news as long as it is open

    assert found == {look: [] for look in LOOKS}


def faults(page: Page) -> list[str]:
    found = page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations', 'incomplete']}))"
        ".violations.map(fault => fault.id + ': ' + fault.nodes.map(node => node.html).join())"
    )
    return [str(fault) for fault in found]


@pytest.mark.parametrize("size", [WIDE, NARROW, (320, 640), (800, 700)])
def test_nothing_sticks_out_sideways(visit: OPEN, size: tuple[int, int]) -> None:
    page = visit("", size)
    tap(page, "DC")
    expect(page.locator(".theirs").first).to_be_attached()

    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
