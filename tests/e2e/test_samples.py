"""The samples for operators' engineers, run as they are told: against the service, and its replies.

What a machine has no runtime for is skipped aloud; the language of the tests is always there.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.e2e import wire
from tests.e2e.fake_operator import Mt
from tests.e2e.harness import ROOT, Deployment
from tests.e2e.links import SHORT_CODE, HttpLink
from tests.e2e.listener import free_port
from tests.e2e.waiting import until

SAMPLES = ROOT / "docs/operators/samples"
TEXT = 'HD "đã" \\ 1/2'
_SECONDS = 60
_NUMBERS = count(987_002_001)


@dataclass(frozen=True, slots=True)
class Language:
    """How the samples of one language are run."""

    name: str
    program: str
    send: tuple[str, ...]
    receive: tuple[str, ...]

    def words(self, *words: str) -> list[str]:
        """Return a command of this language; without its program the test is skipped."""
        found = sys.executable if self.name == "python" else shutil.which(self.program)
        if found is None:
            pytest.skip(f"no {self.program} here: the samples in {self.name} were not tried")
        return [found, *words]


LANGUAGES = (
    Language("shell", "sh", ("shell/send.sh",), ()),
    Language("python", "python3", ("python/send.py",), ("python/receive.py",)),
    Language("java", "java", ("java/Send.java",), ("java/Receive.java",)),
    Language("php", "php", ("php/send.php",), ("php/receive.php",)),
    Language("node", "node", ("node/send.mjs",), ("node/receive.mjs",)),
)
RECEIVERS = tuple(language for language in LANGUAGES if language.receive)
LINK = "telco"


@pytest.fixture
def link(service_on_sqlite: Deployment) -> HttpLink:
    """A link of the shared service: what a sample does hangs on no database."""
    return service_on_sqlite.http[LINK]


@pytest.fixture
def secret_file(service_on_sqlite: Deployment, link: HttpLink) -> Path:
    """The link's secret, as an operator keeps it."""
    return service_on_sqlite.secret_file(link.operator.secret)


def named(language: Language) -> str:
    return language.name


def sent(language: Language, link: HttpLink, secret_file: Path) -> subprocess.CompletedProcess[str]:
    if language.name == "shell" and not (shutil.which("curl") and shutil.which("openssl")):
        pytest.skip("no curl or no openssl here: the samples for the shell were not tried")
    url = f"http://127.0.0.1:{link.port}{link.path}"
    told = (url, str(secret_file), f"+84{next(_NUMBERS)}", SHORT_CODE, TEXT)
    return subprocess.run(
        language.words(*language.send, *told), cwd=SAMPLES, capture_output=True, text=True,
        timeout=_SECONDS, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES, ids=named)
def test_what_a_sample_sends_is_taken_and_answered(
    language: Language, link: HttpLink, secret_file: Path
) -> None:
    done = sent(language, link, secret_file)

    assert done.returncode == 0, (done.stdout, done.stderr)
    status, _, answer = done.stdout.strip().partition(" ")
    assert status == "202"
    reply = link.operator.reply_to(json.loads(answer)["id"])
    assert reply.verified
    assert reply.data["from"] == SHORT_CODE


def test_a_sample_with_another_secret_is_told_so(
    service_on_sqlite: Deployment, secret_file: Path
) -> None:
    done = sent(LANGUAGES[1], service_on_sqlite.http["strict"], secret_file)

    assert done.returncode == 1
    assert done.stdout.startswith("401 ")


@contextmanager
def receiving(language: Language, secret_file: Path, folder: Path) -> Iterator[tuple[int, Path]]:
    """Run a sample that takes replies; yield its port and the file of what it prints."""
    port, said = free_port(), folder / "said"
    seen = folder / "seen"
    seen.mkdir()
    words = language.words(*language.receive, str(port), str(secret_file))
    if language.name == "php":
        words = language.words("-S", f"127.0.0.1:{port}", *language.receive)
    environ = {**os.environ, "SECRET_FILE": str(secret_file), "SEEN_FOLDER": str(seen)}
    with said.open("w") as output:
        process = subprocess.Popen(
            words, cwd=SAMPLES, env=environ, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        until(lambda: listens(process, port), f"the sample in {language.name} listens")
        yield port, said
    finally:
        process.terminate()
        process.wait(_SECONDS)


def listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    assert process.poll() is None, "the sample has ended"
    try:
        wire.request(port, "POST", "/", b"{}")
    except OSError:
        return False
    return True


def handed(port: int, mt: Mt, body: bytes) -> int:
    """Hand a reply of the service to a sample, whatever its body is by now."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type")
    return wire.request(port, "POST", "/mt", body, [(n, mt.headers[n]) for n in names]).status


@pytest.mark.parametrize("language", RECEIVERS, ids=named)
def test_a_sample_takes_what_the_service_signed_once_and_nothing_else(
    language: Language, link: HttpLink, secret_file: Path, tmp_path: Path
) -> None:
    mt = link.ask(f"+84{next(_NUMBERS)}", "HD")

    with receiving(language, secret_file, tmp_path) as (port, said):
        answers = [handed(port, mt, mt.body), handed(port, mt, mt.body)]
        forged = handed(port, mt, mt.body.replace(b"CSDLDC", b"CSDLXX"))
        until(lambda: mt.text in said.read_text(), "the reply is printed")

    assert (answers, forged) == ([204, 204], 401)
    assert said.read_text().count(mt.data["id"]) == 1
    assert "CSDLXX" not in said.read_text()


def test_the_shell_tells_genuine_from_forged(
    link: HttpLink, secret_file: Path, tmp_path: Path
) -> None:
    if not shutil.which("openssl"):
        pytest.skip("no openssl here: the samples for the shell were not tried")
    mt = link.ask(f"+84{next(_NUMBERS)}", "HD")
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    words = ["sh", "shell/verify.sh", str(secret_file), *(mt.headers[name] for name in names)]
    genuine, forged = tmp_path / "genuine.json", tmp_path / "forged.json"
    genuine.write_bytes(mt.body)
    forged.write_bytes(mt.body + b" ")

    ends = [
        subprocess.run([*words, str(file)], cwd=SAMPLES, capture_output=True, check=False)
        for file in (genuine, forged)
    ]

    assert [end.returncode for end in ends] == [0, 1]
    assert ends[0].stdout.strip() == mt.body
