"""Assessments of channels: warned of before they end, and what a link carries from then on."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core import metrics
from core.db import Database
from sms.links import assessments, registry
from sms.links.assessments import Assessment, Standing, standing
from sms.links.expiry import Warner
from sms.links.model import LinkState
from tests.fakes import NOON, FixedClock
from tests.sms import door
from tests.sms.gateway import REAL, TEST, Gateway, other_than, stranger

DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)
EVERY_COMMAND = ("DC {}", "NK {}", "KHOA {}", "MO {}", "XN 123456", "KT 7F3K92", "SAI 7F3K92",
                 "HUY", "PHI", "HD", "what is this")  # fmt: skip
LEFT = (
    (30 * DAY + INSTANT, Standing.IN_FORCE),
    (30 * DAY, Standing.DUE),
    (7 * DAY + INSTANT, Standing.DUE),
    (7 * DAY, Standing.URGENT),
    (INSTANT, Standing.URGENT),
    (timedelta(), Standing.ENDED),
    (-DAY, Standing.ENDED),
)


def assess(gateway: Gateway, until: datetime, code: str = TEST) -> None:
    """Have the channel of a link be assessed until then."""
    link = gateway.link(code)
    made = Assessment("officer:lan", gateway.clock.now(), until, "report 12/2026", "Trần Minh")
    gateway.database.write(lambda session: registry.assess(session, link, made))
    gateway.clock.advance(timedelta(seconds=2))


def alarms() -> float:
    return float(metrics.ALARMS.labels("assessment-ends")._value.get())


@pytest.mark.parametrize(("left", "found"), LEFT)
def test_an_assessment_is_warned_of_thirty_and_seven_days_before_its_end(
    left: timedelta, found: Standing
) -> None:
    assert standing(NOON + left, NOON) is found
    assert found.is_warning is (NOON + left <= assessments.warned_from(NOON))


def test_a_channel_that_nobody_assessed_is_no_warning() -> None:
    assert standing(None, NOON) is Standing.MISSING
    assert not Standing.MISSING.is_warning


def test_who_answers_for_a_channel_and_why_is_kept(gateway: Gateway) -> None:
    assess(gateway, NOON + 90 * DAY)

    link = gateway.link()
    found = gateway.database.read(lambda s: assessments.newest(s, [link.id, 99]))

    assert list(found) == [link.id]
    made = found[link.id]
    assert (made.by, made.responsible, made.evidence) == (
        "officer:lan", "Trần Minh", "report 12/2026",
    )  # fmt: skip
    assert link.assessed_until == made.until == NOON + 90 * DAY


def test_an_alarm_is_raised_once_each_time_the_end_comes_nearer(gateway: Gateway) -> None:
    assess(gateway, gateway.clock.now() + 40 * DAY)
    warner, began = Warner(gateway.links, gateway.clock), alarms()
    raised = []
    for days in (0, 11, 1, 20, 1, 8, 1):
        gateway.clock.advance(days * DAY)
        warner.warn_of_assessments()
        raised.append(alarms() - began)

    assess(gateway, gateway.clock.now() + 300 * DAY)
    warner.warn_of_assessments()

    assert raised == [0, 1, 1, 1, 2, 3, 3]
    assert alarms() - began == 3


def test_a_link_that_is_not_used_is_not_warned_of(gateway: Gateway) -> None:
    assess(gateway, gateway.clock.now() + DAY)
    link = gateway.link()
    gateway.database.write(lambda s: registry.set_state(s, link, LinkState.DISABLED))
    gateway.clock.advance(timedelta(seconds=2))
    began = alarms()

    Warner(gateway.links, gateway.clock).warn_of_assessments()

    assert alarms() == began


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_machines_are_told_that_an_assessment_ends(
    database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> None:
    def told() -> tuple[bool, list[str]]:
        document = json.loads(made.client.get("/readyz").data)
        return document["ready"], document["warnings"]

    with door.opened(database, keys_dir, tmp_path / "door", clock, assessed_by="tests") as made:
        before = told()
        clock.advance(335 * DAY)
        soon = told()
        clock.advance(31 * DAY)
        ended = told()

    assert before == (True, [])
    assert (soon[1], ended[1]) == (["assessments"], ["assessments"])


def test_a_link_whose_assessment_has_ended_carries_help_and_down_alone(gateway: Gateway) -> None:
    person, other = gateway.person(), gateway.person()
    end = gateway.clock.now() + timedelta(minutes=2)
    assess(gateway, end)
    pin = gateway.pin(person)
    gateway.clock.at = end - INSTANT
    last = gateway.says(other.phone, f"XN {other_than(pin)}")
    waiting = gateway.send(other.phone, f"DC {other.personal_id}")
    gateway.handle()
    gateway.clock.at = end
    gateway.clock.advance(timedelta(seconds=2))

    left = [each.reply for each in gateway.outbox()]
    told = {
        text: gateway.says(stranger(number), text.format(person.personal_id))
        for number, text in enumerate(EVERY_COMMAND)
    }
    redeemed = gateway.says(person.phone, f"XN {pin}")
    elsewhere = gateway.says(other.phone, f"DC {other.personal_id}", code=REAL)

    assert (last, waiting.name, left) == ("NOOPEN", "NEW", [])
    assert told == {**dict.fromkeys(EVERY_COMMAND, "DOWN"), "HD": "HELP"}
    assert redeemed == "DOWN"
    assert elsewhere != "DOWN", "another link's assessment is its own"


def test_a_link_that_is_assessed_anew_carries_everything_again(gateway: Gateway) -> None:
    person = gateway.person()
    end = gateway.clock.now() + timedelta(minutes=2)
    assess(gateway, end)
    gateway.clock.advance(timedelta(minutes=3))
    ended = gateway.says(person.phone, f"DC {person.personal_id}")

    assess(gateway, gateway.clock.now() + 365 * DAY)

    assert ended == "DOWN"
    assert gateway.says(person.phone, f"DC {person.personal_id}") == "PIN"
