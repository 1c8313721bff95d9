"""`billing open` to `settle`: by two officers, once each, with entries that hold the digest."""

import io
import json
from collections.abc import Callable
from datetime import date

import pytest

from billing import tariffs, usage
from billing.drafts import Account
from billing.periods import Period
from billing.tariffs import Tariff
from console.access.roles import Role
from tests.billing.books import Books, day, message
from tests.cli.deployment import Deployment
from tests.cli.officers import enrolled

MONTH = Period(2020, 10)


@pytest.fixture
def month(deployment: Deployment) -> Deployment:
    """A deployment with two messages of a month that is long over."""
    deployment.add_http("viettel")
    price = Tariff(
        operator="viettel", valid_from=date(2020, 1, 1), price_hundredths=50_000, share_bp=5_000
    )
    deployment.database.write(lambda s: tariffs.store(s, (), [price]))
    link_id = deployment.link("viettel").id
    rows = [message(day(number, MONTH), link_id=link_id) for number in (1, 31)]
    deployment.database.write(lambda s: usage.record(s, rows))
    return deployment


def test_a_statement_is_made_by_one_and_signed_by_another(month: Deployment) -> None:
    typed = {
        "lan": enrolled(month, "lan", Role.BILLING_MAKER),
        "minh": enrolled(month, "minh", Role.BILLING_CHECKER),
    }

    def act(verb: str, name: str, *options: str) -> dict[str, object]:
        words = ("billing", verb, str(MONTH), "--operator", "viettel", "--officer", name)
        done = month.run(*words, *options, "--json", typed=typed[name].pop())
        assert done.exit_code == 0, done.output
        told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return told

    before = month.acts()
    opened, sent = act("open", "lan"), act("send", "lan")
    Books(month.database).compare(MONTH)
    closed, again = act("close", "minh"), act("close", "minh")
    settled = act("settle", "minh", "--reference", "UNC 7")

    states = [each["state"] for each in (opened, sent, closed, again, settled)]
    assert states == ["draft", "sent", "signed", "signed", "settled"]
    assert len({each["digest"] for each in (opened, sent, closed, settled)}) == 1
    assert closed == again
    assert (closed["net_hundredths"], settled["reference"]) == (50_000, "UNC 7")
    assert month.acts() == before + 4, "what was closed already leaves no second entry"
    (listed,) = month.read("billing", "list")
    shown = month.read("billing", "show", str(MONTH), "--operator", "viettel")
    assert {name: shown[name] for name in listed} == listed == settled
    assert [(line["messages"], line["amount"]) for line in shown["lines"]] == [(2, 100_000)]
    told = month.do("billing", "show", str(MONTH), "--operator", "viettel")
    assert "settled  net to us 500.00 VND" in told
    assert "2 messages  2 parts  1,000.00 VND (VAT 0.00 VND, ours 500.00 VND)" in told


class Typed(io.BytesIO):
    """What an officer types after something else has happened."""

    def __init__(self, words: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(words.encode())
        self.meanwhile: Callable[[], object] | None = meanwhile

    def read1(self, size: int | None = -1) -> bytes:
        """Read on (a file's)."""
        if self.meanwhile is not None:
            self.meanwhile()
            self.meanwhile = None
        return super().read1(size)


def test_what_comes_while_an_officer_looks_for_the_device_is_counted(month: Deployment) -> None:
    late = message(day(2, MONTH), link_id=month.link("viettel").id)
    typed = Typed(
        enrolled(month, "lan", Role.BILLING_MAKER).pop(),
        lambda: month.database.write(lambda s: usage.record(s, [late])),
    )
    words = ("billing", "open", str(MONTH), "--operator", "viettel", "--officer", "lan", "--json")

    done = month.run(*words, typed=typed)

    assert json.loads(done.stdout.splitlines()[-1])["net_hundredths"] == 75_000


def test_who_has_not_the_right_makes_and_checks_nothing(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    maker = enrolled(embedded, "lan", Role.BILLING_MAKER)
    checker = enrolled(embedded, "minh", Role.BILLING_CHECKER)
    words = (str(MONTH), "--operator", "viettel", "--officer")

    opened = embedded.run("billing", "open", *words, "minh", typed=checker.pop())
    closed = embedded.run("billing", "close", *words, "lan", typed=maker.pop())

    assert (opened.exit_code, closed.exit_code) == (5, 5)
    assert "no right to open statements" in opened.stderr
    assert "no right to close statements" in closed.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("open", "2026-13", "--operator", "viettel", "--officer", "a"), 2, "a period is a month"),
        (("open", "2026-10", "--operator", "vina", "--officer", "a"), 2, "no link is of"),
        (("show", "2026-10", "--operator", "viettel"), 5, "there is no statement"),
    ],
    ids=["month", "operator", "none"],
)
def test_what_is_not_there_is_told(
    embedded: Deployment, words: tuple[str, ...], code: int, told: str
) -> None:
    embedded.add_http("viettel")

    assert told in embedded.refused("billing", *words, code=code)


def test_a_statement_that_is_not_there_is_not_closed(embedded: Deployment) -> None:
    checker = enrolled(embedded, "minh", Role.BILLING_CHECKER)
    words = ("billing", "close", "2026-10", "--operator", "viettel", "--officer", "minh")

    done = embedded.run(*words, typed=checker.pop())

    assert (done.exit_code, "open one" in done.stderr) == (5, True)


def test_without_statements_the_list_says_how_to_begin(embedded: Deployment) -> None:
    done = embedded.run("billing", "list")

    assert (done.exit_code, done.stdout) == (0, "")
    assert "billing open" in done.stderr


def test_minutes_are_written_for_nobody_else_to_read(month: Deployment) -> None:
    Books(month.database, Account("viettel", frozenset({month.link("viettel").id}))).open(MONTH)
    before = month.acts()
    paths = [month.home / name for name in ("m.xlsx", "m.html", "m.csv")]
    options = [word for path in paths for word in (f"--{path.suffix[1:]}", str(path))]
    words = ("billing", "export", str(MONTH), "--operator", "viettel")

    told = month.read(*words, *options)

    assert told["files"] == [str(path) for path in paths]
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert "Dự thảo" in paths[1].read_text()
    assert month.acts() == before + 1
    assert "say what to write" in month.refused(*words)


def test_a_month_that_does_not_agree_ends_with_4(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    link_id = embedded.link("viettel").id
    embedded.database.write(lambda s: usage.record(s, [message(day(1, MONTH), link_id=link_id)]))

    done = embedded.run("billing", "verify", str(MONTH))
    other = embedded.read("billing", "verify", str(MONTH.following))

    assert done.exit_code == 4
    assert done.stdout.startswith("usage-without-message: 1, as ")
    assert other == {"period": "2020-11", "findings": []}
    assert "agree" in embedded.do("billing", "verify", str(MONTH.following))
