"""The slow work of a batch, done before any transaction: PINs hashed, the register asked."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime

from core.ids import uuid7
from records import pins, quotas
from records.catalogue import Group
from records.errors import RegisterDownError, RegisterFaultError
from records.personal_id import PersonalId
from records.pins import Challenge, PinHasher
from records.quotas import History, Verdict
from records.register import Record, Register
from sms.commands import AskLog, AskRecord, GivePin, Lock, Request, Unlock
from sms.decision import FreshPin, Message, Policy, Purpose
from sms.facts import Loaded


class WrongPersonError(RegisterFaultError):
    """The register answered for another person than it was asked about."""


@dataclass(frozen=True, slots=True)
class Groundwork:
    """What was found out and made beforehand, by sender."""

    fresh: dict[int, FreshPin]
    matches: dict[int, bool]
    records: Mapping[int, Record | None] = field(repr=False)
    register_is_up: bool
    register_erred: bool


class Preparer:
    """Does the slow work, as much of it at once as there are cores."""

    def __init__(
        self, hasher: PinHasher, register: Register, pool: Executor, policy: Policy
    ) -> None:
        self._hasher = hasher
        self._register = register
        self._pool = pool
        self._policy = policy

    def prepare(
        self,
        messages: Sequence[Message],
        histories: Mapping[int, History],
        loaded: Loaded,
        now: datetime,
    ) -> Groundwork:
        """Draw, hash and compare PINs, and ask the register, for those who need it."""
        fresh: dict[int, Future[FreshPin]] = {}
        compared: dict[int, Future[bool]] = {}
        wanted: dict[int, PersonalId] = {}
        for message in messages:
            if message.sender is None:
                continue  # told nothing, whatever it asks, and so never over a quota
            sender = message.sender_id
            match message.command:
                case AskRecord() | AskLog() | Lock() | Unlock() as command:
                    citizen = loaded.citizens[sender]
                    history = histories[sender].on(now)
                    verdict = quotas.judge_ask(history, citizen, self._policy.sender, now)
                    if verdict is Verdict.ALLOWED:
                        fresh[sender] = self._pool.submit(self._draw, message, command, citizen)
                        wanted[sender] = PersonalId(command.personal_id)
                case GivePin(pin):
                    challenge = loaded.moving.challenges.get(sender)
                    if challenge and _is_live(challenge, message, now):
                        compared[sender] = self._pool.submit(self._compare, challenge, pin)
                case _:
                    pass
        matches = {sender: future.result() for sender, future in compared.items()}
        for sender in (sender for sender, match in matches.items() if match):
            wanted[sender] = PersonalId(loaded.moving.challenges[sender].personal_id)
        records, is_up, erred = self._ask(wanted)
        drawn = {sender: future.result() for sender, future in fresh.items()}
        return Groundwork(drawn, matches, records, is_up, erred)

    def _draw(self, message: Message, command: Request, citizen_id: int) -> FreshPin:
        challenge_id, pin = uuid7(), pins.draw()
        binding = pins.binding(
            challenge_id, message.sender_id, citizen_id, message.link_id, purpose_of(command)
        )
        return FreshPin(challenge_id, pin, self._hasher.hash(pin, binding))

    def _compare(self, challenge: Challenge, pin: str) -> bool:
        return challenge.pin_hash is not None and self._hasher.matches(
            challenge.pin_hash, pin, challenge.binding()
        )

    def _ask(self, wanted: Mapping[int, PersonalId]) -> tuple[dict[int, Record | None], bool, bool]:
        if not wanted:
            return {}, True, False
        try:
            found = self._register.find(sorted(set(wanted.values())))
            for asked, record in found.items():
                if record is not None and record.personal_id != asked:
                    raise WrongPersonError("the register answered for another person")
        except RegisterDownError:
            return {}, False, False
        except RegisterFaultError:
            return {}, False, True
        return {sender: found.get(asked) for sender, asked in wanted.items()}, True, False


def purpose_of(command: Request) -> Purpose:
    """Say what a right PIN for this request does."""
    match command:
        case AskRecord():
            return Purpose.RECORD
        case AskLog():
            return Purpose.LOG
        case Lock():
            return Purpose.LOCK
        case Unlock():
            return Purpose.UNLOCK


def fields_of(command: Request) -> Group:
    """Say which group of fields this request is about."""
    return command.group if isinstance(command, AskRecord) else Group.DEFAULT


def _is_live(challenge: Challenge, message: Message, now: datetime) -> bool:
    return challenge.link_id in message.peers and challenge.expires_at > now
