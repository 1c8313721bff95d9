"""What is agreed about a link and changes: numbers, pace, part; and who is believed by it."""

import pytest
import sqlalchemy as sa

from core.settings import Route, Settings
from sms.links.model import LinkState
from sms.tables import LINK
from tests.cli.deployment import Deployment


def by_serving(deployment: Deployment) -> Deployment:
    deployment.environ["TRADAN_ROUTE"] = "serving"
    return deployment


def test_a_link_is_added_with_its_part_and_its_pace(embedded: Deployment) -> None:
    embedded.add_http("viettel-1", "--operator", "viettel", "--prefixes", "032-039")
    embedded.add_http("viettel-2", "--operator", "viettel", "--weight", "20", "--send-rate", "7")

    one, two = embedded.link("viettel-1"), embedded.link("viettel-2")

    assert (one.weight, one.resting_weight, one.send_rate) == (50, 50, None)
    assert (two.weight, two.resting_weight, two.send_rate) == (20, 20, 7)
    shown = {row["code"]: row for row in embedded.read("operator", "list")}
    told = [shown["viettel-2"][name] for name in ("operator", "weight", "resting_weight", "serves")]
    assert told == ["viettel", 20, 20, "032-039"]


def test_set_changes_what_it_is_told_and_leaves_the_rest(deployment: Deployment) -> None:
    deployment.add_http("viettel", "--prefixes", "032", "--send-rate", "5")
    before = deployment.acts()

    deployment.do("operator", "set", "viettel", "--prefixes", "033-035, 086")
    deployment.do("operator", "set", "viettel", "--send-rate", "0", "--weight", "70")

    link = deployment.link("viettel")
    assert (link.prefixes, link.send_rate, link.weight) == ("033-035,086", None, 70)
    assert deployment.acts() == before + 2


def test_a_new_weight_has_the_operators_links_begin_anew(embedded: Deployment) -> None:
    for code in ("viettel-1", "viettel-2"):
        embedded.add_http(code, "--operator", "viettel")
    shifted = sa.update(LINK).values(weight=sa.case((LINK.c.code == "viettel-1", 30), else_=70))
    embedded.database.write(lambda s: s.execute(shifted).close())

    embedded.do("operator", "set", "viettel-2", "--weight", "60")

    weights = [embedded.link(code).weight for code in ("viettel-1", "viettel-2")]
    assert weights == [50, 60]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "what is to change"),
        (("--weight", "101"), "--weight"),
        (("--prefixes", "32"), "--prefixes"),
        (("--send-rate", "-1"), "--send-rate"),
    ],
)
def test_what_set_cannot_do_is_named(
    embedded: Deployment, words: tuple[str, ...], said: str
) -> None:
    embedded.add_http("viettel")

    assert said in embedded.refused("operator", "set", "viettel", *words)


def test_the_way_is_inbound_unless_told_otherwise() -> None:
    assert Settings.from_env({}).route is Route.INBOUND
    assert Settings.from_env({"TRADAN_ROUTE": "serving"}).route is Route.SERVING


def test_a_way_that_is_none_is_named(embedded: Deployment) -> None:
    embedded.environ["TRADAN_ROUTE"] = "cheapest"

    assert "TRADAN_ROUTE must be inbound or serving" in embedded.refused("operator", "list")


def test_run_refuses_serving_where_nobodys_numbers_are_known(embedded: Deployment) -> None:
    embedded.add_http("viettel")

    told = by_serving(embedded).refused("run", code=5)

    assert "TRADAN_ROUTE=serving" in told
    assert "viettel" in told
    assert "operator set" in told


def test_who_would_be_told_nothing_is_warned_of(embedded: Deployment) -> None:
    embedded.add_http("viettel", "--prefixes", "032-039")
    by_serving(embedded)

    added = embedded.run(
        "operator", "add", "itel", "--kind", "twilio", "--from", "12345",
        "--account-sid", "AC" + "0" * 32, "--token-file", embedded.file("t" * 32),
    )  # fmt: skip

    assert "operator set itel --prefixes" in added.stderr
    warnings = {row["code"]: row["warning"] for row in embedded.read("operator", "list")}
    assert warnings["viettel"] is None
    assert "operator set itel --prefixes" in warnings["itel"]


def test_whose_last_numbers_are_taken_away_is_warned_of(embedded: Deployment) -> None:
    for code in ("viettel-1", "viettel-2"):
        embedded.add_http(code, "--operator", "viettel", "--prefixes", "032-039")
    none = ("--prefixes", "")

    unasked = embedded.run("operator", "set", "viettel-1", *none)
    embedded.do("operator", "set", "viettel-1", "--prefixes", "032")
    by_serving(embedded)
    one_left = embedded.run("operator", "set", "viettel-1", *none)
    nothing_left = embedded.run("operator", "set", "viettel-2", *none)
    back = embedded.run("operator", "set", "viettel-2", "--prefixes", "032")

    assert [each.exit_code for each in (unasked, one_left, nothing_left, back)] == [0] * 4
    assert "operator set viettel-2 --prefixes" in nothing_left.stderr
    assert [each.stderr for each in (unasked, one_left, back)] == [""] * 3


def test_who_is_out_of_use_is_not_warned_of(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    disabled = sa.update(LINK).values(state=LinkState.DISABLED)
    embedded.database.write(lambda s: s.execute(disabled).close())

    (row,) = by_serving(embedded).read("operator", "list")

    assert row["warning"] is None
