"""A gateway with two links of one operator, and what its tests do with them."""

from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import sqlalchemy as sa

from records import stops
from records.stops import Order, Scope, StopReason
from sms import attempts, outbox
from sms.dispatch import Claimed, NotStarted, ReplyState, Result
from sms.links import registry
from sms.links.assessments import Assessment
from sms.links.model import (
    LinkKind,
    LinkState,
    Outcome,
    Refused,
    Unknown,
)
from sms.links.registry import NewLink
from sms.routes import Routes
from tests.sms.gateway import SECRET, Gateway, stranger

SECOND = timedelta(seconds=1)
ONE, TWO, FAR = "sao-mai-1", "sao-mai-2", "sao-mai-real"
LATER, UNKNOWN = Refused("status-503", retryable=True), Unknown("timeout")


def add(gateway: Gateway, code: str, **changes: object) -> None:
    new = NewLink(
        code=code, kind=LinkKind.HTTP, url="https://op.example", secret=SECRET, is_test=True,
        assessed_by="tests", operator="sao-mai",
    )  # fmt: skip
    new = replace(new, **changes)  # type: ignore[arg-type]  # fields by name
    now = gateway.clock.now()
    gateway.database.write(lambda s: registry.add(s, gateway.keyring, new, now))


def shared(gateway: Gateway, *picks: int) -> Gateway:
    """Give the gateway two links of one operator, and draws that come out so."""
    add(gateway, ONE)
    add(gateway, TWO)
    refresh(gateway)
    drawn = cycle(picks or (0, 99))
    routes = Routes(gateway.links, lambda most: min(next(drawn), most - 1))
    gateway.handler = replace(gateway.handler, routes=routes)
    return gateway


def refresh(gateway: Gateway) -> None:
    """Have the gateway see its links as they are now."""
    gateway.clock.advance(2 * SECOND)


def ask_help(gateway: Gateway, count: int, code: str = ONE) -> None:
    for number in range(count):
        gateway.send(stranger(number), "HD", code=code)
    gateway.handle()


def ways(gateway: Gateway) -> list[str]:
    """Return the links by which the replies that wait are to leave, in the order they were made."""
    codes = {link.id: link.code for link in gateway.links.all()}
    rows = sorted(gateway.replies(), key=lambda row: row.id)
    return [codes[row.link_id] for row in rows if row.state == ReplyState.QUEUED]


def came_to(gateway: Gateway, claimed: Claimed, outcome: Outcome | NotStarted) -> None:
    """Record what came of a claim as the dispatcher does."""
    now, routes, results = gateway.clock.now(), Routes(gateway.links), [Result(claimed, outcome)]

    def work(session: sa.orm.Session) -> None:
        outbox.record(session, results, now, routes.elsewhere(session, results, now))
        attempts.add(session, attempts.count(results, routes.are_shared), now)

    gateway.database.write(work)


def stop(gateway: Gateway, key: str) -> None:
    order = Order(scope=Scope.LINK, key=key, reason=StopReason.SECURITY, by="tests")
    gateway.database.write(lambda s: stops.stop(s, order, gateway.clock.now()))


def take_out(gateway: Gateway, how: str, code: str) -> None:
    link, now = gateway.link(code), gateway.clock.now()
    match how:
        case "disabled":
            gateway.database.write(lambda s: registry.set_state(s, link, LinkState.DISABLED))
        case "unassessed":
            ended = Assessment("tests", now, now)
            gateway.database.write(lambda s: registry.assess(s, link, ended))
        case _:
            stop(gateway, code)
    refresh(gateway)
