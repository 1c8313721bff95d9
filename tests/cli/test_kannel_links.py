"""The verbs of `operator` on links of the kind kannel."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from sms.links import kannel_profile
from tests.cli.deployment import Deployment

PASSWORD = "correct-horse"
SENDSMS = "http://127.0.0.1:9/cgi-bin/sendsms"
KIND = ("--kind", "kannel", "--username", "tradan")


class Sendsms(BaseHTTPRequestHandler):
    """Answers as Kannel's sendsms does to a message for nobody."""

    def do_POST(self) -> None:
        known = self.headers["x-kannel-username"], self.headers["x-kannel-password"]
        status = 400 if known == ("tradan", PASSWORD) and "x-kannel-to" not in self.headers else 403
        self.send_response(404 if self.path != "/cgi-bin/sendsms" else status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as it is inherited)
        """Say nothing."""


@pytest.fixture
def smsbox() -> Iterator[str]:
    """The address of something that answers as smsbox does."""
    server = HTTPServer(("127.0.0.1", 0), Sendsms)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_kannel_is_told_by_a_few_options(deployment: Deployment) -> None:
    words = (*KIND, "--send-url", SENDSMS, "--password-file", deployment.file(PASSWORD))

    added = deployment.read("operator", "add", "vina", *words)

    assert set(added) == {"code", "webhook_path"}
    assert re.fullmatch("/sms/vina/inbound/[0-9a-f]{32}", added["webhook_path"])
    link = deployment.link("vina")
    told = kannel_profile.load(link.profile or "")
    assert (link.url, told.username, told.callback_url) == (SENDSMS, "tradan", None)
    assert link.secrets == (PASSWORD,)
    listed = deployment.do("operator", "list", "--json")
    assert added["webhook_path"].rpartition("/")[2] not in listed
    assert PASSWORD not in listed
    assert json.loads(listed)[0]["webhook_path"] == "/sms/vina/inbound/…"


def test_the_path_is_told_with_the_address_that_kannel_reaches(embedded: Deployment) -> None:
    words = (*KIND, "--send-url", SENDSMS, "--password-file", embedded.file(PASSWORD))

    public = embedded.do("operator", "add", "one", *words)
    near = embedded.do("operator", "add", "two", *words, "--callback-url", "http://127.0.0.1:8000/")

    assert "posts messages to https://gateway.example/sms/one/inbound/" in public
    assert "posts messages to http://127.0.0.1:8000/sms/two/inbound/" in near


def test_in_the_clear_only_over_a_private_line(embedded: Deployment) -> None:
    far = ("--send-url", "http://10.0.0.2:13013/cgi-bin/sendsms")
    password = ("--password-file", embedded.file(PASSWORD))
    back = ("--callback-url", "http://10.0.0.1:8000")
    near = ("--send-url", SENDSMS)

    for words in ((*KIND, *far, *password), (*KIND, *near, *back, *password)):
        assert "loopback" in embedded.refused("operator", "add", "vina", *words)
    embedded.do("operator", "add", "vina", *KIND, *far, *back, *password, "--private-line")

    assert embedded.link("vina").url == "http://10.0.0.2:13013/cgi-bin/sendsms"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--username", "me and you"), "--username"),
        (("--secret-file", "x"), "--secret-file"),
        (("--host", "smsc.example.vn"), "--host"),
        (("--callback-url", "https://x.vn/?a=b"), "--callback-url"),
        (("--callback-url", "https://x.vn/%41"), "--callback-url"),
        (("--callback-url", "ftp://x.vn"), "--callback-url"),
    ],
)
def test_options_that_do_not_fit_are_named(
    embedded: Deployment, options: tuple[str, ...], said: str
) -> None:
    words = (*KIND, "--send-url", SENDSMS, "--password-file", embedded.file(PASSWORD))

    assert said in embedded.refused("operator", "add", "vina", *words, *options)


def test_what_is_missing_is_named(embedded: Deployment) -> None:
    told = embedded.refused("operator", "add", "vina", "--kind", "kannel")

    assert "--send-url, --username, --password-file" in told


def test_options_of_kannel_belong_to_kannel(embedded: Deployment) -> None:
    words = ("--kind", "http", "--send-url", SENDSMS, "--secret-file", embedded.file("x"))

    assert "no --username" in embedded.refused("operator", "add", "m", *words, "--username", "me")


@pytest.mark.parametrize("password", ["short", "with blank in it", 'a"quote-in-it', "x" * 65])
def test_a_password_of_another_shape_is_not_quoted(embedded: Deployment, password: str) -> None:
    words = (*KIND, "--send-url", SENDSMS, "--password-file", embedded.file(password))

    told = embedded.refused("operator", "add", "vina", *words)

    assert "8 to 64" in told
    assert password not in told


def test_the_test_asks_for_a_message_to_nobody(embedded: Deployment, smsbox: str) -> None:
    password = ("--password-file", embedded.file(PASSWORD))
    embedded.do(
        "operator", "add", "vina", *KIND, *password, "--send-url", f"{smsbox}/cgi-bin/sendsms"
    )

    told = embedded.read("operator", "test", "vina")

    assert told["ok"] is True
    assert "nothing was sent" in told["sendsms"]
    assert "curl -i" in told["inbound"]
    secret = embedded.link("vina").path_secret
    assert secret is not None
    assert secret not in json.dumps(told)


@pytest.mark.parametrize(
    ("path", "password", "says"),
    [("/cgi-bin/sendsms", "another-one", "refuses our name"), ("/send", PASSWORD, "no sendsms")],
)
def test_the_test_says_what_kannel_does_not_know(
    embedded: Deployment, smsbox: str, path: str, password: str, says: str
) -> None:
    file = ("--password-file", embedded.file(password))
    embedded.do("operator", "add", "vina", *KIND, *file, "--send-url", f"{smsbox}{path}")

    done = embedded.run("operator", "test", "vina", "--json")

    told = json.loads(done.stdout)
    assert (done.exit_code, told["faults"]) == (1, ["sendsms"])
    assert says in told["sendsms"]


def test_the_test_says_when_nobody_is_there(embedded: Deployment) -> None:
    words = (*KIND, "--send-url", SENDSMS, "--password-file", embedded.file(PASSWORD))
    embedded.do("operator", "add", "vina", *words)

    done = embedded.run("operator", "test", "vina")

    assert done.exit_code == 1
    assert "FAULT  sendsms: cannot be reached" in done.stdout


def test_a_new_password_is_asked_with_and_comes_with_a_new_address(embedded: Deployment) -> None:
    words = (*KIND, "--send-url", SENDSMS, "--password-file", embedded.file(PASSWORD))
    embedded.do("operator", "add", "vina", *words, "--callback-url", "http://127.0.0.1:8000")
    before = embedded.link("vina").path_secret

    told = embedded.do(
        "operator", "rotate-key", "vina", "--secret-file", embedded.file("another-one")
    )

    link = embedded.link("vina")
    assert link.secrets == ("another-one", PASSWORD)
    assert link.older_path_secrets == (before,)
    assert f"posts messages to http://127.0.0.1:8000{link.webhook_path}\n" in told
    listed = embedded.do("operator", "list", "--json")
    assert not any(each and each in listed for each in (before, link.path_secret))
