"""What the verbs of `operator` do to a link, each act with its journal entry."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.orm import Session

from billing import tariffs
from billing.errors import TariffError
from cli import acting
from cli.context import Service
from cli.exits import NOT_ALLOWED, UsageFault
from cli.link_options import NewLinkOptions, read_options, read_secret
from core.clock import vietnam_day
from journal.entries import Draft, Kind, Retention
from sms.links import endings, registry, steps, terms
from sms.links.assessments import Assessment
from sms.links.endings import Ending
from sms.links.errors import LinkError
from sms.links.model import Link, LinkState
from sms.links.registry import NewLink
from sms.links.steps import Step
from sms.links.terms import Terms

if TYPE_CHECKING:
    from console.access.officers import Officer

T = TypeVar("T")

_HUNDREDTHS = 100


def add(service: Service, options: Mapping[str, object]) -> tuple[Link, NewLinkOptions]:
    """Add the link that the options of `operator add` describe.

    Raises: UsageFault naming the option that is wrong, or why it cannot be added.
    """
    read = read_options(options)
    new = NewLink(
        code=read.code,
        operator=read.operator,
        kind=read.kind,
        url=read.url,
        secret=read_secret(read.kind, read.secret_file),
        is_test=read.is_test,
        account_sid=read.account_sid,
        from_number=read.from_number,
        profile=read.profile,
        prefixes=read.prefixes,
        rate=read.rate,
        weight=read.weight,
        send_rate=read.send_rate,
        assessed_by=service.person if read.is_assessed else None,
    )
    return add_link(service, new, read.mo_price), read


def add_link(service: Service, new: NewLink, price: int | None) -> Link:
    """Add a link with its price and its assessment, in one act.

    Units: *price* in VND. Raises: UsageFault.
    """
    now = service.clock.now()

    def work(session: Session) -> Link:
        link_id = registry.add(session, service.keyring, new, now)
        if price is not None:
            operator = new.operator or new.code
            tariffs.set_price(session, operator, vietnam_day(now), price * _HUNDREDTHS)
        return _loaded(session, service, link_id)

    said: dict[str, str | int | bool] = {
        "assessed": new.assessed_by is not None,
        "assessed_by": new.assessed_by or "",
        "is_test": new.is_test,
    }
    return with_entry(service, "link-add", new.code, work, said)


def _loaded(session: Session, service: Service, link_id: int) -> Link:
    links = registry.load(session, service.keyring)
    return next(link for link in links if link.id == link_id)


def set_state(service: Service, link: Link, state: LinkState) -> None:
    """Enable or disable a link.

    Raises: UsageFault.
    """
    act = "link-enable" if state is LinkState.ACTIVE else "link-disable"
    with_entry(service, act, link.code, lambda s: registry.set_state(s, link, state))


def change(service: Service, link: Link, told: Terms) -> None:
    """Change what was agreed about a link.

    Raises: UsageFault.
    """
    said = {name: value for name, value in asdict(told).items() if value is not None}
    with_entry(service, "link-set", link.code, lambda s: terms.change(s, link, told), said)


def rotate(service: Service, link: Link, secret_file: str) -> Link:
    """Make the secret in a file the link's newest, and return the link as it is then.

    Raises: UsageFault.
    """
    secret, now = read_secret(link.kind, secret_file), service.clock.now()

    def work(session: Session) -> Link:
        registry.rotate(session, service.keyring, link, secret, now)
        return _loaded(session, service, link.id)

    return with_entry(service, "link-rotate", link.code, work)


def assess(service: Service, link: Link, evidence: str, responsible: str) -> datetime:
    """Record that whoever runs this vouches for the channel, and return until when it holds.

    Raises: UsageFault.
    """
    now, person = service.clock.now(), service.person
    until = now + registry.ASSESSMENT_LIFE
    made = Assessment(person, now, until, evidence, responsible or person)

    def work(session: Session) -> None:
        registry.assess(session, link, made)

    said: dict[str, str | int | bool] = {
        "assessed_by": person,
        "assessed_until": until.isoformat(timespec="seconds"),
        "evidence": evidence,
        "responsible": made.responsible,
    }
    with_entry(service, "link-assess", link.code, work, said)
    return until


def tick(service: Service, link: Link, step: Step, note: str) -> None:
    """Note that whoever runs this vouches for a step of connecting an operator.

    Raises: UsageFault.
    """
    now, by = service.clock.now(), service.person

    def work(session: Session) -> None:
        steps.tick(session, link, step, by=by, note=note, now=now)

    with_entry(service, "link-step", link.code, work, {"step": step, "note": note})


def untick(service: Service, link: Link, step: Step) -> None:
    """Take back that somebody vouched for a step.

    Raises: UsageFault.
    """
    work = partial(steps.untick, link=link, step=step)
    with_entry(service, "link-step-undo", link.code, work, {"step": step})


def ask_end(service: Service, link: Link, reason: str, officer: "Officer") -> None:
    """Ask that a link be ended for good.

    Raises: UsageFault.
    """
    now, said = service.clock.now(), {"link": link.code, "reason": reason}
    _perform_as(
        service,
        officer,
        {"act": "link-terminate-ask", **said},
        lambda session: endings.ask(session, link, reason, officer.actor, now),
    )


def end(service: Service, link: Link, asked: Ending, officer: "Officer") -> None:
    """End a link for good, as somebody else has asked.

    Raises: UsageFault.
    """
    now, said = service.clock.now(), {"reason": asked.reason, "asked_by": asked.asked_by}
    _perform_as(
        service,
        officer,
        {"act": "link-terminate", "link": link.code, **said},
        lambda session: endings.agree(session, link, officer.actor, now),
    )


def _perform_as(
    service: Service,
    officer: "Officer",
    said: Mapping[str, str],
    work: Callable[[Session], object],
) -> None:
    draft = Draft(
        kind=Kind.ADMIN,
        retention=Retention.ACT,
        actor=officer.actor,
        actor_index=None,
        subject=None,
        subject_index=None,
        payload=said,
    )
    try:
        acting.perform_as(service, draft, work)
    except LinkError as error:
        raise UsageFault(str(error), NOT_ALLOWED) from error


def with_entry(
    service: Service,
    act: str,
    code: str,
    work: Callable[[Session], T],
    said: Mapping[str, str | int | bool] | None = None,
) -> T:
    """Do *work* and journal it in the same transaction.

    Raises: UsageFault if it cannot be done.
    """
    try:
        return acting.perform(service, act, work, {"link": code, **(said or {})})
    except (LinkError, TariffError) as error:
        raise UsageFault(str(error), NOT_ALLOWED) from error
