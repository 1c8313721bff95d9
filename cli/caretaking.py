"""The chores of a running process that look after the journal and the stop, each in a thread."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cli.context import Service
from core.chores import Chore, Keeper, LastKeeper
from journal.mirror import Mirror

if TYPE_CHECKING:
    from sms.links.model import Envelope, Link

_HEED_EVERY = timedelta(seconds=1)
_NOTE_EVERY = timedelta(seconds=15)
_TALLY_EVERY = timedelta(seconds=15)
_FORGET_EVERY = timedelta(hours=1)
_WARN_EVERY = timedelta(hours=1)
_GUARD_EVERY = timedelta(seconds=15)
_MIRROR_EVERY = timedelta(seconds=1)
_KEYS_EVERY = timedelta(minutes=1)
_ASK_OPERATORS_EVERY = timedelta(minutes=1)
_BALANCE_EVERY, _MOVE_EVERY = timedelta(seconds=15), timedelta(seconds=2)
_EXPIRE_EVERY = timedelta(days=1)
# The nightly verification is put off by less than this: not every deployment begins at once.
_JITTER_SECONDS = 30 * 60


def keepers_of(service: Service) -> Sequence[Keeper]:
    """Make the keepers that a worker runs beside its stages; they end in this order."""
    return (
        _stop_file(service),
        _notes(service),
        _tally(service),
        _operators(service),
        _balance(service),
        _guards(service),
        _housekeeping(service),
        _expiry(service),
        _log_keys(service),
        *_witnesses(service),
        _verifying(service),
        _mirror(service),
    )


def keepers_of_web(service: Service) -> Sequence[Keeper]:
    """Make the keepers of a process that only takes messages."""
    # What a worker destroyed must not live on in who has read it before.
    forget = Chore(_EXPIRE_EVERY, service.keyring.month_keys.reread)
    return (Keeper("month-keys", (forget,), service.clock),)


def _stop_file(service: Service) -> Keeper:
    from cli.wiring import halt_of

    heed = halt_of(service).heed_file
    return Keeper("stop-file", (Chore(_HEED_EVERY, heed),), service.clock)


def _notes(service: Service) -> Keeper:
    from core import diary, notes

    database, clock = service.database, service.clock

    def write_down() -> None:
        ours, now = diary.OURS.notes(), clock.now()
        database.write(lambda session: notes.store(session, diary.process(), ours, now))

    return Keeper("notes", (Chore(_NOTE_EVERY, write_down),), clock)


def _tally(service: Service) -> Keeper:
    from sms import tally

    database, clock = service.database, service.clock

    def count() -> None:
        while database.write(lambda session: tally.count_up(session, clock.now())):
            pass

    def forget() -> None:
        database.write(lambda session: tally.forget(session, clock.now()))

    chores = (Chore(_TALLY_EVERY, count), Chore(_FORGET_EVERY, forget))
    return Keeper("tally", chores, clock)


def _housekeeping(service: Service) -> Keeper:
    from console import pruning
    from sms.links.expiry import Warner

    database, clock = service.database, service.clock
    warn = Warner(service.links, clock).warn_of_assessments

    def prune() -> None:
        while database.write(lambda session: pruning.prune(session, clock.now())):
            pass

    chores = (Chore(_FORGET_EVERY, prune), Chore(_WARN_EVERY, warn))
    return Keeper("housekeeping", chores, clock)


def _guards(service: Service) -> Keeper:
    from cli.wiring import policy_of
    from sms.guard_alarms import GuardAlarms

    policy = policy_of(service.settings)
    alarms = GuardAlarms(
        service.database, service.links, service.clock,
        budgets=policy.budgets, pin_life=policy.pin.life,
    )  # fmt: skip
    chores = (Chore(_GUARD_EVERY, alarms.look), Chore(_FORGET_EVERY, alarms.forget))
    return Keeper("guards", chores, service.clock)


def _operators(service: Service) -> Keeper:
    from records import number_events
    from sms import receipts
    from sms.polling import Polling

    def received(link: "Link", since: datetime) -> "Sequence[Envelope]":
        from sms.links.twilio import TwilioSender

        return TwilioSender(connections=1, public_url="").received(link, since)

    database, links, clock = service.database, service.links, service.clock
    polling = Polling(
        database=database, keyring=service.keyring, links=links, clock=clock, fetch=received
    )

    def settle() -> None:
        by_id = {link.id: link for link in links.all()}
        while database.write(lambda session: receipts.settle(session, by_id, clock.now())):
            pass

    def forget() -> None:
        database.write(lambda session: number_events.forget(session, clock.now()))

    chores = (
        Chore(_FORGET_EVERY, forget),
        Chore(_ASK_OPERATORS_EVERY, settle),
        Chore(_ASK_OPERATORS_EVERY, polling.poll),
    )
    return Keeper("operators", chores, clock)


def _balance(service: Service) -> Keeper:
    from sms.balance import Balance

    balance = Balance(service.database, service.links, service.journal, service.clock)
    chores = (
        Chore(_BALANCE_EVERY, balance.shift),
        Chore(_MOVE_EVERY, balance.move),
        Chore(_FORGET_EVERY, balance.forget),
    )
    return Keeper("balance", chores, service.clock)


def _mirror(service: Service) -> Keeper:
    mirror = Mirror(service.database, service.settings.state_dir, service.clock)
    # The last seconds' entries would else be in no file while this machine is down.
    return LastKeeper("mirror", (Chore(_MIRROR_EVERY, mirror.keep),), service.clock)


def _expiry(service: Service) -> Keeper:
    from journal.expiry import Expiry
    from journal.returned import erase_again

    database, journal = service.database, service.journal
    expiry = Expiry(database, journal, service.keyring, service.clock)

    def expire() -> None:
        # A database that was restored is one that the service was started on again.
        erase_again(database, journal)
        expiry.run()

    chores = (Chore(_EXPIRE_EVERY, expire), Chore(_EXPIRE_EVERY, _forgetting_usage(service)))
    return Keeper("expiry", chores, service.clock)


def _forgetting_usage(service: Service) -> Callable[[], None]:
    from billing import retention
    from cli.billing_acts import account_of

    def forget() -> None:
        operators = {link.operator for link in service.links.all()}
        accounts = [account_of(service, operator) for operator in sorted(operators)]
        now = service.clock.now()
        while service.database.write(lambda s: retention.forget(s, accounts, now)):
            pass

    return forget


def _log_keys(service: Service) -> Keeper:
    from journal.rotation import Rotation

    rotation = Rotation(service.database, service.journal, service.clock)
    return Keeper("log-keys", (Chore(_KEYS_EVERY, rotation.look_after),), service.clock)


def _witnesses(service: Service) -> Sequence[Keeper]:
    if service.policy is None or not service.policy.witnesses:
        return ()
    from journal.attendance import Attendance
    from journal.witness_client import HttpPost
    from journal.witnessing import Witnessing

    clock, database = service.clock, service.database
    witnessing = Witnessing(database, service.policy, clock, HttpPost())
    attendance = Attendance(witnessing, service.journal, database, clock)
    return (Keeper("witnesses", attendance.chores(), clock),)


def _verifying(service: Service) -> Keeper:
    from cli import metering
    from cli.verifying import Command, Verifying, VerifyingKeeper
    from cli.wiring import halt_of
    from core.leadership import Leadership
    from sms.trips import Trips

    clock, database = service.clock, service.database
    is_shared = database.dialect == "postgresql"
    leadership = Leadership(database.url, "verification") if is_shared else None
    command = Command(metering.apart(service.environ))
    jitter = timedelta(seconds=secrets.randbelow(_JITTER_SECONDS))
    trips = Trips(halt_of(service))
    verifying = Verifying(database, trips, clock, command, jitter, leadership)
    return VerifyingKeeper(verifying, command, clock)
