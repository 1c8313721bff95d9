"""A Chromium for the tests of pages, and axe-core to judge what it shows."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

_AXE = "axe-core@4.14.1"
_CACHE = Path.home() / ".cache" / "tradan-tests"
_INSTALL_SECONDS = 60


def chromium() -> str | None:
    """Return the path of the Chromium of this machine, if it has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def launched(path: str) -> Iterator[Browser]:
    """Run a Chromium without a window for as long as the block lasts."""
    with sync_playwright() as playwright:
        # Within a container there is nothing for its own sandbox to be made of.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def axe() -> str | None:
    """Return the source of axe-core, fetched once with npm; None where that cannot be done."""
    script = _CACHE / _AXE / "package" / "axe.min.js"
    if not script.is_file() and not _fetched(script.parents[1]):
        return None
    return script.read_text()


def _fetched(folder: Path) -> bool:
    npm = shutil.which("npm")
    if npm is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(
        [npm, "pack", "--silent", _AXE], cwd=folder, capture_output=True, text=True,
        timeout=_INSTALL_SECONDS, check=False,
    )  # fmt: skip
    if packed.returncode != 0:
        return False
    with tarfile.open(folder / packed.stdout.strip()) as archive:
        archive.extract("package/axe.min.js", folder, filter="data")
    return True


class Complaints(list[str]):
    """What a page complains of: console errors, warnings, uncaught exceptions, failed requests."""

    def listen(self, page: Page) -> None:
        """Take down what *page* complains of from now on."""
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("requestfailed", self._note_failure)

    def _note_failure(self, request: Request) -> None:
        # What a page was still loading when it was left is nobody's fault.
        if request.failure != "net::ERR_ABORTED":
            self.append(f"failed: {request.url} ({request.failure})")

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.append(message.text)
