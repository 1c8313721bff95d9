"""The demonstration's own deployment: its settings, its people, its networks, its service.

Nothing of it comes from the environment: whatever a shell has set for a real deployment, the
demonstration neither reads its database nor writes to it.
"""

import secrets
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from os import getpid
from pathlib import Path
from typing import TYPE_CHECKING

from cli import acting
from cli.context import Service
from cli.exits import UNAVAILABLE, UsageFault

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from phone.links import LinkFolder

LOOPBACK = "127.0.0.1"
HOME = Path("var/demo")
PORT = 8000
SHORT_CODE = "12345"
NETWORKS = {"hong-ha": "Hồng Hà", "cuu-long": "Cửu Long", "truong-son": "Trường Sơn"}
PEOPLE = 300
OFFICERS = {
    "lan": ("Nguyễn Thị Lan (bịa)", ("security-officer", "investigator")),
    "minh": ("Trần Văn Minh (bịa)", ("security-officer", "approver", "operator-manager")),
    "ha": ("Lê Thu Hà (bịa)", ("auditor",)),
    "tam": ("Phạm Tâm (bịa)", ("user-admin",)),
}
_SEED = 1
_PRICES = {"hong-ha": 300, "cuu-long": 350, "truong-son": 290}
_PROGRAM = Path(__file__).parent.parent / "app.py"
_URL_FILE = "phone/url"
_LOG_FILE = "service.log"
_READY_SECONDS = 30
_DRAIN_SECONDS = 60
_PORTS_TRIED = 100
_SECRET_BYTES = 32
_NAMES = (
    "BIND", "CONTACT_OFFICER", "DATABASE_URL", "KEYS_DIR", "LEGAL_BASIS", "METRICS_BIND", "MODE",
    "PIN_LIFE_SECONDS", "PIN_PROFILE", "PIN_SPACING_SECONDS", "PUBLIC_URL", "SHORT_CODE",
    "STATE_DIR",
)  # fmt: skip


def environment(state_dir: Path, port: int) -> dict[str, str]:
    """Return every setting of the demonstration; what is empty is as if it were not set."""
    address = f"{LOOPBACK}:{port}"
    chosen = {
        "MODE": "demo",
        # The server leaves the folder that it was started in.
        "STATE_DIR": str(state_dir.absolute()),
        "BIND": address,
        "PUBLIC_URL": f"http://{address}",
        "SHORT_CODE": SHORT_CODE,
        # Who tries things out asks more than once a minute.
        "PIN_SPACING_SECONDS": "5",
        "CONTACT_OFFICER": "Người trực bịa ra, 024 0000 0000",
        "LEGAL_BASIS": "Trình diễn, không có người thật",
    }
    return {f"TRADAN_{name}": chosen.get(name, "") for name in _NAMES}


def service_of(state_dir: Path, port: int) -> Service:
    """Return the demonstration as verbs work with it."""
    from core.settings import Settings

    settings = Settings.from_env(environment(state_dir, port))
    return Service.of(settings)


def free_port(wanted: int, *, further: bool) -> int:
    """Return *wanted* if nobody listens there; the next that is free if *further* are allowed.

    Shape: 0 stands for any. Raises: UsageFault if none is free.
    """
    candidates = range(wanted, wanted + _PORTS_TRIED) if wanted and further else [wanted]
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise UsageFault(f"port {wanted} is taken: name another with --port", UNAVAILABLE)


def make_up(service: Service) -> int:
    """Have made-up people in the register, able to look themselves up today; return how many."""
    from core.clock import vietnam_day
    from records import citizens, people

    today = vietnam_day(service.clock.now())
    made_up = list(people.generate(PEOPLE, _SEED, today))
    citizens.store(service.database, service.keyring, made_up)
    return len(made_up)


def connect(service: Service, gateway: str) -> None:
    """Have a link for each made-up network, which takes texts for the phones of the page."""
    from phone.desk import PAGE_FOLDER
    from phone.links import LinkFolder

    folder = LinkFolder(service.settings.state_dir / PAGE_FOLDER)
    for code, title in NETWORKS.items():
        provide(service, folder, code, title, f"{gateway}/phone/mt/{code}", _PRICES[code])


def provide(
    service: Service, folder: "LinkFolder", code: str, title: str, url: str, price: int
) -> bool:
    """Have a test link *code* that hands replies to *url*; return whether anything changed.

    Units: *price* in VND.
    """
    from cli.linking import add_link, with_entry
    from phone.network import Link
    from sms.links import registry
    from sms.links.model import LinkKind
    from sms.links.registry import NewLink

    found, kept = service.links.get(code), folder.links().get(code)
    if found is None:
        secret = "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        new = NewLink(
            code=code, kind=LinkKind.HTTP, url=url, secret=secret, is_test=True,
            assessed_by=service.person,
        )  # fmt: skip
        # Kept first: a link whose secret nobody has is of no use to anybody.
        folder.keep(Link(code, title, f"/sms/{code}/inbound", secret))
        add_link(service, new, price)
        return True
    if kept is None or kept.secret not in found.secrets:
        secret = found.secrets[0]
        folder.keep(Link(code, title, found.webhook_path, secret))
    if found.url == url:
        return False
    with_entry(service, "link-move", code, lambda session: registry.move(session, found, url))
    return True


def invite_officers(service: Service) -> dict[str, str]:
    """Return for each made-up officer a link that lets in once, without password or device."""
    from console.access import invitations, officers
    from console.access.invitations import InvitationKind
    from console.access.roles import Role

    now, keyring = service.clock.now(), service.keyring

    def work(session: "Session") -> dict[str, str]:
        tokens = {}
        for name, (full_name, roles) in OFFICERS.items():
            officer = officers.find(session, name)
            if officer is None:
                officer = officers.add(session, name, full_name, map(Role, roles), now)
            tokens[full_name] = invitations.invite(
                session, officer, InvitationKind.ENTER, keyring, now
            )
        return tokens

    said = {"officers": tuple(OFFICERS)}
    tokens = acting.perform(service, "demo-officers", work, said)
    return {
        who: f"{service.settings.public_url}/console/invitation/{token}"
        for who, token in tokens.items()
    }


@contextmanager
def running(state_dir: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the service, as `run` does, for as long as the block lasts.

    Raises: UsageFault if it does not begin to serve, or has not ended well.
    """
    settings = [f"{name}={value}" for name, value in environment(state_dir, port).items()]
    program = [sys.executable, str(_PROGRAM), "run", "--child-of", str(getpid())]
    log = state_dir / _LOG_FILE
    with log.open("ab") as file:
        # A group of its own: Ctrl-C is for the demonstration, which then ends the service.
        process = subprocess.Popen(  # noqa: S603 (this very program)
            ["/usr/bin/env", *settings, *program],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until_ready(process, f"http://{LOOPBACK}:{port}", log)
        (state_dir / _URL_FILE).write_text(f"http://{LOOPBACK}:{port}\n")
        yield process
    finally:
        process.terminate()
        process.wait(_DRAIN_SECONDS)
    if process.returncode != 0:
        raise UsageFault(f"the service ended with code {process.returncode}: see {log}")


def url_of(state_dir: Path) -> str | None:
    """Return where the demonstration in *state_dir* was last seen to serve."""
    file = state_dir / _URL_FILE
    return file.read_text().strip() if file.is_file() else None


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    import urllib3

    http = urllib3.PoolManager(retries=False, timeout=1)
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise UsageFault(f"the service did not start (code {process.returncode}): see {log}")
        try:
            if http.request("GET", f"{url}/readyz").status == 200:  # noqa: PLR2004 (it is ready)
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.02)
    raise UsageFault(f"the service was not ready within {_READY_SECONDS} s: see {log}")
