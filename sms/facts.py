"""Loads what a batch of decisions depends on, in a handful of statements for all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from core.keyring import Keyring, row_id
from journal.journal import Journal
from records import locks, number_events, pins, stop_file, stops
from records.locks import OPEN, Gate
from records.numbers import NOTHING_HAPPENED, Standing
from records.pins import Challenge
from records.stops import Scope, Stops
from sms.commands import AskLog, AskRecord, GivePin, Lock, Unlock
from sms.decision import Message

Sharing = Callable[[Session, Sequence[int]], Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Moving:
    """What may change between deciding and committing, and is compared again under locks."""

    challenges: dict[int, Challenge]
    gates: dict[int, Gate]
    stops: Stops
    numbers: dict[int, Standing] = field(default_factory=dict)

    def agrees(self, other: "Moving", sender_id: int, citizen_id: int | None) -> bool:
        """Tell whether nothing moved that this sender's decision rests on."""
        return (
            self.stops == other.stops
            and self.number(sender_id) == other.number(sender_id)
            and self.challenges.get(sender_id) == other.challenges.get(sender_id)
            and (citizen_id is None or self.gate(citizen_id) == other.gate(citizen_id))
        )

    def number(self, sender_id: int) -> Standing:
        """Return how a sender's number stands; nothing was heard of most."""
        return self.numbers.get(sender_id, NOTHING_HAPPENED)

    def gate(self, citizen_id: int | None) -> Gate:
        """Return the gate of this citizen; nobody's and an unknown one's is open."""
        return OPEN if citizen_id is None else self.gates.get(citizen_id, OPEN)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The facts of one batch."""

    moving: Moving
    citizens: dict[int, int]
    sharing: Mapping[int, int]
    journal_is_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """Knows where the facts are."""

    keyring: Keyring
    journal: Journal
    state_dir: Path
    sharing: Sharing

    def load(self, session: Session, messages: Sequence[Message], now: datetime) -> Loaded:
        """Load the facts of a batch, for deciding."""
        senders = _whose_facts_matter(messages)
        challenges = pins.open_of(session, self.keyring, senders)
        citizens = self._citizens(messages, challenges)
        moving = Moving(
            challenges,
            locks.load(session, set(citizens.values())),
            self._stops(session),
            number_events.standings(session, senders),
        )
        return Loaded(
            moving,
            citizens,
            self.sharing(session, senders),
            self.journal.obstacle(session, now) is None,
        )

    def reload(
        self, session: Session, messages: Sequence[Message], citizens: Sequence[int]
    ) -> Moving:
        """Load again, under locks, what may have moved since."""
        senders = _whose_facts_matter(messages)
        challenges = pins.open_of(session, self.keyring, senders, lock=True)
        return Moving(
            challenges,
            locks.load(session, set(citizens), lock=True),
            self._stops(session),
            number_events.standings(session, senders),
        )

    def _stops(self, session: Session) -> Stops:
        found = stops.in_force(session)
        if not stop_file.is_there(self.state_dir):
            return found
        return Stops(found.pairs | {(Scope.DISCLOSURE, "")})

    def _citizens(
        self, messages: Sequence[Message], challenges: Mapping[int, Challenge]
    ) -> dict[int, int]:
        """Say for each sender which citizen the message is about, if about one."""
        found: dict[int, int] = {}
        for message in messages:
            match message.command:
                case (
                    AskRecord(personal_id)
                    | AskLog(personal_id)
                    | Lock(personal_id)
                    | Unlock(personal_id)
                ):
                    tag = self.keyring.index("personal_id", personal_id)
                    found[message.sender_id] = row_id(tag)
                case GivePin() if challenge := challenges.get(message.sender_id):
                    found[message.sender_id] = challenge.citizen_id
                case _:
                    pass
        return found


def _whose_facts_matter(messages: Sequence[Message]) -> list[int]:
    """Leave out the messages that keep failing: one of their facts may be what does not load."""
    return [message.sender_id for message in messages if not message.is_worn_out]
