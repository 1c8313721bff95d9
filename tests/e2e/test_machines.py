"""Two machines on one PostgreSQL, and the binds of an operator: each is up once, whoever dies."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.e2e.conftest import Deploy
from tests.e2e.harness import Deployment
from tests.e2e.waiting import until
from tests.sms.smpp.smsc import PASSWORD, SYSTEM_ID, Smsc, install, mo

pytestmark = pytest.mark.slow

AT_ONCE = {"PIN_SPACING_SECONDS": "0"}
PEOPLE, STRANGERS, WINDOW = 40, 120, 10
TAKEN_OVER_SECONDS = 20.0
OK = 0
HELD = "SELECT count(*), count(DISTINCT holder) FROM smpp_bind WHERE bound_at IS NOT NULL"


@pytest.fixture(scope="session")
def smpp_folder(request: pytest.FixtureRequest) -> Path:
    """A folder with npm's smpp."""
    return install(request.config)


@pytest.fixture
def smscs(smpp_folder: Path) -> Iterator[list[Smsc]]:
    """Two SMSCs that nobody is bound to."""
    with ExitStack() as stack:
        made = [Smsc(smpp_folder) for _ in range(2)]
        for each in made:
            stack.callback(each.close)
        yield made


@pytest.fixture
def machines(deploy: Deploy) -> Iterator[list[Deployment]]:
    """Two machines: the same database and key files, each with a state folder of its own."""
    first = deploy("postgresql", **AT_ONCE)
    home = first.home / "another-machine"
    (home / "state").mkdir(parents=True, mode=0o700)
    shared = {**first.settings, "KEYS_DIR": str(first.keys_dir)}
    with closing(Deployment(home, first.database_url, shared)) as second:
        yield [first, second]


def add(service: Deployment, smsc: Smsc, code: str, *options: str) -> None:
    """Add a link of one operator to an SMSC."""
    where = ("--host", "127.0.0.1", "--port", str(smsc.port), "--system-id", SYSTEM_ID)
    secret = ("--password-file", str(service.secret_file(PASSWORD)), "--operator", "telco")
    more = ("--private-line", "--rate", "1000", *options)
    service.do("operator", "add", code, "--kind", "smpp", *where, *secret, *more)


def rows(service: Deployment, query: str) -> list[tuple[Any, ...]]:
    """Ask the database."""
    url = sa.make_url(service.database_url or "").set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        return connection.execute(query.encode()).fetchall()


def answered(smsc: Smsc) -> dict[str, int]:
    """Return the answers to what was delivered so far, by name."""
    return {event["name"]: event["status"] for event in smsc.of("answer")}


def test_when_the_machine_that_is_bound_dies_the_other_takes_over_and_nothing_is_lost(
    machines: list[Deployment], smscs: list[Smsc]
) -> None:
    (first, second), smsc = machines, smscs[0]
    add(first, smsc, "telco")
    people = first.people.make_many(PEOPLE)
    first.import_people(*people)
    process = first.start()
    smsc.wait("bind")
    second.start()
    strangers = {f"s{n}": mo(f"+8456{n:07}", "HD") for n in range(STRANGERS)}
    asking = {f"p{n}": mo(who.phone, f"DC {who.personal_id}") for n, who in enumerate(people)}
    messages = {**asking, **strangers}
    smsc.behave(submit="late", after=300)

    deliver(smsc, messages)
    smsc.wait("submit", WINDOW)
    alone = len(smsc.of("bind"))
    first.kill(process, group=True)
    died_at = time.monotonic()
    smsc.wait("close")
    acknowledged = answered(smsc)
    smsc.wait("bind", 2, within=2 * TAKEN_OVER_SECONDS)
    silent = time.monotonic() - died_at
    smsc.behave()
    deliver(smsc, {name: one for name, one in messages.items() if name not in acknowledged})

    until(lambda: answered(smsc).keys() == messages.keys(), "all are answered")
    until(lambda: is_over(second), "every reply has its end", within=60)
    assert alone == 1, "one machine was bound, and the other was not"
    assert silent < TAKEN_OVER_SECONDS
    assert set(answered(smsc).values()) == {OK}
    check_replies(smsc, messages)
    check_rows(second, len(messages))
    assert second.cli("journal", "verify").returncode == 0
    assert "Traceback" not in second.log
    assert second.stop() == [0]


def deliver(smsc: Smsc, messages: Mapping[str, Mapping[str, Any]]) -> None:
    """Deliver messages under their names, without waiting."""
    smsc.deliver(*({"name": name, **one} for name, one in messages.items()))


def is_over(service: Deployment) -> bool:
    """Tell whether nothing waits, neither to be handled nor to be sent."""
    waiting = "SELECT 1 FROM inbound WHERE state = 'received'"
    leaving = "SELECT 1 FROM outbound WHERE state IN ('queued', 'sending')"
    return not rows(service, f"{waiting} UNION ALL {leaving}")


def check_replies(smsc: Smsc, messages: Mapping[str, Mapping[str, Any]]) -> None:
    """See that each sender has its reply, at most twice, and then in the same words (G5)."""
    texts: dict[str, list[str]] = {}
    for event in smsc.of("submit"):
        texts.setdefault(event["destination"], []).append(event["text"])
    assert texts.keys() == {one["source_addr"] for one in messages.values()}
    assert {len(set(each)) for each in texts.values()} == {1}
    copies = Counter(len(each) for each in texts.values())
    assert copies.keys() <= {1, 2}
    assert 1 <= copies[2] <= WINDOW, "it died in the middle of its window"


def check_rows(service: Deployment, count: int) -> None:
    """See that each message is there once, answered, and charged once each way (G2, G4, G5)."""
    assert rows(service, "SELECT state, count(*) FROM inbound GROUP BY state") == [
        ("answered", count)
    ]
    assert rows(service, "SELECT state, count(*) FROM outbound GROUP BY state") == [
        ("accepted", count)
    ]
    charged = "SELECT direction, count(*), count(DISTINCT message_id) FROM usage GROUP BY direction"
    assert sorted(rows(service, charged)) == [("mo", count, count), ("mt", count, count)]


def test_each_of_several_binds_of_an_operator_is_up_once_on_two_machines(
    machines: list[Deployment], smscs: list[Smsc]
) -> None:
    first, second = machines
    for number, smsc in enumerate(smscs):
        add(first, smsc, f"telco-{number}", "--bind", "tx+rx")
    processes = [first.start(ready=None), second.start(ready=None)]
    for smsc in smscs:
        smsc.wait("bind", 2, within=120)
    # Whoever is not bound asks once a second.
    time.sleep(4)
    before = [kinds(smsc) for smsc in smscs]

    first.kill(processes[0], group=True)
    time.sleep(TAKEN_OVER_SECONDS)
    until(lambda: all(map(is_up, smscs)), "both directions of both are up")
    after = [kinds(smsc) for smsc in smscs]

    once = {"transmitter": 1, "receiver": 1}
    assert before == [once, once]
    assert all(max(bound.values()) <= 2 for bound in after), "what was lost is bound again, once"
    assert rows(second, HELD) == [(len(smscs) * len(once), 1)]
    assert second.stop() == [0]


def kinds(smsc: Smsc) -> dict[str, int]:
    """Count the binds so far by their kind."""
    return dict(Counter(event["kind"] for event in smsc.of("bind")))


def is_up(smsc: Smsc) -> bool:
    """Tell whether as many sessions are bound as there are directions."""
    return len(smsc.of("bind")) - len(smsc.of("close")) == 2
