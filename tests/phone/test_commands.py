"""`demo` and `phone`, run as a user runs them: real processes, sockets, keys and databases."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from app import create_app
from core.settings import Settings
from tests import verbs
from tests.e2e.harness import Deployment
from tests.e2e.listener import free_port
from tests.e2e.waiting import until

APP = Path(__file__).resolve().parents[2] / "app.py"
HTTP = urllib3.PoolManager(retries=False, timeout=10)
SECONDS = 120
Once = tuple[subprocess.CompletedProcess[str], Path]
Left = tuple[Path, int, str]
LOOKUP = """
DC {id}
< CSDLDC: Ma xac thuc *, hieu luc 5 phut. *
:dup
<
XN {pin}
< CSDLDC: *Ma GD*
KT {code}
< CSDLDC: Co trong nhat ky, muc * Bien nhan *
SAI {code}
< CSDLDC: Da ghi nhan phan anh sai sot, so *
HD
< CSDLDC: Soan DC *
"""


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", **more}


def run(home: Path, *words: str, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    return verbs.run(words, folder=home, environ=environment(**more), given=given, seconds=SECONDS)


@contextmanager
def demonstrating(home: Path, *words: str) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """Run `demo` until it serves; what it says goes to the file that is handed over too."""
    said = home / "demo.out"
    with said.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, str(APP), "demo", *words], cwd=home, env=environment(),
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    try:
        until(
            lambda: "Ctrl-C ends it" in said.read_text() or process.poll() is not None,
            "the demonstration serves",
            within=SECONDS,
        )
        assert process.poll() is None, said.read_text()
        yield process, said
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """A folder in which a demonstration was made and ended, how it ended, and what it said."""
    home = tmp_path_factory.mktemp("demo")
    with demonstrating(home, "--port", str(free_port())) as (process, said):
        pass
    return home, process.returncode, said.read_text()


@pytest.fixture
def copy(left: Left, tmp_path: Path) -> Path:
    """A copy of what it left, to be spoiled."""
    return Path(shutil.copytree(left[0], tmp_path / "copy"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, left: Left) -> Path:
    """The folder in which the demonstration is taken up again."""
    return Path(shutil.copytree(left[0], tmp_path_factory.mktemp("again") / "home"))


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[str]:
    """The URL of a demonstration that was taken up again, and serves."""
    with demonstrating(home, "--port", str(free_port())) as (process, said):
        found = re.search(r"Phone simulator +(http://[^/]+)/phone", said.read_text())
        assert found is not None
        yield found[1]
    assert process.returncode == 0


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """How `demo --once` ended where there is a real deployment too, and the folder it ran in."""
    folder = tmp_path_factory.mktemp("once")
    real = {
        "TRADAN_DATABASE_URL": f"sqlite:///{folder / 'real.db'}",
        "TRADAN_STATE_DIR": str(folder / "real"),
    }
    return run(folder, "demo", "--once", TMPDIR=str(folder), **real), folder


def test_once_shows_a_lookup_with_its_proof_and_leaves_nothing(once: Once) -> None:
    done, folder = once

    assert done.returncode == 0, done.stderr
    assert re.search(r"you » DC 999\d{9}", done.stdout)
    assert re.search(r"12345 « CSDLDC: Ma xac thuc \d{6}, .* · PIN · journal #\d+\]", done.stdout)
    assert re.search(r"you » XN \d{6}", done.stdout)
    assert re.search(r"12345 « CSDLDC: [A-Z. ]+, n(u|am), sinh .* · RESULT · ", done.stdout)
    assert re.search(r"receipt \w{4}-\w{4}-\w{4}-\w{4}", done.stdout)
    assert "the entry is in the tree: checked" in done.stdout
    assert not list(folder.glob("tradan-demo-*"))


def test_nothing_of_a_real_deployment_is_touched(once: Once) -> None:
    done, folder = once

    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == []


def test_once_refuses_a_port_that_is_taken(tmp_path: Path, served: str) -> None:
    port = str(urllib3.util.parse_url(served).port)

    done = run(tmp_path, "demo", "--once", "--port", port)

    assert done.returncode == 69
    assert "is taken: name another with --port" in done.stderr


def test_the_demonstration_serves_its_pages(served: str) -> None:
    phone, status = HTTP.request("GET", f"{served}/phone"), HTTP.request("GET", f"{served}/status")

    assert (phone.status, status.status) == (200, 200)
    assert "Hồng Hà" in phone.data.decode()
    assert phone.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_thread_of_the_demonstration_stands_on_its_page(home: Path, served: str) -> None:
    said = (home / "demo.out").read_text()
    address = re.search(r"/phone(\?\S+)", said)
    assert address is not None

    page = HTTP.request("GET", f"{served}/phone{address[1]}").data.decode()

    assert page.count('class="message theirs"') == 2
    assert page.count("data-verdict") == 0
    assert page.count('class="proof"') == 2


def test_a_scripted_conversation_goes_as_written(home: Path, served: str) -> None:
    done = run(home, "phone", "--script", "-", "--expect", given=LOOKUP)

    assert (done.returncode, done.stderr) == (0, "")
    assert "no second reply came" in done.stdout
    assert "\x1b[" not in done.stdout


def test_a_conversation_that_differs_ends_four(home: Path, served: str) -> None:
    done = run(home, "phone", "--script", "-", given="HD\n< what nobody says\n")

    assert done.returncode == 4
    assert "line 2: expected what nobody says" in done.stderr


def test_what_is_piped_in_is_sent(home: Path, served: str) -> None:
    done = run(home, "phone", given="PHI\n:who\n:q\nHD\n")

    assert done.returncode == 0
    assert "CSDLDC: Gia moi tin nhan gui di: 300 dong" in done.stdout
    assert "you » HD" not in done.stdout


def test_a_number_that_nobody_made_up_has_is_refused(home: Path, served: str) -> None:
    done = run(home, "phone", "--as", "0912345678", given="")

    assert done.returncode == 2
    assert "no made-up person" in done.stderr


def test_a_service_that_does_not_answer_ends_sixty_nine(home: Path, served: str) -> None:
    done = run(home, "phone", "--url", f"http://127.0.0.1:{free_port()}", given="HD\n")

    assert done.returncode == 69
    assert "python app.py demo" in done.stderr


def test_without_a_demonstration_there_are_no_phones(tmp_path: Path) -> None:
    done = run(tmp_path, "phone", given="HD\n")

    assert done.returncode == 5
    assert "python app.py demo" in done.stderr


def test_expect_without_a_script_is_a_slip(home: Path, served: str) -> None:
    assert run(home, "phone", "--expect", given="").returncode == 2


def test_a_demonstration_is_taken_up_again_where_it_was_left(
    left: Left, home: Path, served: str
) -> None:
    _, code, before = left

    assert code == 0
    said = (home / "demo.out").read_text()
    last = [re.findall(r"entry +#(\d+)", text)[-1] for text in (before, said)]
    assert int(last[1]) > int(last[0])


def test_a_demonstration_that_is_killed_takes_its_service_along(copy: Path) -> None:
    port = free_port()

    with demonstrating(copy, "--port", str(port)) as (process, _):
        process.kill()
        process.wait()

    def is_gone() -> bool:
        try:
            HTTP.request("GET", f"http://127.0.0.1:{port}/healthz")
        except urllib3.exceptions.HTTPError:
            return True
        return False

    until(is_gone, "the service has ended")


@pytest.mark.parametrize("verb", ["demo", "phone"])
def test_a_help_page_shows_how_to_use_the_verb(tmp_path: Path, verb: str) -> None:
    done = run(tmp_path, verb, "--help")

    assert done.returncode == 0
    assert f"python app.py {verb}" in done.stdout


def test_a_service_for_real_citizens_has_no_phones(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path, settings={"MODE": "production"})
    deployment.do("init")
    client = create_app(Settings.from_env(deployment.environment)).test_client()

    answers = [
        client.get("/phone").status_code,
        client.post("/phone/send", data={"text": "HD"}).status_code,
        client.post("/phone/mt/hong-ha", json={}).status_code,
    ]

    assert client.get("/status").status_code == 200
    assert answers == [404, 404, 404]


def test_a_demonstration_that_cannot_be_taken_up_says_how_to_begin_anew(copy: Path) -> None:
    key = copy / "var" / "demo" / "keys" / "kek-1.key"
    key.chmod(0o600)
    key.write_bytes(b"x" * 32)
    key.chmod(0o400)

    done = run(copy, "demo", "--port", str(free_port()))

    assert done.returncode == 1
    assert "To begin anew, remove var/demo first" in done.stderr
