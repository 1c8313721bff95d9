"""The off switch on the command line: who stops, who lifts, and what whoever is on duty is told."""

import json
import time
from pathlib import Path

import pytest

from console.access.roles import Role
from records import stop_file
from tests.cli.deployment import Deployment
from tests.cli.officers import enrolled
from tests.e2e.outages import locked

STOPS = {
    (): ("service", ""),
    ("--disclosure",): ("disclosure", ""),
    ("--operator", "viettel"): ("operator", "viettel"),
    ("--link", "viettel"): ("link", "viettel"),
    ("--command", "DC"): ("command", "DC"),
}
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_one_suspends_and_two_officers_resume(deployment: Deployment) -> None:
    lan = enrolled(deployment, "lan", Role.SECURITY_OFFICER)
    minh = enrolled(deployment, "minh", Role.APPROVER)
    viewer = enrolled(deployment, "ha", Role.VIEWER)

    def resume(name: str, typed: str) -> int:
        return deployment.run("resume", number, "--officer", name, typed=typed).exit_code

    told = deployment.read("suspend", "--reason", "security", "--note", "a call")
    number = str(told["stop"])
    (stopped,) = deployment.read("state")["stops"]
    codes = [
        resume("ha", viewer[0]),
        resume("lan", "wrong password\n000000\n"),
        resume("lan", lan[0]),
        resume("lan", lan[1]),
    ]
    (asked,) = deployment.read("state")["stops"]
    still = deployment.do("state")
    lifted = resume("minh", minh[0])

    assert told == {"stop": 1, "scope": "service", "key": "", "by_file": False}
    assert (stopped["note"], stopped["resume_asked_by"]) == ("a call", None)
    # No right, no password, asked, and not twice the same.
    assert codes == [5, 5, 0, 5]
    assert asked["resume_asked_by"] == "officer:lan"
    assert "officer:lan asks to lift it" in still
    assert lifted == 0
    assert deployment.read("state") == {"by_file": False, "stops": []}
    assert "running: nothing is stopped" in deployment.do("state")


@ONE_DATABASE
def test_everything_that_can_be_stopped_is_named(deployment: Deployment) -> None:
    deployment.add_http("viettel")

    for options in STOPS:
        deployment.do("suspend", *options, "--reason", "maintenance")
    standing = deployment.read("state")["stops"]

    found = [(stop["scope"], stop["key"]) for stop in reversed(standing)]
    assert found == list(STOPS.values())
    assert not stop_file.is_there(deployment.home)


@ONE_DATABASE
@pytest.mark.parametrize(
    "options",
    [
        ("--link", "nowhere"),
        ("--command", "XX"),
        ("--operator", ""),
        ("--disclosure", "--link", "a"),
        ("--note", "x" * 501),
    ],
)
def test_what_cannot_be_stopped_is_refused(
    deployment: Deployment, options: tuple[str, ...]
) -> None:
    deployment.refused("suspend", *options, "--reason", "security")

    assert deployment.read("state")["stops"] == []


@ONE_DATABASE
def test_a_locked_database_keeps_nobody_from_stopping(deployment: Deployment) -> None:
    deployment.do("state")
    with locked(Path(deployment.database.url.database or "")):
        began = time.monotonic()
        done = deployment.run("suspend", "--reason", "security", "--json")
        took = time.monotonic() - began

    told = json.loads(done.stdout)
    assert told == {"stop": None, "scope": "service", "key": "", "by_file": True}
    assert took < 8
    assert stop_file.read(deployment.home) is not None
