"""The verbs of `operator` on links of the kind smpp."""

import json
import socket
from contextlib import closing

import pytest

from sms.links.smpp import profile
from sms.links.smpp.profile import Binding
from tests.cli.deployment import Deployment
from tests.e2e.listener import free_port

HERE = ("--kind", "smpp", "--host", "127.0.0.1", "--system-id", "tradan")


def test_an_smsc_is_told_by_a_few_options(deployment: Deployment) -> None:
    password = deployment.file("s3cret\n")
    more = ("--bind", "tx+rx", "--window", "20", "--source-ton", "3", "--rate", "50")

    added = deployment.read("operator", "add", "mobi", *HERE, "--password-file", password, *more)

    assert added == {"code": "mobi", "webhook_path": None}
    link = deployment.link("mobi")
    told = profile.load(link.profile or "")
    assert (told.port, told.system_id, told.bind) == (2775, "tradan", Binding.TX_RX)
    assert (told.window, told.source_ton, link.rate) == (20, 3, 50)
    assert link.secrets == ("s3cret",)
    (row,) = deployment.read("operator", "list")
    assert (row["kind"], row["webhook_path"], row["live_secrets"]) == ("smpp", None, 1)


def test_what_differs_at_an_operator_comes_from_a_file(embedded: Deployment) -> None:
    differs = embedded.file(json.dumps({"repeat_seconds": 300, "codings": {"0": "latin1"}}))
    password = embedded.file("s3cret")

    words = (*HERE, "--password-file", password, "--overrides", differs)
    embedded.do("operator", "add", "mobi", *words)

    told = profile.load(embedded.link("mobi").profile or "")
    assert told.repeat_seconds == 300
    assert told.codings[0] == "latin1"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--send-url", "http://127.0.0.1/"), "--send-url"),
        (("--api-url", "http://127.0.0.1/"), "--api-url"),
        (("--host", "smsc.example.vn"), "--private-line"),
        (("--tls-certificate", "/nowhere.pem"), "nowhere.pem"),
    ],
)
def test_options_that_do_not_fit_are_named(
    embedded: Deployment, options: tuple[str, ...], said: str
) -> None:
    password = embedded.file("s3cret")

    told = embedded.refused("operator", "add", "m", *HERE, "--password-file", password, *options)

    assert said in told


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "JSON object"),
        ("{", "JSON object"),
        ('{"x":1}', "called x"),
        ("[" * 60000, "JSON object"),
    ],
    ids=["list", "torn", "strange", "deep"],
)
def test_a_file_that_says_something_else_is_refused(
    embedded: Deployment, content: str, said: str
) -> None:
    words = (*HERE, "--password-file", embedded.file("s3cret"))

    told = embedded.refused("operator", "add", "m", *words, "--overrides", embedded.file(content))

    assert said in told


def test_options_of_smpp_belong_to_smpp(embedded: Deployment) -> None:
    words = ("--kind", "http", "--send-url", "http://127.0.0.1:9/", "--host", "x")

    told = embedded.refused("operator", "add", "m", *words, "--secret-file", embedded.file("x"))

    assert "--host" in told


def test_what_is_missing_is_named(embedded: Deployment) -> None:
    told = embedded.refused("operator", "add", "m", "--kind", "smpp")

    assert "--host, --system-id, --password-file" in told


def test_a_password_that_is_too_long_is_not_quoted(embedded: Deployment) -> None:
    words = (*HERE, "--password-file", embedded.file("correct-horse"))

    told = embedded.refused("operator", "add", "m", *words)

    assert "1 to 8" in told
    assert "horse" not in told


def test_a_private_line_needs_no_certificate(embedded: Deployment) -> None:
    words = ("--kind", "smpp", "--host", "10.1.2.3", "--system-id", "tradan", "--private-line")

    embedded.do("operator", "add", "m", *words, "--password-file", embedded.file("s3cret"))

    assert embedded.link("m").url == "smpp://10.1.2.3:2775"


def test_a_key_is_rotated_and_a_link_disabled_like_any_other(embedded: Deployment) -> None:
    embedded.do("operator", "add", "m", *HERE, "--password-file", embedded.file("s3cret"))

    embedded.do("operator", "rotate-key", "m", "--secret-file", embedded.file("n3w"))
    embedded.do("operator", "disable", "m")

    link = embedded.link("m")
    assert link.secrets[0] == "n3w"
    assert link.state == "disabled"


def test_the_test_says_when_nobody_is_there(embedded: Deployment) -> None:
    port = str(free_port())
    words = (*HERE, "--port", port, "--password-file", embedded.file("s3cret"))
    embedded.do("operator", "add", "m", *words)

    done = embedded.run("operator", "test", "m", "--json")

    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"], told["faults"]) == (1, False, ["bind"])
    assert "cannot be reached" in told["bind"]


def test_the_test_says_when_somebody_else_is_there(embedded: Deployment) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = str(server.getsockname()[1])
        words = (*HERE, "--port", port, "--password-file", embedded.file("s3cret"))
        embedded.do("operator", "add", "m", *words)

        done = embedded.run("operator", "test", "m", "--json")

    assert "did not answer" in json.loads(done.stdout)["bind"]


@pytest.mark.parametrize("content", ["", " \n"])
def test_t1_an_empty_certificate_is_no_private_line(embedded: Deployment, content: str) -> None:
    words = ("--kind", "smpp", "--host", "smsc.example.vn", "--system-id", "tradan")
    secret, empty = embedded.file("s3cret"), embedded.file(content)

    told = embedded.refused(
        "operator", "add", "m", *words, "--password-file", secret, "--tls-certificate", empty
    )

    assert "--tls-certificate" in told
    assert embedded.read("operator", "list") == []


@pytest.mark.parametrize("certificate", ["", "PEM"])
def test_t1_no_certificate_comes_from_among_the_overrides(
    embedded: Deployment, certificate: str
) -> None:
    differs = embedded.file(json.dumps({"tls_certificate": certificate}))

    told = embedded.refused(
        "operator", "add", "m", *HERE, "--password-file", embedded.file("s3cret"),
        "--overrides", differs,
    )  # fmt: skip

    assert "--tls-certificate" in told


@pytest.mark.parametrize(
    ("name", "value"), [("port", 70000), ("hosts", ["smsc.example.vn"]), ("system_id", "x")]
)
def test_what_an_option_says_no_file_says_otherwise(
    embedded: Deployment, name: str, value: object
) -> None:
    words = (*HERE, "--password-file", embedded.file("s3cret"))

    told = embedded.refused(
        "operator", "add", "m", *words, "--overrides", embedded.file(json.dumps({name: value}))
    )

    assert f"{name} is said by --" in told


@pytest.mark.parametrize("host", ["127.0.0.1:2775", "[::1]:2775", "smsc.example.vn:2775", "::zz"])
def test_a_host_has_no_port_of_its_own(embedded: Deployment, host: str) -> None:
    words = ("--kind", "smpp", "--host", host, "--system-id", "tradan", "--private-line")

    told = embedded.refused(
        "operator", "add", "m", *words, "--password-file", embedded.file("s3cret")
    )

    assert "--host" in told


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_a_host_may_be_an_address_of_version_6(embedded: Deployment, host: str) -> None:
    words = ("--kind", "smpp", "--host", host, "--system-id", "tradan")

    embedded.do("operator", "add", "m", *words, "--password-file", embedded.file("s3cret"))

    link = embedded.link("m")
    assert (link.url, profile.load(link.profile or "").hosts) == ("smpp://[::1]:2775", ("::1",))
