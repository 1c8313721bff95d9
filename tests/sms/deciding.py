"""Messages and facts for the tests of the core: all in order unless a test says otherwise."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from core.clock import vietnam_day
from core.ids import uuid7
from core.phone import Msisdn
from journal.accesses import Access, Accesses
from journal.entries import ToldAs
from journal.found import Found
from journal.openings import Act
from records import people
from records.cases import Case, NewCase
from records.catalogue import Group
from records.locks import OPEN, CitizenLimits
from records.personal_id import PersonalId
from records.pins import Challenge, PinPolicy
from records.quotas import Ask, History, SenderLimits
from records.register import Record
from records.stops import Stops
from sms import conversation, reading
from sms.codes import Code
from sms.commands import (
    AskLog,
    AskRecord,
    Cancel,
    Check,
    Command,
    GivePin,
    Help,
    Hint,
    Language,
    Lock,
    NotUnderstood,
    Price,
    SayWrong,
    Unlock,
)
from sms.decision import Complaint, Decision, Facts, FreshPin, Message, Policy, Trace
from tests.fakes import NOON

TODAY = vietnam_day(NOON)
PERSON = replace(next(people.generate(1, 1, TODAY)), is_test=False)
ME, SOMEBODY = Msisdn(str(PERSON.phone)), Msisdn("+84561234567")
SENDER, CITIZEN, LINK, ELSEWHERE = 11, 22, 3, 4
PIN = "048213"
POLICY = Policy(
    pin=PinPolicy(), sender=SenderLimits(), citizen=CitizenLimits(), legal_basis="Luật 26/2023"
)
VI, EN = Language.VI, Language.EN

DC = AskRecord(PERSON.personal_id, Group.DEFAULT, VI)
KHOA = Lock(PERSON.personal_id, VI)
MO = Unlock(PERSON.personal_id, VI)
XN = GivePin(PIN, None)
HUY = Cancel(VI)
PHI = Price(VI)
HD = Help(VI)
ODD = NotUnderstood(Hint.PLAIN, None, VI)
CODE = "7F3K92"
NK = AskLog(PERSON.personal_id, VI)
SAI = SayWrong(Code(CODE), VI)
KT = Check(Code(CODE), VI)
EVERY_COMMAND: tuple[Command, ...] = (DC, NK, KHOA, MO, XN, HUY, PHI, HD, ODD, SAI, KT)
FOUND = Found(
    UUID(int=6), "7F3K-92TX-2VHD-WR5T", NOON - timedelta(days=1), 41, 1234567, SENDER, CITIZEN,
    ToldAs.ACCESS,
)  # fmt: skip
SEEN = Accesses(
    (Access(NOON - timedelta(days=1), Act(b"", '{"group":"","outcome":"RESULT"}', None)),), 1
)


def message(command: Command, **changes: object) -> Message:
    """Make a message that came in just now, from the number on file, over an assessed link."""
    made = Message(
        id=uuid7(), link_id=LINK, link_code="hong-ha", link_operator="hong-ha",
        peers={LINK: "hong-ha"},
        is_assessed=True, is_test_link=False,
        operator_message_id="m-1", sender_id=SENDER, sender=ME, to="12345", command=command,
        word=reading.word_of(command), segments=1, encoding="gsm7", received_at=NOON,
        stored_at=NOON, is_worn_out=False,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def facts(**changes: object) -> Facts:
    """Make the facts of a citizen who may look themselves up and has done nothing yet."""
    made = Facts(
        history=History(day=TODAY), challenge=None, gate=OPEN, stops=Stops(), citizen_id=CITIZEN,
        record=PERSON, sharing=1, fresh=FreshPin(uuid7(), PIN, "$argon2id$made-up"),
        trace=Trace(accesses=SEEN),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def record(**changes: object) -> Record:
    """Change the person on file."""
    return replace(PERSON, **changes)  # type: ignore[arg-type]  # fields by name


def challenge(purpose: str = "DC", **changes: object) -> Challenge:
    """Make the open challenge that a PIN went out for a minute ago."""
    made = Challenge(
        id=UUID(int=5), sender_id=SENDER, citizen_id=CITIZEN, personal_id=PERSON.personal_id,
        link_id=LINK, purpose=purpose, fields="", language="vi", pin_hash="$argon2id$made-up",
        tries_left=3, created_at=NOON - timedelta(minutes=1),
        expires_at=NOON + timedelta(minutes=4),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def complaint(known: Case | None = None, **changes: object) -> Trace:
    """Make what is known of a reply that the sender says is wrong."""
    made = Complaint(
        about=FOUND, subject=PERSON.personal_id, known=known, open=0,
        fresh=NewCase(
            id=UUID(int=7), number="7K3M-9QT7", entry_id=FOUND.entry_id, sender_id=SENDER,
            opened_at=NOON,
        ),
    )  # fmt: skip
    return Trace(complaint=replace(made, **changes))  # type: ignore[arg-type]  # fields by name


def asked(*ago: timedelta, **counts: object) -> History:
    """Make the history of a number that asked so long ago."""
    asks = tuple(Ask(NOON - each, CITIZEN) for each in sorted(ago, reverse=True))
    return History(day=TODAY, asks=asks, **counts)  # type: ignore[arg-type]  # counts by name


def decide(command: Command | Message, known: Facts, policy: Policy = POLICY) -> Decision:
    """Decide at noon."""
    told = command if isinstance(command, Message) else message(command)
    return conversation.decide(told, known, policy=policy, now=NOON)


def days_ago(days: int) -> date:
    """Return a day before today in Viet Nam."""
    return TODAY - timedelta(days=days)


def another_person() -> PersonalId:
    """Return the number of somebody else."""
    return list(people.generate(2, 1, TODAY))[1].personal_id
