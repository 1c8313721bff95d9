"""An officer at a browser: cookies, forms and a device for codes, over real sockets."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from pyotp.totp import TOTP

from tests.e2e import wire
from tests.e2e.harness import PUBLIC_URL, Deployment

PASSWORD = "bốn con mèo trên mái ngói xanh"
CONTROL = "/console/control"
_SEED = re.compile(r"<code>([A-Z2-7]{32})</code>")
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
_STEP_SECONDS = 30


@dataclass(slots=True)
class Officer:
    """One officer, logged in from one place."""

    port: int
    name: str
    seed: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    form_token: str = ""
    _spent: int = 0

    def code(self) -> str:
        """Return a code of the device that was not used before."""
        self._spent = max(self._spent + 1, int(datetime.now(UTC).timestamp()) // _STEP_SECONDS)
        return str(TOTP(self.seed).generate_otp(self._spent))

    def get(self, path: str) -> wire.Response:
        """Open a page."""
        return self._ask("GET", path, None)

    def send(self, path: str, **form: str) -> wire.Response:
        """Send a form as the page would that was opened last."""
        return self._ask("POST", path, {"form_token": self.form_token, **form})

    def enrol(self, link: str) -> None:
        """Take an invitation: a password, a device, and a session."""
        path = urlsplit(link).path
        (self.seed,) = _SEED.findall(self.get(path).text)
        shown = self.send(path, password=PASSWORD, again=PASSWORD, code=self.code())
        assert self.cookies, shown
        (self.form_token,) = set(_TOKEN.findall(self.get(CONTROL).text))

    def log_in(self) -> wire.Response:
        """Log in by name, password and device."""
        answer = self.send("/console/login", name=self.name, password=PASSWORD, code=self.code())
        found = _TOKEN.findall(self.get(CONTROL).text)
        self.form_token = found[0] if found else ""
        return answer

    def stop(self, what: str, reason: str = "security", note: str = "") -> str:
        """Stop something; return what the service says stands for it, a number or `by-file`."""
        answer = self.send(f"{CONTROL}/stop", what=what, reason=reason, note=note)
        place = str(answer.headers["Location"])
        assert "stopped=" in place, (answer.status, place)
        return place.rpartition("=")[2]

    def ask_resume(self, number: str, note: str = "it is over") -> int:
        """Ask that a stop be lifted; return the status."""
        return self.send(f"{CONTROL}/ask", stop=number, note=note).status

    def resume(self, number: str) -> int:
        """Lift a stop that somebody asked to lift; return the status."""
        return self.send(f"{CONTROL}/resume", stop=number).status

    def _ask(self, method: str, path: str, form: dict[str, str] | None) -> wire.Response:
        headers: list[tuple[str, str | bytes]] = [
            ("Sec-Fetch-Site", "same-origin"),
            ("Origin", PUBLIC_URL),
            ("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())),
        ]
        body = None
        if form is not None:
            headers.append(("Content-Type", wire.FORM))
            body = urlencode(form).encode()
        answer = wire.request(self.port, method, path, body, headers)
        for text in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(text).items()}
        return answer


def enrolled(service: Deployment, name: str, *roles: str) -> Officer:
    """Add an officer by the command line and enrol them in a browser."""
    words = [word for role in roles for word in ("--role", role)]
    said = service.do("user", "add", name, "--full-name", name.title(), *words)
    officer = Officer(service.port, name)
    officer.enrol(next(word for word in said.split() if word.startswith(PUBLIC_URL)))
    return officer
