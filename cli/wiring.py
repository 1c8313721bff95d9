"""Puts the parts of a running process together."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from billing.guards import Budgets
from cli.caretaking import keepers_of
from cli.context import Service
from core.settings import Settings
from core.threads import name_thread
from records.embedded import EmbeddedRegister, shared_by
from records.locks import CitizenLimits
from records.pins import PinHasher, PinPolicy
from records.quotas import SenderLimits
from sms.decision import Policy
from sms.facts import Loader
from sms.groundwork import Preparer
from sms.guards import Guards
from sms.halt import Halt
from sms.handler import Handler
from sms.limits import Backlog, FailureThrottle, RateLimit
from sms.links.http import HttpSender
from sms.links.kannel_sendsms import KannelSender
from sms.links.model import Accepted, Link, LinkKind, Outcome, Outgoing, Refused
from sms.links.smpp.intake import Intake
from sms.links.smpp.sender import SmppSender
from sms.links.smpp.sessions import Sessions
from sms.notice_rate import NoticeRate
from sms.outbound import Delivery, Dispatcher
from sms.routes import Routes
from sms.signals import Bell, Signal
from sms.stages import Parts, Stages
from sms.trips import Trips
from sms.webhook import Receiver

if TYPE_CHECKING:
    from sms.links.twilio import TwilioSender

REPLIES_AT_ONCE = 32
_HUNDREDTHS = 100


def policy_of(settings: Settings) -> Policy:
    """Take from the settings the figures that are decided by."""
    return Policy(
        pin=PinPolicy(life=settings.pin_life),
        sender=SenderLimits(spacing=settings.pin_spacing),
        citizen=CitizenLimits(pin_spacing=settings.pin_spacing),
        legal_basis=settings.legal_basis or "",
        budgets=budgets_of(settings),
        route=settings.route,
    )


def budgets_of(settings: Settings) -> Budgets:
    """Take from the settings what replies may cost."""
    return Budgets(
        operator_hour=settings.budget_operator_hour_dong * _HUNDREDTHS,
        operator_day=settings.budget_operator_day_dong * _HUNDREDTHS,
        hour=settings.budget_hour_dong * _HUNDREDTHS,
        day=settings.budget_day_dong * _HUNDREDTHS,
    )


def receiver_of(service: Service, received: Bell) -> Receiver:
    """Make what RECEIVE needs."""
    database, clock = service.database, service.clock
    return Receiver(
        database=database,
        keyring=service.keyring,
        links=service.links,
        clock=clock,
        public_url=service.settings.public_url,
        rate=RateLimit(database, clock),
        notice_rate=NoticeRate(clock),
        backlog=Backlog(database, clock),
        throttle=FailureThrottle(clock),
        received=received,
    )


def halt_of(service: Service) -> Halt:
    """Make what stops and resumes the service."""
    state_dir = service.settings.state_dir
    return Halt(service.database, service.journal, state_dir, service.clock)


def stages_of(service: Service, received: Signal) -> Stages:
    """Make the stages behind the webhook."""
    trips = Trips(halt_of(service))
    written = Signal()
    sessions = sessions_of(service, received)
    dispatcher = Dispatcher(
        service.database,
        _delivery(service, sessions),
        service.clock,
        written,
        at_once=REPLIES_AT_ONCE,
        gate=sessions.roster,
        route=service.settings.route,
    )
    return Stages(
        Parts(
            database=service.database,
            keyring=service.keyring,
            journal=service.journal,
            handler=_handler(service, trips, written),
            dispatcher=dispatcher,
            trips=trips,
            clock=service.clock,
            received=received,
            written=written,
        ),
        (*keepers_of(service), sessions),
    )


def sessions_of(service: Service, received: Bell) -> Sessions:
    """Make what keeps the SMPP sessions of this process."""
    database, clock = service.database, service.clock
    intake = Intake(
        database=database,
        keyring=service.keyring,
        links=service.links,
        clock=clock,
        rate=RateLimit(database, clock),
        notices=NoticeRate(clock),
        backlog=Backlog(database, clock),
        received=received,
    )
    return Sessions(database, service.links, intake, clock)


def _handler(service: Service, trips: Trips, written: Signal) -> Handler:
    settings, database, keyring = service.settings, service.database, service.keyring
    policy = policy_of(settings)
    preparer = Preparer(
        PinHasher(keyring, settings.pin_profile),
        EmbeddedRegister(database, keyring),
        _pin_threads(),
        policy,
    )
    loader = Loader(
        keyring=keyring,
        journal=service.journal,
        state_dir=settings.state_dir,
        sharing=shared_by,
    )
    return Handler(
        database=database,
        keyring=keyring,
        journal=service.journal,
        links=service.links,
        loader=loader,
        preparer=preparer,
        guards=Guards(
            database,
            keyring,
            service.links,
            service.clock,
            budgets=policy.budgets,
            pin_life=policy.pin.life,
        ),
        routes=Routes(service.links),
        trips=trips,
        policy=policy,
        clock=service.clock,
        written=written,
    )


def _pin_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(
        os.cpu_count() or 1, thread_name_prefix="pin", initializer=name_thread, initargs=("pin",)
    )


def _delivery(service: Service, sessions: Sessions) -> Delivery:
    twilio = _TwilioWhenNeeded(service.settings.public_url)
    return Delivery(
        keyring=service.keyring,
        journal=service.journal,
        links=service.links,
        senders={
            LinkKind.HTTP: HttpSender(),
            LinkKind.TWILIO: twilio,
            LinkKind.SMPP: SmppSender(sessions),
            LinkKind.KANNEL: KannelSender(service.settings.public_url),
        },
        lookers={LinkKind.TWILIO: twilio},
        clock=service.clock,
        state_dir=service.settings.state_dir,
    )


class _TwilioWhenNeeded:
    """Loads Twilio's library, which is large, only where a link uses it."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url
        self._sender: TwilioSender | None = None
        self._threads = ThreadPoolExecutor(REPLIES_AT_ONCE, thread_name_prefix="twilio")

    async def send(self, link: Link, outgoing: Outgoing, now: datetime) -> Outcome:
        """Offer a reply once and say what is known of it afterwards."""
        # Twilio's library blocks.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._made().send, link, outgoing, now)

    async def look(self, link: Link, outgoing: Outgoing) -> Accepted | Refused | None:
        """Look whether Twilio has a reply that may have been sent before; None if it has not."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._made().look, link, outgoing)

    def _made(self) -> "TwilioSender":
        if self._sender is None:
            from sms.links.twilio import TwilioSender

            self._sender = TwilioSender(connections=REPLIES_AT_ONCE, public_url=self._public_url)
        return self._sender

    def close(self) -> None:
        """Let go of every connection."""
        if self._sender is not None:
            self._sender.close()
