"""Chores of a running worker that no other test has at hand."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from cli.caretaking import keepers_of
from cli.context import Service
from console.access import throttle
from console.tables import LOGIN_THROTTLE
from core import metrics
from sms.tables import LINK
from tests.cli.deployment import Deployment


def alarms() -> float:
    return float(metrics.ALARMS.labels("assessment-ends")._value.get())


def test_a_worker_prunes_what_has_no_effect_and_warns_of_what_ends(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    now = datetime.now(UTC)
    keys, long_ago = throttle.keys_of("lan", "127.0.0.1"), now - timedelta(hours=25)
    soon = sa.update(LINK).values(assessed_until=now + timedelta(days=5))
    embedded.database.write(lambda s: throttle.count_attempt(s, keys, long_ago))
    embedded.database.write(lambda s: s.execute(soon).close())
    began = alarms()

    with closing(Service(dict(embedded.environ))) as service:
        (keeper,) = [each for each in keepers_of(service) if each._name == "housekeeping"]
        for chore in keeper._due:
            chore.work()

    left = embedded.database.read(lambda s: s.execute(sa.select(LOGIN_THROTTLE)).all())
    assert (left, alarms() - began) == ([], 1)
