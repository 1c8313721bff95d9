"""The operators' contract in a real browser: Swagger UI from our own files, and nothing inline."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.db import Database
from tests.docs import openapi, pages
from tests.fakes import FixedClock
from tests.phone.browser import Complaints
from tests.phone.played import serving
from tests.sms.door import Door, opened

ELSEWHERE = re.compile(r"""(?:src|href)=["'](?:https?:)?//""")
WIDE, NARROW = (1280, 860), (390, 844)


@pytest.fixture
def door(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Door]:
    """The web application on SQLite."""
    with opened(sqlite_database, keys_dir, tmp_path / "door", clock) as made:
        yield made


def test_the_document_is_served_as_it_is(door: Door) -> None:
    answer = door.client.get("/openapi.json")

    assert answer.mimetype == "application/json"
    assert answer.get_json() == json.loads(openapi.MADE.read_text())


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(door: Door) -> None:
    page = door.client.get("/docs").text

    assert "<style" not in page
    assert " style=" not in page
    assert re.findall(r"<script[^>]*></script>", page)
    assert re.sub(r"<script[^>]*></script>", "", page).count("<script") == 0
    assert not ELSEWHERE.search(page)
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        with closing(door.client.get(address)) as answer:
            assert answer.status_code == 200, address


def test_what_is_vendored_is_named_with_its_version_and_licence() -> None:
    told = (pages.ROOT / "vendor/LICENCES.md").read_text()
    folder = pages.ROOT / "vendor/swagger-ui"

    assert re.search(r"`swagger-ui/` \| `swagger-ui-dist`.*\| [0-9.]+ \| Apache-2.0", told)
    assert "Apache License" in (folder / "LICENSE").read_text()
    assert "SmartBear" in (folder / "NOTICE").read_text()


@pytest.mark.browser
@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
def test_the_contract_is_shown_without_a_complaint(
    browser: Browser, door: Door, size: tuple[int, int], scheme: str
) -> None:
    complaints = Complaints()
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of its literals
    )
    with serving(door.client.application) as url:
        page = context.new_page()
        complaints.listen(page)
        page.goto(f"{url}/docs")
        page.get_by_text("Hand over a message of a citizen").click()
        expect(page.get_by_text("It is kept. Forget it.").first).to_be_visible()
        expect(page.get_by_text("A reply, posted to your address").first).to_be_visible()
        width = page.evaluate("document.documentElement.scrollWidth")
        is_dark = page.evaluate("document.documentElement.classList.contains('dark-mode')")
        context.close()

    assert complaints == []
    assert width <= size[0]
    assert is_dark is (scheme == "dark")
