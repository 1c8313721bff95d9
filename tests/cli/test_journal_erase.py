"""`journal erase` and `journal hold`, as they are typed."""

import json
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from sqlalchemy.orm import Session

from cli.caretaking import keepers_of, keepers_of_web
from cli.context import Service
from console.access import factor, officers
from console.access.passwords import Passwords
from console.access.roles import Role
from core.keyring import row_id
from journal.cover import Part
from journal.entries import Draft, Kind, Retention
from journal.erasures import Erasures
from journal.orders import Order
from journal.tables import JOURNAL_OPEN
from journal.targets import Leaves
from tests.cli.deployment import Deployment
from tests.fakes import FixedClock

CITIZEN, PHONE = "001085123456", "+84901234567"
PASSWORD = "duong xa o trong ngo nho"
WHY = ("--basis", "Law 91/2025", "--reason", "case 12/2026")


@dataclass(frozen=True, slots=True)
class Office:
    """A deployment with three lookups by a citizen, and officers with their recovery codes."""

    deployment: Deployment
    codes: dict[str, list[str]] = field(default_factory=dict)

    def run(self, name: str, *words: str, before: str = "", password: str = PASSWORD) -> Result:
        """Run a verb that an officer confirms."""
        typed = f"{before}{password}\n{self.codes[name].pop()}\n"
        return self.deployment.run("journal", "erase", *words, "--officer", name, typed=typed)

    def plan(self, *words: str, before: str = "") -> Any:  # noqa: ANN401 (JSON is of any shape)
        done = self.run("lan", "plan", *words, *WHY, "--json", before=before)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def planned(self, *approvers: str) -> str:
        """Plan and approve without all that is typed for it; return the plan's number."""
        with closing(Service(dict(self.deployment.environ))) as service:
            erasures = Erasures(service.database, service.journal, service.keyring, service.clock)
            order = erasures.plan(
                Leaves([2, 3, 4]), Part.IDENTITY, basis="law", reason="case 12", by="officer:lan"
            )
            assert isinstance(order, Order)
            for name in approvers:
                erasures.approve(order.id, by=f"officer:{name}")
        return str(order.id)


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of everybody's password, which takes long to make."""
    return Passwords().hash(PASSWORD)


def office_in(deployment: Deployment, password_hash: str) -> Office:
    office = Office(deployment)
    with closing(Service(dict(deployment.environ))) as service:
        for name, role in (
            ("lan", Role.SECURITY_OFFICER),
            ("minh", Role.APPROVER),
            ("hoa", Role.APPROVER),
            ("thu", Role.VIEWER),
        ):
            office.codes[name] = factor.new_recovery_codes()
            enrol(service, name, role, office.codes[name], password_hash)
        made = service.journal.prepare([lookup(service)] * 3)
        service.database.write(lambda session: service.journal.append(session, made))
        if service.database.dialect == "postgresql":
            service.journal.seal_once()
    return office


def enrol(service: Service, name: str, role: Role, codes: list[str], password_hash: str) -> None:
    keyring, now = service.keyring, service.clock.now()

    def work(session: Session) -> None:
        officer = officers.add(session, name, f"Officer {name}", [role], now)
        seed = officers.seal_seed(keyring, factor.new_seed(), officer.id)
        officers.enrol(
            session, officer, password_hash=password_hash, totp=seed, recovery_codes=codes
        )

    service.database.write(work)


def lookup(service: Service) -> Draft:
    return Draft(
        kind=Kind.LOOKUP,
        retention=Retention.LOOKUP,
        actor=f"phone:{PHONE}",
        actor_index=row_id(service.keyring.index("phone", PHONE)),
        subject=f"person:{CITIZEN}",
        subject_index=row_id(service.keyring.index("personal_id", CITIZEN)),
        payload={"command": "DC", "outcome": "told"},
    )


@pytest.fixture
def office(embedded: Deployment, password_hash: str) -> Office:
    """What is typed and told does not hang on the kind of database."""
    return office_in(embedded, password_hash)


def test_a_citizen_is_erased_by_three_officers(deployment: Deployment, password_hash: str) -> None:
    office = office_in(deployment, password_hash)

    planned = office.plan("--citizen", "-", before=f"{CITIZEN}\n")
    for name in ("minh", "hoa"):
        assert office.run(name, "approve", str(planned["plan"]), "--yes").exit_code == 0
    run = deployment.run("journal", "erase", "run", str(planned["plan"]), "--yes", "--json")

    done = json.loads(run.stdout)
    assert (planned["state"], planned["leaves"], planned["counts"]["leaves"]) == (
        "planned",
        "2-4",
        3,
    )
    assert (done["state"], done["approved_by"], done["planned_by"]) == (
        "done",
        ["officer:minh", "officer:hoa"],
        "officer:lan",
    )
    assert deployment.read("journal", "erase", "list") == [done]
    verified = deployment.read("journal", "verify")
    assert (verified["ok"], verified["findings"], verified["notes"]) == (True, [], [])
    told = deployment.do("journal", "erase", "list") + run.output
    assert CITIZEN not in told
    assert "erases    who it was about, in 3 entries" in told


def test_nobody_takes_two_parts(office: Office) -> None:
    number = office.planned("minh")

    own = office.run("lan", "approve", number, "--yes")
    twice = office.run("minh", "approve", number, "--yes")
    early = office.deployment.run("journal", "erase", "run", number, "--yes")

    assert [done.exit_code for done in (own, twice, early)] == [5, 5, 5]
    assert "ask another officer" in own.stderr
    assert "ask another officer" in twice.stderr
    assert "two officers must approve it first" in early.stderr


def test_who_cannot_show_who_they_are_or_has_no_right_is_refused(office: Office) -> None:
    number = office.planned()

    wrong = office.run("minh", "approve", number, "--yes", password="wrong")
    viewer = office.run("thu", "approve", number, "--yes")

    assert (wrong.exit_code, viewer.exit_code) == (5, 5)
    assert "wrong" in wrong.stderr
    assert "thu has no right to approve an erasure" in viewer.stderr


def test_what_would_go_is_shown_before_it_is_approved_or_run(office: Office) -> None:
    number = office.planned()

    done = office.deployment.run(
        "journal", "erase", "approve", number, "--officer", "minh", typed="n\n"
    )

    assert done.exit_code == 1
    assert "in 3 entries" in done.stderr
    assert "case 12" in done.stderr
    assert office.deployment.read("journal", "erase", "list")[0]["approved_by"] == []


def test_a_plan_may_be_about_single_entries_and_dropped(office: Office) -> None:
    planned = office.plan("--entry", "3", "--part", "all")

    office.deployment.do("journal", "erase", "cancel", str(planned["plan"]))

    (row,) = office.deployment.read("journal", "erase", "list")
    assert (planned["leaves"], planned["part"], row["state"]) == ("3", "all", "cancelled")


def test_a_telephone_is_read_from_a_file(office: Office) -> None:
    planned = office.plan("--phone", office.deployment.file("090 123 4567\n"))

    assert planned["leaves"] == "2-4"


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        ((), "", "plan one of"),
        (("--entry", "3", "--months", "2026-03", "--class", "act"), "", "plan one of"),
        (("--months", "2026-03"), "", "plan one of"),
        (("--months", "March", "--class", "lookup"), "", "as 2026-03"),
        (("--months", "2026-03..2026-02", "--class", "lookup"), "", "ends before it begins"),
        (("--citizen", "-"), "1085123456\n", "12 digits"),
        (("--phone", "-"), "0123\n", "mobile number"),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused(
    embedded: Deployment, words: tuple[str, ...], typed: str, said: str
) -> None:
    done = embedded.run("journal", "erase", "plan", *words, *WHY, "--officer", "lan", typed=typed)

    assert done.exit_code == 2
    assert said in done.stderr


def test_there_is_nothing_to_plan_for_a_month_that_is_not_over(office: Office) -> None:
    with closing(Service(dict(office.deployment.environ))) as service:
        month = f"{service.clock.now():%Y-%m}"

    done = office.run("lan", "plan", "--months", month, "--class", "lookup", *WHY)

    assert done.exit_code == 5
    assert "second day after its end" in done.stderr


def test_a_hold_keeps_what_is_planned(office: Office) -> None:
    deployment = office.deployment
    number = office.planned("minh", "hoa")
    words = ("--citizen", "-", "--reason", "court 7", "--json")
    held = deployment.run("journal", "hold", "add", *words, typed=f"{CITIZEN}\n")

    refused = deployment.run("journal", "erase", "run", number, "--yes")

    hold = json.loads(held.stdout)["hold"]
    assert refused.exit_code == 5
    assert "legal hold" in refused.stderr
    (row,) = deployment.read("journal", "hold", "list")
    assert (row["hold"], row["of"], row["reason"]) == (hold, "a citizen", "court 7")
    deployment.do("journal", "hold", "lift", str(hold), "--reason", "closed")
    assert deployment.read("journal", "hold", "list") == []
    assert "court 7" in deployment.do("journal", "hold", "list", "--all")
    assert "no hold" in deployment.refused(
        "journal", "hold", "lift", str(hold), "--reason", "x", code=5
    )
    deployment.do("journal", "erase", "run", number, "--yes")
    assert deployment.read("journal", "verify")["ok"] is True


def test_months_can_be_held(embedded: Deployment) -> None:
    words = ("journal", "hold", "add", "--months", "2026-03..2026-05", "--class", "act")

    embedded.do(*words, "--reason", "inspection")

    assert "act 2026-03..2026-05" in embedded.do("journal", "hold", "list")
    told = embedded.refused("journal", "hold", "add", "--reason", "x")
    assert "either a citizen" in told


def test_the_state_of_the_keys_is_told_and_what_came_back_goes_again(office: Office) -> None:
    rows = office.deployment.read("journal", "erase", "status")

    assert [(row["class"], row["part"], row["from"]) for row in rows] == [
        ("lookup", "identity", 202601),
        ("lookup", "act", 202601),
        ("act", "identity", 202601),
        ("act", "act", 202601),
    ]
    assert "lookup  identity  readable from 2026-01" in office.deployment.do(
        "journal", "erase", "status"
    )
    assert office.deployment.read("journal", "erase", "again") == {"erased": 0, "expired": 0}


def test_a_worker_lets_expire_what_is_due(embedded: Deployment) -> None:
    clock = FixedClock()
    with closing(Service(dict(embedded.environ))) as service:
        service.clock = clock
        made = service.journal.prepare([lookup(service)])
        service.database.write(lambda session: service.journal.append(session, made))
        clock.at = clock.at.replace(year=2028, month=4)
        (keeper,) = [each for each in keepers_of(service) if each._name == "expiry"]

        for chore in keeper._due:
            chore.work()

        chain = service.keyring.month_keys.chains()["journal-lookup-identity"]
        left = service.database.read(
            lambda s: s.execute(sa.select(sa.func.count(JOURNAL_OPEN.c.subject_index))).scalar()
        )
    assert (chain.start, left) == (202604, 0)


def test_a_process_that_takes_messages_forgets_what_a_worker_destroyed(
    embedded: Deployment,
) -> None:
    gone, months = "journal-lookup-identity", (202601, 202602)
    with (
        closing(Service(dict(embedded.environ))) as worker,
        closing(Service(dict(embedded.environ))) as web,
    ):
        (keeper,) = keepers_of_web(web)
        web.keyring.month_keys.cipher(1_202601)
        with worker.keyring.month_keys.destroying({gone: months}):
            pass
        assert web.keyring.month_keys.cipher(1_202601)

        for chore in keeper._due:
            chore.work()

        with pytest.raises(KeyError):
            web.keyring.month_keys.cipher(1_202601)
