"""A link to an operator as the running service sees it, and what passes over it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# Stands for a text that was too long or never whole: nobody is told to do anything by it.
NO_TEXT = "…"


class LinkKind(StrEnum):
    """The protocol a link speaks."""

    HTTP = "http"
    TWILIO = "twilio"
    SMPP = "smpp"
    KANNEL = "kannel"


class LinkState(StrEnum):
    """Whether a link is used; `terminated` is for good."""

    ACTIVE = "active"
    DISABLED = "disabled"
    TERMINATED = "terminated"


class Subject(StrEnum):
    """What an operator's post is about: the word in its path."""

    MESSAGE = "inbound"
    RECEIPT = "status"
    NUMBER = "numbers"


_THIRD_PARTIES = {LinkKind.TWILIO: "Twilio Inc."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link, with its live secrets, the newest first.

    *older_path_secrets* are taken in an address still, and shown to nobody.

    Shape: *profile* is how the other side differs, as `sms.links.smpp.profile` or
    `sms.links.kannel_profile` writes it.
    Units: *send_rate* in segments a second, None if there is no such limit.
    """

    id: int
    code: str
    operator: str
    kind: LinkKind
    state: LinkState
    is_test: bool
    url: str
    account_sid: str | None
    from_number: str | None
    prefixes: str
    rate: int
    assessed_by: str | None
    assessed_until: datetime | None
    secrets: tuple[str, ...] = field(repr=False)
    path_secret: str | None = field(repr=False)
    older_path_secrets: tuple[str, ...] = field(default=(), repr=False)
    profile: str | None = None
    weight: int = 50
    resting_weight: int = 50
    send_rate: int | None = None

    @property
    def third_party(self) -> str | None:
        """Who else carries what passes over it."""
        return _THIRD_PARTIES.get(self.kind)

    def is_assessed(self, now: datetime) -> bool:
        """Tell whether the channel's assessment is in force; without one it carries help only."""
        return self.assessed_until is not None and now < self.assessed_until

    @property
    def webhook_path(self) -> str:
        """Where the operator posts messages."""
        return self.path_to(Subject.MESSAGE)

    def path_to(self, subject: Subject) -> str:
        """Where the operator posts what is about *subject*."""
        path = f"/sms/{self.code}/{subject}"
        return path if self.path_secret is None else f"{path}/{self.path_secret}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as the operator handed it over."""

    operator_message_id: str
    sender: str = field(repr=False)
    to: str
    text: str = field(repr=False)
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A reply as it is handed to the operator: the same on each attempt."""

    id: str
    to: str = field(repr=False)
    sender: str
    text: str = field(repr=False)
    encoding: str
    segments: int
    expires_at: datetime
    in_reply_to: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """The operator has the reply.

    *key*: what its receipts will name the reply by (`sms.message_ids.key_of`), where that is not
    our own id.
    """

    provider_id: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The operator does not have the reply; *retryable* says whether asking again can help."""

    reason: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """The operator may have the reply: the connection broke after the first byte."""

    reason: str


Outcome = Accepted | Refused | Unknown
