"""The verbs of `operator`: the contract that other people's scripts rely on."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest
import sqlalchemy as sa
from click.testing import Result

from billing.tables import TARIFF
from cli import connecting
from console.access.roles import Role
from sms.links import assessments, endings
from sms.links.model import LinkState
from sms.links.steps import VOUCHED_FOR, Step
from sms.tables import LINK, LINK_ENDING, LINK_SECRET
from tests.cli.deployment import ACCOUNT_SID, NUMBER, SEND_URL, Deployment, new_secret
from tests.cli.officers import enrolled

LONG_URL = "https://x.vn/" + "a" * 500
TWILIO = ("--kind", "twilio", "--account-sid", ACCOUNT_SID, "--from", NUMBER)


class Host(BaseHTTPRequestHandler):
    """An operator's host, of which nothing but the time is known."""

    clock_is_off = timedelta()
    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self.asked.append(self.path)
        self.send_response(405)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        at = datetime.now(UTC) + self.clock_is_off
        return at.strftime("%a, %d %b %Y %H:%M:%S GMT")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as it is inherited)
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    """The address of a host that answers."""
    server = HTTPServer(("127.0.0.1", 0), Host)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mt"
    server.shutdown()
    thread.join()
    server.server_close()
    Host.clock_is_off = timedelta()


def test_add_prints_exactly_code_and_path(deployment: Deployment) -> None:
    words = ("--kind", "http", "--send-url", SEND_URL, "--secret-file")
    options = ("--prefixes", "032-039, 086", "--rate", "7", "--mo-price", "500", "--json")

    done = deployment.run(
        "operator", "add", "viettel", *words, deployment.file(new_secret()), *options
    )

    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"code": "viettel", "webhook_path": "/sms/viettel/inbound"}
    link = deployment.link("viettel")
    assert (link.prefixes, link.rate, link.is_test) == ("032-039,086", 7, False)
    assert deployment.acts() == 1
    price = deployment.database.read(
        lambda s: s.execute(sa.select(TARIFF.c.price_hundredths)).scalar_one()
    )
    assert price == 50000


def test_the_usual_rate_is_a_hundred_and_the_assessment_a_year(deployment: Deployment) -> None:
    deployment.add_http("viettel")

    link = deployment.link("viettel")

    assert link.rate == 100
    assert link.assessed_by is not None
    assert link.assessed_by.startswith("console:")
    assert link.assessed_until is not None
    days = link.assessed_until - datetime.now(UTC)
    assert timedelta(days=364) < days <= timedelta(days=365)


def test_a_twilio_link_has_a_secret_of_128_bits_in_its_path(deployment: Deployment) -> None:
    file = deployment.file("0123456789abcdef" * 2)

    told = deployment.read("operator", "add", "twilio", *TWILIO, "--token-file", file)

    assert set(told) == {"code", "webhook_path"}
    assert re.fullmatch("/sms/twilio/inbound/[0-9a-f]{32}", told["webhook_path"])
    link = deployment.link("twilio")
    assert (link.account_sid, link.from_number) == (ACCOUNT_SID, NUMBER)
    assert link.url == "https://api.twilio.com"
    secret = told["webhook_path"].rpartition("/")[2]
    assert secret not in deployment.do("operator", "list", "--json")


def test_what_add_cannot_read_is_named(embedded: Deployment) -> None:
    good = embedded.file(new_secret())
    token = embedded.file("0123456789abcdef" * 2)
    http = ("--kind", "http", "--send-url", SEND_URL)
    cases: list[tuple[str, tuple[str, ...]]] = [
        ("--secret-file", (*http,)),
        ("--send-url", ("--kind", "http", "--secret-file", good)),
        ("--kind", ("--send-url", SEND_URL, "--secret-file", good)),
        ("no --token-file", (*http, "--secret-file", good, "--token-file", token)),
        ("no --secret-file", (*TWILIO, "--token-file", token, "--secret-file", good)),
        ("no --api-url", (*http, "--secret-file", good, "--api-url", SEND_URL)),
        ("loopback", ("--kind", "http", "--send-url", "http://10.0.0.1/", "--secret-file", good)),
        ("https://", ("--kind", "http", "--send-url", "ftp://127.0.0.1/", "--secret-file", good)),
        ("https://", ("--kind", "http", "--send-url", "https://[x/", "--secret-file", good)),
        ("500", ("--kind", "http", "--send-url", LONG_URL, "--secret-file", good)),
        ("--api-url", (*TWILIO, "--token-file", token, "--api-url", "http://x.vn")),
        ("--prefixes", (*http, "--secret-file", good, "--prefixes", "039-032")),
        ("--prefixes", (*http, "--secret-file", good, "--prefixes", "viettel")),
        ("--prefixes", (*http, "--secret-file", good, "--prefixes", "032-0399")),
        ("--rate", (*http, "--secret-file", good, "--rate", "0")),
        ("--mo-price", (*http, "--secret-file", good, "--mo-price", "-1")),
        ("/nowhere", (*http, "--secret-file", "/nowhere")),
        ("one secret", (*http, "--secret-file", embedded.file("two words"))),
        ("one secret", (*http, "--secret-file", embedded.file("whsec_c2hvcnQ="))),
        ("one secret", (*http, "--secret-file", embedded.file("bí mật"))),
        ("one auth token", (*TWILIO, "--token-file", embedded.file("short"))),
        ("--account-sid", (*TWILIO, "--token-file", token, "--account-sid", "AC1")),
        ("--from", (*TWILIO, "--token-file", token, "--from", "me")),
    ]  # fmt: skip

    told = [(named, embedded.refused("operator", "add", "odd", *words)) for named, words in cases]

    assert [(named, said) for named, said in told if named not in said] == []
    assert embedded.read("operator", "list") == []


@pytest.mark.parametrize("code", ["", "Odd 6", "a/b", "-x", "x" * 33, "viễn"])
def test_a_code_of_another_shape_is_refused(embedded: Deployment, code: str) -> None:
    words = (
        "--kind",
        "http",
        "--send-url",
        SEND_URL,
        "--secret-file",
        embedded.file(new_secret()),
    )

    assert "CODE" in embedded.refused("operator", "add", *words, "--", code)


def test_a_secret_is_quoted_nowhere(embedded: Deployment) -> None:
    secret = "whsec_" + "!" * 40
    words = ("--kind", "http", "--send-url", SEND_URL, "--secret-file", embedded.file(secret))

    assert "!!!" not in embedded.refused("operator", "add", "odd", *words)


def test_a_secret_that_others_can_read_is_warned_of(embedded: Deployment) -> None:
    file = embedded.file(new_secret(), mode=0o644)
    words = ("--kind", "http", "--send-url", SEND_URL, "--secret-file", file, "--json")

    done = embedded.run("operator", "add", "viettel", *words)

    assert done.exit_code == 0
    assert "chmod" in done.stderr
    assert json.loads(done.stdout)["code"] == "viettel"


def test_a_code_is_given_once(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    words = (
        "--kind",
        "http",
        "--send-url",
        SEND_URL,
        "--secret-file",
        deployment.file(new_secret()),
    )

    told = deployment.refused("operator", "add", "viettel", *words, code=5)

    assert "viettel exists already: choose another" in told
    assert deployment.acts() == 1


def test_an_unassessed_link_can_be_assessed_later(deployment: Deployment) -> None:
    deployment.add_http("viettel", "--unassessed")
    before = deployment.read("operator", "list")[0]

    deployment.do("operator", "assess", "viettel")

    after = deployment.read("operator", "list")[0]
    assert (before["assessed"], before["assessed_until"]) == (False, None)
    assert (after["assessed"], after["assessed_by"][:8]) == (True, "console:")
    assert deployment.acts() == 2


def test_an_assessment_that_has_ended_is_told_and_renewed(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    past = datetime(2026, 1, 1, tzinfo=UTC)
    embedded.database.write(lambda s: s.execute(sa.update(LINK).values(assessed_until=past)))

    told = embedded.run("operator", "test", "viettel").stdout
    listed = embedded.read("operator", "list")[0]
    embedded.do("operator", "assess", "viettel")

    assert "FAULT  assessment: ended on 2026-01-01: renew it by `operator assess viettel`" in told
    assert listed["assessed"] is False
    assert embedded.read("operator", "list")[0]["assessed"] is True


def test_the_list_is_a_table_for_people(embedded: Deployment) -> None:
    embedded.add_http("viettel")

    lines = embedded.do("operator", "list").splitlines()

    assert lines[0].split()[:3] == ["CODE", "KIND", "STATE"]
    assert lines[1].split()[:3] == ["viettel", "http", "active"]


def test_an_empty_list_says_what_to_do(embedded: Deployment) -> None:
    done = embedded.run("operator", "list")

    assert (done.exit_code, done.stdout) == (0, "")
    assert "operator add" in done.stderr
    assert embedded.read("operator", "list") == []


def test_a_link_is_disabled_and_enabled(deployment: Deployment) -> None:
    deployment.add_http("viettel")

    deployment.do("operator", "disable", "viettel")
    disabled = deployment.link("viettel").state
    deployment.do("operator", "disable", "viettel", "--undo")

    assert (disabled, deployment.link("viettel").state) == (LinkState.DISABLED, LinkState.ACTIVE)
    assert deployment.acts() == 3


def test_two_secrets_live_and_the_third_is_destroyed(deployment: Deployment) -> None:
    first, second, third = deployment.add_http("viettel"), new_secret(), new_secret()

    for secret in (second, third):
        deployment.do("operator", "rotate-key", "viettel", "--secret-file", deployment.file(secret))

    assert deployment.link("viettel").secrets == (third, second)
    again = deployment.refused(
        "operator", "rotate-key", "viettel", "--secret-file", deployment.file(third), code=5
    )
    assert "live on the link already" in again
    assert first not in again


def test_two_officers_end_a_link_for_good(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    minh = enrolled(deployment, "minh", Role.OPERATOR_MANAGER)
    lan = enrolled(deployment, "lan", Role.SECURITY_OFFICER)
    viewer = enrolled(deployment, "hoa", Role.VIEWER)

    def end(name: str, typed: str, *more: str) -> Result:
        words = ("operator", "terminate", "viettel", "--officer", name, "--yes", *more)
        return deployment.run(*words, typed=typed)

    asked = end("minh", minh[0], "--reason", " hết hợp đồng ")
    still = deployment.link("viettel").state
    refused = [
        end("minh", minh[1]),
        end("hoa", viewer[0]),
        end("lan", "wrong\n000000\n"),
        end("lan", lan[0], "--reason", "another reason"),
    ]
    between = deployment.link("viettel").state
    ended = end("lan", lan[0])

    def rows(statement: sa.Select[str]) -> list[object]:
        return list(deployment.database.read(lambda s: s.execute(statement).scalars().all()))

    assert (asked.exit_code, still, between) == (0, LinkState.ACTIVE, LinkState.ACTIVE)
    assert "another officer" in asked.stdout
    assert [each.exit_code for each in refused] == [5, 5, 5, 5]
    assert "somebody else has to" in refused[0].stderr
    assert "hết hợp đồng" in refused[3].stderr
    assert ended.exit_code == 0, ended.output
    assert rows(sa.select(LINK.c.terminated_reason)) == ["hết hợp đồng"]
    assert rows(sa.select(LINK_ENDING.c.asked_by)) == ["officer:minh"]
    assert rows(sa.select(LINK_ENDING.c.agreed_by)) == ["officer:lan"]
    assert rows(sa.select(LINK_SECRET.c.id)) == []
    assert deployment.acts() == 3


def test_what_has_ended_comes_back_never(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    link = deployment.link("viettel")

    def end(session: sa.orm.Session) -> None:
        endings.ask(session, link, "breach", "officer:minh", datetime.now(UTC))
        endings.agree(session, link, "officer:lan", datetime.now(UTC))

    deployment.database.write(end)
    before, file = deployment.acts(), deployment.file(new_secret())
    for words in (
        ("disable", "viettel", "--undo"),
        ("assess", "viettel"),
        ("rotate-key", "viettel", "--secret-file", file),
        ("terminate", "viettel", "--officer", "lan", "--reason", "x", "--yes"),
        ("add", "viettel", "--kind", "http", "--send-url", SEND_URL, "--secret-file", file),
    ):
        deployment.refused("operator", *words, code=5)

    link = deployment.link("viettel")
    assert (link.state, link.secrets) == (LinkState.TERMINATED, ())
    assert deployment.acts() == before


def test_nothing_is_ended_without_a_word(embedded: Deployment) -> None:
    embedded.add_http("viettel")

    told = embedded.refused("operator", "terminate", "viettel", "--officer", "a", "--reason", "x")

    assert "--yes" in told
    assert embedded.link("viettel").state is LinkState.ACTIVE


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 201])
def test_a_reason_is_one_line(embedded: Deployment, reason: str) -> None:
    embedded.add_http("viettel")

    told = embedded.refused(
        "operator", "terminate", "viettel", "--officer", "a", "--yes", "--reason", reason
    )

    assert "--reason" in told


def test_an_assessment_is_kept_with_what_it_rests_on(deployment: Deployment) -> None:
    deployment.add_http("viettel")

    deployment.do("operator", "assess", "viettel", "--evidence", "biên bản 12/2026")

    link = deployment.link("viettel")
    newest, first = deployment.database.read(lambda s: assessments.of(s, link.id))
    assert (newest.evidence, first.evidence) == ("biên bản 12/2026", "")
    assert newest.by == first.by == link.assessed_by
    assert newest.until == link.assessed_until


def test_an_assessment_names_who_answers_for_the_channel(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    words = ("--evidence", "biên bản 12/2026", "--responsible", "Trưởng phòng Vận hành")

    deployment.do("operator", "assess", "viettel", *words)

    link = deployment.link("viettel")
    newest, first = deployment.database.read(lambda s: assessments.of(s, link.id))
    assert (newest.responsible, first.responsible) == (words[-1], first.by)
    row = deployment.read("operator", "list")[0]
    assert (row["responsible"], row["evidence"]) == (words[-1], words[1])
    assert (row["assessment"], row["warning"]) == ("in-force", None)
    assert words[-1] in deployment.do("operator", "list")


def test_what_an_assessment_says_is_one_line_each(embedded: Deployment) -> None:
    embedded.add_http("viettel")

    for option, longest in (("--evidence", 500), ("--responsible", 100)):
        for text in ("two\nlines", "x" * (longest + 1)):
            told = embedded.refused("operator", "assess", "viettel", option, text)
            assert option in told


@pytest.mark.parametrize(
    ("days", "standing", "said"),
    [
        (31, "in-force", ""),
        (29, "due", "ends in 28 days: `operator assess viettel` renews it"),
        (6, "urgent", "ends in 5 days"),
        (-1, "ended", "has ended, so it carries HELP and DOWN only"),
    ],
)
def test_the_list_warns_before_an_assessment_ends(
    embedded: Deployment, days: int, standing: str, said: str
) -> None:
    embedded.add_http("viettel")
    until = datetime.now(UTC) + timedelta(days=days)
    embedded.database.write(lambda s: s.execute(sa.update(LINK).values(assessed_until=until)))

    row, listed = embedded.read("operator", "list")[0], embedded.run("operator", "list")
    embedded.do("operator", "disable", "viettel")

    assert row["assessment"] == standing
    assert said in listed.stderr
    assert bool(listed.stderr) is bool(said) is bool(row["warning"])
    assert embedded.run("operator", "list").stderr == ""


def test_the_ten_steps_are_a_checklist(deployment: Deployment) -> None:
    deployment.add_http("viettel", "--mo-price", "500")
    before = deployment.read("operator", "steps", "viettel")

    told = deployment.do(
        "operator", "steps", "viettel", "--tick", "agreed", "--note", "hợp đồng 12/2026"
    )

    assert [row["step"] for row in before] == [step.value for step in Step]
    assert [row["step"] for row in before if row["done"]] == ["keyed", "priced", "assessed"]
    assert " 1  done  agreed" in told
    assert "hợp đồng 12/2026" in told
    assert " 2  open  consented" in told
    assert told.endswith("4 of 10 are done\n")
    agreed = deployment.read("operator", "steps", "viettel")[0]
    assert (agreed["note"], agreed["by"][:8]) == ("hợp đồng 12/2026", "console:")
    assert deployment.acts() == 2
    undone = deployment.do("operator", "steps", "viettel", "--untick", "agreed")
    assert undone.endswith("3 of 10 are done\n")
    assert deployment.acts() == 3


def test_a_step_is_ticked_by_who_says_where_its_proof_is(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    verb = ("operator", "steps", "viettel")

    for words in (
        ("--tick", "agreed"),
        ("--note", "hợp đồng 12/2026"),
        ("--tick", "heard", "--note", "somebody says so"),
        ("--tick", "agreed", "--note", "x" * 201),
        ("--untick", "nonsense"),
        ("--tick", "agreed", "--note", "hợp đồng 12/2026", "--untick", "agreed"),
    ):
        embedded.refused(*verb, *words)
    assert [row["step"] for row in embedded.read(*verb) if row["done"]] == ["keyed", "assessed"]


def test_the_checklist_has_words_for_every_step() -> None:
    assert list(connecting._SAYS) == [step.value for step in Step]
    assert set(connecting._VOUCHED.choices) == set(VOUCHED_FOR)


def test_a_stop_of_what_is_not_there_says_what_there_is(embedded: Deployment) -> None:
    words = ("suspend", "--reason", "misuse", "--link", "nobody")

    none = embedded.refused(*words)
    embedded.add_http("viettel")
    one = embedded.refused(*words)

    assert "there is none yet" in none
    assert "there is viettel" in one


@pytest.mark.parametrize("verb", ["disable", "assess", "steps", "test"])
def test_a_link_that_is_not_there_is_named(embedded: Deployment, verb: str) -> None:
    assert "no link called nobody" in embedded.refused("operator", verb, "nobody")


def test_a_good_link_passes_its_test(deployment: Deployment, host: str) -> None:
    deployment.add_http("viettel", url=host)
    deployment.do(
        "operator", "rotate-key", "viettel", "--secret-file", deployment.file(new_secret())
    )
    Host.asked.clear()

    found = deployment.read("operator", "test", "viettel")

    assert set(found) == {
        "ok", "state", "assessment", "signature", "host", "clock", "faults", "clock_skew_seconds",
        "live_secrets",
    }  # fmt: skip
    assert (found["ok"], found["faults"], found["live_secrets"]) == (True, [], 2)
    assert found["host"] == "answers (HEAD: 405)"
    assert abs(found["clock_skew_seconds"]) <= 1
    assert Host.asked == ["/mt"]


def test_a_twilio_link_passes_its_test(embedded: Deployment, host: str) -> None:
    file = embedded.file("0123456789abcdef" * 2)
    words = (*TWILIO, "--token-file", file, "--api-url", host)
    embedded.do("operator", "add", "twilio", *words)

    found = embedded.read("operator", "test", "twilio")

    assert (found["ok"], found["faults"]) == (True, [])
    assert "verified under 1 live secret;" in found["signature"]


def test_a_clock_that_is_off_fails_the_test(embedded: Deployment, host: str) -> None:
    embedded.add_http("viettel", url=host)
    Host.clock_is_off = timedelta(minutes=-4)

    done = embedded.run("operator", "test", "viettel", "--json")

    found = json.loads(done.stdout)
    assert (done.exit_code, found["ok"], found["faults"]) == (1, False, ["clock"])
    assert -242 <= found["clock_skew_seconds"] <= -238
    assert "behind ours" in found["clock"]


def test_a_host_that_is_silent_and_a_disabled_link_fail_the_test(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    embedded.do("operator", "disable", "viettel")

    done = embedded.run("operator", "test", "viettel")

    assert done.exit_code == 1
    assert "FAULT  state: disabled: enable it by `operator disable viettel --undo`" in done.stdout
    assert "FAULT  host: cannot be reached" in done.stdout
    assert "ok     signature" in done.stdout


def test_a_message_that_never_came_is_not_reported(deployment: Deployment) -> None:
    deployment.add_http("viettel")

    told = deployment.refused("operator", "report", "viettel", "never", "--json", code=5)

    assert "no message of this id" in told
