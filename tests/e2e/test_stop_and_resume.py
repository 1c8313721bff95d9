"""One officer stops, two resume: the circle over real sockets, as citizens see it."""

from collections.abc import Iterator

from tests.e2e.harness import OFFICER, Deployment
from tests.e2e.links import HttpLink, pins_in
from tests.e2e.officers import enrolled
from tests.e2e.people import Person


def state(service: Deployment) -> tuple[str, str]:
    """Return what the public page says of the service, to programs and to people."""
    told = service.get("/status", accept="application/json").document
    page = service.get("/status", accept="text/html").text
    assert told["contact_officer"] == OFFICER
    assert OFFICER in page
    heading = page.partition('<h1 id="state">')[2].partition("<")[0]
    return str(told["state"]), heading


def test_one_officer_stops_and_two_resume(
    service: Deployment, telco: HttpLink, person: Person, at_hand: Iterator[Person]
) -> None:
    lan, minh = (enrolled(service, name, "security-officer") for name in ("lan", "minh"))
    before = state(service)

    number = lan.stop("service", note="a test")
    down = telco.ask(person.phone, f"DC {person.personal_id}")
    stopped = state(service)
    statuses = (
        minh.resume(number), lan.ask_resume(number), lan.resume(number), minh.resume(number),
    )  # fmt: skip
    after = state(service)
    other = next(at_hand)
    pin = telco.ask(other.phone, f"DC {other.personal_id}")

    assert before == after == ("running", "Đang hoạt động")
    assert stopped == ("stopped", "Đang tạm ngừng")
    assert service.reply_class(telco, str(down.data["in_reply_to"])) == "DOWN"
    assert service.report(telco, str(down.data["in_reply_to"]))["state"] == "suspended"
    # Nobody has asked yet; who asked does not lift it; somebody else does.
    assert statuses == (409, 303, 409, 303)
    assert pins_in(pin)
