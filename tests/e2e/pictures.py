"""Takes the README's pictures of the console: `make pictures`. Everybody in them is made up."""

import math
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from playwright.sync_api import Browser

from sms.tally import TALLIED, TALLY
from tests.e2e import ledger
from tests.e2e.browsing import NARROW, Officer, enrol
from tests.e2e.harness import Deployment
from tests.e2e.ledger import Faults
from tests.e2e.links import HttpLink, pin_in, wrong
from tests.phone.browser import Complaints, chromium, launched

_SHARES = {"hong-ha": 30, "cuu-long": 18, "truong-son": 12}
_REPLIES = (("PIN", 0.45), ("RESULT", 0.41), ("NOMATCH", 0.08), ("HELP", 0.04), ("WRONG", 0.02))
_MINUTES_OF_A_DAY = 1440
_PEOPLE = 24
_BUSY = 420  # messages of a day of October


def main(folder: Path) -> None:
    """Run a service, have it used for a moment, and take its pictures."""
    path = chromium()
    if path is None:
        raise SystemExit("no chromium here: make chromium")
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = Deployment(home, settings={"PIN_SPACING_SECONDS": "0"})
        service.settings["PUBLIC_URL"] = f"http://127.0.0.1:{service.port}"
        stack.callback(service.close)
        service.do("init")
        links = [service.add_http(code) for code in _SHARES]
        service.import_people(*service.people.make_many(_PEOPLE))
        make_up_a_day(service)
        faults = Faults(lost=61, extra=9, doubled=14, longer=38, dearer=47)
        ledger.make_up(service, "hong-ha", _BUSY, faults, home / "held")
        service.start()
        use(service, links)
        take(service, stack.enter_context(launched(path)), folder)
        service.stop()


def make_up_a_day(service: Deployment) -> None:
    """Write into the tally what a day of a small country would have left there."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    counts, spans = [], []
    for ago in range(2, _MINUTES_OF_A_DAY):
        minute = now - timedelta(minutes=ago)
        hour = (minute.hour + minute.minute / 60 + 7) % 24
        busy = 0.25 + 0.75 * max(0.0, math.sin((hour - 6) / 16 * math.pi))
        ripple = 1 + 0.08 * math.sin(ago * 1.7) + 0.05 * math.sin(ago * 0.31)
        spans.append(
            {"minute": minute, "handed_over": 9, "p50_us": int(52_000 * ripple),
             "p95_us": int(118_000 * ripple), "p99_us": int(240_000 * ripple * (0.8 + busy / 3))}
        )  # fmt: skip
        counts += [
            {"minute": minute, "link_id": link_id, "command": "DC", "reply": reply,
             "state": "refused" if reply == "NOMATCH" else "answered", "messages": messages}
            for link_id, share in enumerate(_SHARES.values(), start=1)
            for reply, part in _REPLIES
            if (messages := int(share * busy * ripple * part * 2))
        ]  # fmt: skip
    engine = sa.create_engine(f"sqlite:///{service.state_dir / 'tradan.db'}")
    with engine.begin() as connection:
        connection.execute(sa.insert(TALLY), counts)
        connection.execute(sa.insert(TALLIED), spans)
    engine.dispose()


def use(service: Deployment, links: list[HttpLink]) -> None:
    """Have citizens look themselves up, and some of them err."""
    for place, person in enumerate(service.people.made):
        link = links[place % len(links)]
        pin = pin_in(link.ask(person.phone, f"DC {person.personal_id}"))
        link.ask(person.phone, f"XN {wrong(pin) if place % 7 == 5 else pin}")
        if place % 6 == 1:
            link.ask(person.phone, "HD")


def take(service: Deployment, browser: Browser, folder: Path) -> None:
    """Take the pictures, each of a page that officers work with."""
    roles = ("investigator", "approver", "security-officer")
    lan = enrol(service, browser, Complaints(), "lan", *roles, full_name="Nguyễn Thị Lan (bịa)")
    lan.choose(language="vi", scheme="light", size=(1280, 905))
    shoot(lan, "/console/", folder / "console-overview.png")
    lan.open("/console/messages?reply=RESULT")
    lan.page.locator("td .ds-link").first.click()
    lan.page.locator(".verdict").wait_for()
    lan.page.set_viewport_size({"width": 1280, "height": 790})
    lan.page.screenshot(path=folder / "console-message.png")
    thu = enrol(
        service, browser, Complaints(), "thu", "billing-maker", full_name="Lê Thị Thu (bịa)"
    )
    thu.choose(language="vi", scheme="light", size=(1280, 1787))
    shoot(thu, "/console/billing/hong-ha/2026-10/result", folder / "console-reconciled.png")
    lan.choose(language="vi", scheme="dark", size=NARROW)
    lan.open("/console/control")
    lan.page.get_by_label("Ghi chú").fill("Diễn tập quý IV")
    lan.press("Dừng ngay")
    shoot(lan, "/console/control", folder / "console-stop-narrow.png")


def shoot(officer: Officer, path: str, picture: Path) -> None:
    officer.open(path)
    officer.page.screenshot(path=picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
