"""What HANDLE knows about a message before it decides, and what it decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from billing.guards import GO, Budgets, Ruling
from core.phone import Msisdn
from core.settings import Route
from journal.accesses import Accesses
from journal.found import Found
from records.cases import Case, NewCase
from records.locks import CitizenLimits, Gate
from records.numbers import MOST_SHARING, NOTHING_HAPPENED, Standing
from records.pins import Challenge, ChallengeState, Closing, PinPolicy
from records.quotas import History, SenderLimits
from records.register import Record
from records.stops import Stops
from sms.commands import Command
from sms.inbound import State
from sms.replies import Reply


class Purpose(StrEnum):
    """What a right PIN does."""

    RECORD = "DC"
    LOG = "NK"
    LOCK = "KHOA"
    UNLOCK = "MO"

    @property
    def tells(self) -> bool:
        """Say whether it tells something of the record; the rest only locks and unlocks."""
        return self in (Purpose.RECORD, Purpose.LOG)


@dataclass(frozen=True, slots=True)
class Policy:
    """The figures that a deployment decides by."""

    pin: PinPolicy
    sender: SenderLimits
    citizen: CitizenLimits
    legal_basis: str
    budgets: Budgets = field(default_factory=Budgets)
    route: Route = Route.INBOUND
    late: timedelta = timedelta(minutes=15)
    silent: timedelta = timedelta(hours=24)
    most_sharing: int = MOST_SHARING
    most_open_cases: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the batch, read and parsed.

    Shape: *peers* are the links that share the load of its own, that among them, and their codes.
    """

    id: UUID
    link_id: int
    link_code: str
    link_operator: str
    peers: Mapping[int, str]
    is_assessed: bool
    is_test_link: bool
    operator_message_id: str
    sender_id: int
    sender: Msisdn | None = field(repr=False)
    to: str
    command: Command = field(repr=False)
    word: str
    segments: int
    encoding: str
    received_at: datetime
    stored_at: datetime
    is_worn_out: bool


@dataclass(frozen=True, slots=True)
class FreshPin:
    """A PIN drawn and hashed beforehand, in case the decision is to send one."""

    challenge_id: UUID
    pin: str = field(repr=False)
    pin_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What is known of a citizen's word that a reply was wrong: the case there is, or a new one.

    *open*: how many cases of the sender are.
    """

    about: Found
    subject: str = field(repr=False)
    known: Case | None
    open: int
    fresh: NewCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What the journal holds of what a message asks for: NK, KT or SAI."""

    accesses: Accesses | None = field(default=None, repr=False)
    found: Found | None = None
    complaint: Complaint | None = None


NO_TRACE = Trace()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything about the world that a decision depends on.

    Shape: *servers* are the operators known to serve the number.
    """

    history: History
    challenge: Challenge | None
    gate: Gate
    stops: Stops
    citizen_id: int | None = None
    record: Record | None = None
    register_is_up: bool = True
    journal_is_up: bool = True
    sharing: int = 0
    number: Standing = NOTHING_HAPPENED
    servers: frozenset[str] = frozenset()
    pin_matches: bool = False
    fresh: FreshPin | None = None
    price_hundredths: int | None = None
    trace: Trace = NO_TRACE
    ruling: Ruling = GO


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What the journal will say of this message: names only, never values.

    *about*, *case*: the receipt of the reply that is said to be wrong, and the case it became.
    """

    subject: str = field(repr=False)
    subject_id: int
    purpose: str
    outcome: str
    reason: str
    fields: tuple[str, ...] = ()
    group: str = ""
    about: str = ""
    case: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a message leads to: its end, a reply, an entry, and changes to rows.

    *trusted_since*: from when on what happens to the number holds the reply back; *served_by*: who
    serves the number as it stands, another one of whom holds it back too; *pin_link_id*: the link
    that the PIN was asked for on, where that is another than the message's.
    """

    state: State
    reason: str
    history: History
    reply: Reply | None = None
    exchange: Exchange | None = None
    closing: Closing | None = None
    opened: tuple[Challenge, ChallengeState] | None = None
    gate: Gate | None = None
    trusted_since: datetime | None = None
    served_by: str | None = None
    pin_link_id: int | None = None
    case: NewCase | None = None
    is_test: bool = False
