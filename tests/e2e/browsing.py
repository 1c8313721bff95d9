"""Officers with a browser and a device of their own, let in as they are in earnest."""

import re
import time
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page
from pyotp.totp import TOTP

from console.access.factor import STEP_SECONDS
from tests.e2e.harness import Deployment
from tests.e2e.waiting import until
from tests.phone.browser import Complaints

PASSWORD = "bốn con mèo trên mái ngói xanh"
WIDE, NARROW = (1280, 860), (390, 844)
# A scheme changes nothing but colours: of two, all else is judged in the first.
_AXE = """async ([scheme, coloursAlone]) => {
    document.documentElement.dataset.colorScheme = scheme;
    const rules = coloursAlone ? {runOnly: ["color-contrast"]} : {};
    const found = await axe.run(document, {resultTypes: ["violations"], ...rules});
    return found.violations.map(each => each.id + ": " + each.nodes.map(node => node.html).join());
}"""
_LINK = re.compile(r"http\S+/console/invitation/\S+")


@dataclass(slots=True)
class Device:
    """What makes an officer's codes: each serves once, so none is given out twice."""

    seed: str
    _step: int = 0

    def code(self) -> str:
        """Return the next code, as soon as the console would take it."""
        self._step = max(self._step + 1, present_step())
        # The console allows for a clock that is one step ahead.
        until(lambda: self._step <= present_step() + 1, "the next code of the device", within=60)
        return TOTP(self.seed).generate_otp(self._step)


def present_step() -> int:
    return int(time.time()) // STEP_SECONDS


@dataclass(slots=True)
class Officer:
    """An officer at a browser."""

    name: str
    url: str
    page: Page = field(repr=False)
    device: Device = field(repr=False)

    def open(self, path: str) -> None:
        """Open a page."""
        self.page.goto(f"{self.url}{path}")

    def log_in(self) -> None:
        """Log in with name, password and a code of the device."""
        self.open("/console/login")
        self.page.get_by_label("Tên đăng nhập").fill(self.name)
        self.page.get_by_label("Mật khẩu").fill(PASSWORD)
        self.page.get_by_label("Mã của thiết bị").fill(self.device.code())
        self.press("Đăng nhập")

    def log_out(self) -> None:
        """Log out by the menu."""
        self.page.locator(".me summary").click()
        self.press("Đăng xuất")

    def confirm(self) -> None:
        """Give a fresh code where the console asks for one."""
        self.page.get_by_label("Mã của thiết bị").fill(self.device.code())
        self.press("Xác nhận")

    def press(self, button: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=button, exact=True).click()

    def choose(self, *, language: str, scheme: str, size: tuple[int, int]) -> None:
        """Have pages in a language, in a scheme, and as wide as that."""
        self.open(f"/console/?lang={language}&scheme={scheme}")
        self.page.set_viewport_size({"width": size[0], "height": size[1]})


def enrol(
    service: Deployment,
    browser: Browser,
    complaints: Complaints,
    name: str,
    *roles: str,
    full_name: str = "",
) -> Officer:
    """Add an officer by the command line, who enrols by the link of the invitation."""
    options = [word for role in roles for word in ("--role", role)]
    told = service.do("user", "add", name, "--full-name", full_name or name.title(), *options)
    (link,) = _LINK.findall(told)
    page = browser.new_context(locale="vi-VN").new_page()
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    complaints.listen(page)
    page.goto(link)
    device = Device(page.locator(".seed code").inner_text())
    page.get_by_label("Mật khẩu mới").fill(PASSWORD)
    page.get_by_label("Nhập lại mật khẩu").fill(PASSWORD)
    page.get_by_label("Mã 6 chữ số").fill(device.code())
    officer = Officer(name, f"http://127.0.0.1:{service.port}", page, device)
    officer.press("Nhận tài khoản")
    page.get_by_role("link", name="Đã cất, tiếp tục").click()
    return officer


def faults_at(
    page: Page, size: tuple[int, int], schemes: tuple[str, ...] = ("light", "dark")
) -> list[str]:
    """Return what is wrong with what a page shows, in one width and in these schemes."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    is_wider = page.evaluate("document.documentElement.scrollWidth") > size[0]
    faults = [f"wider than {size[0]} px"] if is_wider else []
    for scheme in schemes:
        told = page.evaluate(_AXE, [scheme, scheme != schemes[0]])
        faults += [f"{scheme}, {size[0]} px: {fault}" for fault in told]
    return faults
