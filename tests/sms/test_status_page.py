"""The public page in a real browser: looks, sizes, and what axe-core thinks of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from core.db import Database
from core.keyring import Keyring
from records.stops import Scope
from sms.links.model import LinkKind
from tests.fakes import FixedClock
from tests.phone.browser import Complaints, axe
from tests.phone.played import serving
from tests.sms.public import Public, made

pytestmark = pytest.mark.browser

WIDE, NARROW, NARROWEST = (1280, 860), (390, 844), (320, 640)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = "rules => axe.run(document, {runOnly: rules}).then(found => found.violations)"
OPEN = Callable[..., Page]


@pytest.fixture
def public(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Public]:
    """The page of a demonstration with a link of every sort."""
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    for each in made(sqlite_database, keyring, keys_dir, tmp_path, clock, "demo"):
        each.add("viettel", 50000)
        each.add("vietnamobile-mien-bac", 123456789)
        each.add("mobifone", assessed_by=None)
        each.add("thu-nghiem", 0, is_test=True)
        each.add("abroad", 125000, kind=LinkKind.TWILIO)
        yield each


@pytest.fixture
def complaints() -> Complaints:
    """What the pages of this test complain of."""
    return Complaints()


@pytest.fixture
def visit(browser: Browser, public: Public, complaints: Complaints) -> Iterator[OPEN]:
    """Open the page; nothing it shows may draw a complaint of the browser."""
    pages: list[Page] = []
    with serving(public.client.application) as url:

        def open_page(address: str, size: tuple[int, int], scheme: str = "light") -> Page:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                color_scheme=scheme,  # type: ignore[arg-type]  # one of its literals
            )
            page = context.new_page()
            complaints.listen(page)
            pages.append(page)
            page.goto(f"{url}/status{address}")
            return page

        yield open_page
        for page in pages:
            page.context.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_axe_finds_nothing(visit: OPEN, language: str, size: tuple[int, int], scheme: str) -> None:
    page = visit(f"?lang={language}", size, scheme)
    page.locator("summary").click()

    assert faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["stopped", "unknown"])
def test_axe_finds_nothing_in_bad_times_either(
    visit: OPEN, public: Public, complaints: Complaints, state: str, scheme: str
) -> None:
    if state == "stopped":
        public.stop(Scope.SERVICE)
        public.stop(Scope.COMMAND, "KHOA")
    else:
        public.database.write(lambda s: s.execute(sa.text("ALTER TABLE stop RENAME TO gone")))

    page = visit("", NARROW, scheme)

    expect(page.locator(f".state.{state}")).to_be_visible()
    assert faults(page) == []
    complaints.clear()  # a browser complains of a 503


def faults(page: Page) -> list[str]:
    source = axe()
    if source is None:
        pytest.skip("no npm here to fetch axe-core with")
    # The page's own rules allow no scripts from elsewhere; the tests' script is not the page's.
    page.evaluate(source)
    return [str(fault["id"]) for fault in page.evaluate(AXE, RULES)]


@pytest.mark.parametrize("size", [WIDE, (800, 700), NARROW, NARROWEST])
def test_nothing_sticks_out_sideways(visit: OPEN, size: tuple[int, int]) -> None:
    page = visit("", size)

    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_the_state_is_told_by_word_and_sign(visit: OPEN, public: Public) -> None:
    expect(visit("", WIDE).locator(".state.running .icon")).to_be_visible()
    (public.state_dir / "stop").touch()

    page = visit("?lang=en", WIDE)

    expect(page.get_by_role("heading", level=1)).to_have_text("Stopped")
    expect(page.locator(".state.stopped .icon")).to_be_visible()


def test_every_target_is_large_enough(visit: OPEN) -> None:
    page = visit("", NARROW)

    heights = page.locator("a:visible, summary").evaluate_all(
        "targets => targets.filter(target => !target.matches('.skip'))"
        ".map(target => target.getBoundingClientRect().height)"
    )

    assert len(heights) > 3
    assert min(heights) >= 24


def test_keys_reach_the_content_first(visit: OPEN) -> None:
    page = visit("", WIDE)

    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")

    assert page.url.endswith("#content")


def test_on_paper_there_is_no_navigation(visit: OPEN) -> None:
    page = visit("", WIDE, "dark")
    page.emulate_media(media="print", color_scheme="dark")

    expect(page.locator("nav")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
