"""`billing tariff`: prices from a file, by a maker, with an entry; and what prices lack."""

import json

import pytest

from billing import tariffs
from console.access.roles import Role
from tests.cli.deployment import Deployment
from tests.cli.officers import enrolled

HEADER = "operator,short_code,direction,encoding,valid_from,valid_to,price_hundredths"
PRICES = f"{HEADER}\nviettel,*,mo,any,2030-01-01,,60000\n"


def prices(deployment: Deployment) -> list[int]:
    known = deployment.database.read(tariffs.load).all
    return [each.price_hundredths for each in known]


def test_a_maker_changes_a_price_from_a_day_on_once(deployment: Deployment) -> None:
    deployment.add_http("viettel", "--mo-price", "500")
    typed = enrolled(deployment, "lan", Role.BILLING_MAKER)
    before, file = deployment.acts(), deployment.file(PRICES)
    words = ("billing", "tariff", "import", file, "--officer", "lan", "--json")

    done = [deployment.run(*words, typed=typed.pop()) for _ in range(2)]

    assert [each.exit_code for each in done] == [0, 0]
    counts = [json.loads(each.stdout.splitlines()[-1]) for each in done]
    assert counts == [
        {"added": 1, "ended": 1, "corrected": 0, "unchanged": 0, "dry_run": False},
        {"added": 0, "ended": 0, "corrected": 0, "unchanged": 1, "dry_run": False},
    ]
    assert prices(deployment) == [50_000, 60_000]
    assert deployment.acts() == before + 1, "what changes nothing leaves no entry"
    listed = deployment.read("billing", "tariff", "list", "--on", "2030-01-01")
    assert [each["price_hundredths"] for each in listed] == [60_000]


def test_a_rehearsal_changes_nothing_and_asks_nobody(embedded: Deployment) -> None:
    embedded.add_http("viettel", "--mo-price", "500")

    told = embedded.do("billing", "tariff", "import", embedded.file(PRICES), "--dry-run")

    assert told == "would be: 1 added, 1 ended, 0 corrected, 0 unchanged\n"
    assert prices(embedded) == [50_000]


def test_only_a_maker_sets_prices(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    (typed, *_) = enrolled(embedded, "minh", Role.BILLING_CHECKER)
    words = ("billing", "tariff", "import", embedded.file(PRICES))

    done = embedded.run(*words, "--officer", "minh", typed=typed)

    assert (done.exit_code, prices(embedded)) == (5, [])
    assert "no right to set prices" in done.stderr
    assert "--officer says who" in embedded.refused(*words)


def test_a_file_with_faults_is_refused_by_line(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    file = embedded.file(PRICES + "vina,*,mo,any,2030-01-01,,1\n")

    told = embedded.refused("billing", "tariff", "import", file, "--dry-run")

    assert "line 3: no link is of this operator" in told


@pytest.mark.parametrize(("price", "code"), [((), 4), (("--mo-price", "500"), 0)])
def test_an_operator_without_a_price_is_told(
    embedded: Deployment, price: tuple[str, ...], code: int
) -> None:
    embedded.add_http("viettel", *price)

    done = embedded.run("billing", "tariff", "check", "--json")

    assert done.exit_code == code
    assert [each["operator"] for each in json.loads(done.stdout)] == ["viettel"] * (code == 4)


def test_a_second_link_of_an_operator_shares_its_price(embedded: Deployment) -> None:
    embedded.add_http("viettel", "--mo-price", "500")
    embedded.add_http("viettel-2", "--operator", "viettel", "--mo-price", "500")

    assert prices(embedded) == [50_000]
