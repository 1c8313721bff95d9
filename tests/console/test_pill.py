"""The state of the service in the head of every page."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from console.access.roles import Role
from core.errors import UnavailableError
from records import stops
from records.stops import Order, Scope, StopReason
from tests.console.conftest import House, Visit

SHOWN = {
    (Scope.SERVICE, ""): "■</span> Đang dừng",
    (Scope.DISCLOSURE, ""): "■</span> Không cung cấp thông tin",
    (Scope.COMMAND, "DC"): "◐</span> Đang dừng một phần",
}
RUNNING = "●</span> Đang hoạt động"


def pill(visit: Visit, path: str = "/console/") -> str:
    """Return what the head of a page says."""
    header = visit.get(path)[1].partition("<header")[2].partition("</header>")[0]
    return header.partition('aria-hidden="true">')[2].partition("</a>")[0].strip()


@pytest.mark.parametrize("pair", SHOWN)
def test_it_says_what_stands_within_two_seconds(house: House, pair: tuple[Scope, str]) -> None:
    visit, now = house.entered("lan", Role.VIEWER), house.clock.now()
    order = Order(scope=pair[0], key=pair[1], reason=StopReason.MISUSE, by="officer:a")
    before = pill(visit)

    house.database.write(lambda s: stops.stop(s, order, now))
    where_it_is_said_itself = pill(visit, "/console/control")
    house.clock.advance(timedelta(seconds=2))
    after = pill(visit)

    assert before == RUNNING
    assert after == where_it_is_said_itself == SHOWN[pair]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_machine_that_is_stopped_by_file_discloses_nothing(house: House) -> None:
    visit = house.entered("lan", Role.VIEWER)
    (house.settings.state_dir / "stop").touch()

    assert "Không cung cấp thông tin" in pill(visit)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_it_is_not_read_for_every_page(house: House) -> None:
    visit, now = house.entered("lan", Role.VIEWER), house.clock.now()
    order = Order(scope=Scope.SERVICE, reason=StopReason.MISUSE, by="officer:a")
    pill(visit)

    house.database.write(lambda s: stops.stop(s, order, now))

    assert pill(visit) == RUNNING


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("error", [UnavailableError, sa.exc.OperationalError])
def test_what_cannot_be_told_is_not_called_running(house: House, error: type[Exception]) -> None:
    visit = house.entered("lan", Role.VIEWER)

    def fail(*_arguments: object) -> None:
        raise error("", None, Exception()) if error is sa.exc.OperationalError else error("gone")

    house.journal.obstacle = fail  # type: ignore[method-assign,assignment]  # the state cannot be read

    assert "coi như đang dừng" in pill(visit, "/console/control")
