"""How the service stands, in the words of the public page; no figure in it is about a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import tariffs
from billing.tariffs import Tariffs
from core.clock import Clock, vietnam_day
from core.db import Database
from core.errors import CoreError
from core.settings import Mode, Settings
from journal import verifications
from journal.errors import JournalError
from journal.journal import Journal
from journal.quorum import Witnessed
from journal.verifications import Standing as Verified
from records import stop_file, stops
from records.stops import Scope, Stops
from sms.links.model import Link, LinkState
from sms.links.registry import LinkRegistry

MESSAGES_OF_A_LOOKUP = 2
_HUNDREDTHS = 100

COMMANDS = (
    ("DC 001085123456", "INFO 001085123456", "Xem hồ sơ của tôi", "Show my record"),
    ("DC 001085123456 CT", "INFO 001085123456 CT", "Xem nơi cư trú của tôi", "Show my residence"),
    ("DC 001085123456 TT", "INFO 001085123456 TT", "Xem thẻ căn cước của tôi", "Show my card"),
    ("XN ma-6-so", "PIN six-digits", "Nhập mã xác thực vừa nhận", "Give the code I received"),
    ("NK 001085123456", "LOG 001085123456", "Ai đã xem hồ sơ của tôi", "Who looked at my record"),
    ("KHOA 001085123456", "LOCK 001085123456", "Khóa tra cứu hồ sơ của tôi bằng tin nhắn",
     "Lock lookups of my record by SMS"),
    ("MO 001085123456", "UNLOCK 001085123456", "Mở lại tra cứu bằng tin nhắn",
     "Open lookups by SMS again"),
    ("KT 7F3K92", "CHECK 7F3K92", "Tin đã nhận có trong nhật ký không",
     "Is what I was told in the journal"),
    ("SAI 7F3K92", "WRONG 7F3K92", "Tin đã nhận có điều sai", "What I was told is wrong"),
    ("HUY", "CANCEL", "Hủy yêu cầu đang chờ", "Cancel my open request"),
    ("PHI", "FEE", "Cước một tin nhắn trên mạng của tôi", "What a message costs on my network"),
    ("HD", "HELP", "Hướng dẫn", "Help"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CommandStanding:
    """A command that citizens can text, as it is published."""

    text: str
    text_en: str
    vi: str
    en: str
    is_running: bool

    def as_json(self) -> dict[str, object]:
        """Shape it for programs."""
        return {
            "text": self.text,
            "text_en": self.text_en,
            "vi": self.vi,
            "en": self.en,
            "state": _word(is_running=self.is_running),
        }


@dataclass(frozen=True, slots=True)
class LinkStanding:
    """One operator's line on the public page.

    Units: *price_hundredths* of a dong for each message to us.
    """

    code: str
    is_running: bool
    is_test: bool
    price_hundredths: int | None
    third_party: str | None

    @property
    def lookup_hundredths(self) -> int | None:
        """What a whole lookup costs the citizen.

        Units: hundredths of a dong.
        """
        price = self.price_hundredths
        return None if price is None else MESSAGES_OF_A_LOOKUP * price

    def as_json(self) -> dict[str, object]:
        """Shape it for programs."""
        return {
            "code": self.code,
            "state": _word(is_running=self.is_running),
            "price_vnd": _dong(self.price_hundredths),
            "lookup_price_vnd": _dong(self.lookup_hundredths),
            "third_party": self.third_party,
            "test": self.is_test,
        }


@dataclass(frozen=True, slots=True)
class LogStanding:
    """Where the journal stands: its name, its public key, and its newest checkpoint."""

    origin: str
    key: str
    size: int | None = None
    root: str | None = None
    checkpoint: str | None = None
    signed_at: datetime | None = None
    verified: Verified | None = None
    witnessed: Witnessed | None = None
    continues: str | None = None

    def as_json(self) -> dict[str, object]:
        """Shape it for programs."""
        return {
            "origin": self.origin,
            "continues": self.continues,
            "key": self.key,
            "size": self.size,
            "root": self.root,
            "checkpoint": self.checkpoint,
            "signed_at": _moment(self.signed_at),
            "verified": self.verified.is_current if self.verified else None,
            "verified_at": _moment(self.verified.at) if self.verified else None,
            "verified_size": self.verified.size if self.verified else None,
            "witnessed_at": _moment(self.witnessed_at),
            "witnessed_size": self.witnessed.size if self.witnessed else None,
            "witnessed_by": list(self.witnesses),
        }

    @property
    def witnessed_at(self) -> datetime | None:
        """Since when a quorum stands behind it; None if none does, or none is demanded."""
        found = self.witnessed
        return None if found is None or found.size is None else found.at

    @property
    def witnesses(self) -> tuple[str, ...]:
        """Who stands behind it."""
        found = self.witnessed.cosignatures if self.witnessed else ()
        return tuple(sorted(each.key.name for each in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything the public page says; what cannot be told counts as stopped."""

    is_running: bool
    is_known: bool
    at: datetime
    mode: Mode
    short_code: str | None
    contact_officer: str | None
    legal_basis: str | None
    links: tuple[LinkStanding, ...]
    commands: tuple[CommandStanding, ...]
    log: LogStanding

    @property
    def third_parties(self) -> dict[str, tuple[str, ...]]:
        """Who else carries messages, and on which links."""
        found: dict[str, tuple[str, ...]] = {}
        for link in self.links:
            if link.third_party:
                found[link.third_party] = (*found.get(link.third_party, ()), link.code)
        return found

    def as_json(self) -> dict[str, object]:
        """Shape it for programs."""
        return {
            "state": _word(is_running=self.is_running),
            "state_known": self.is_known,
            "mode": self.mode,
            "short_code": self.short_code,
            "operators": [link.as_json() for link in self.links],
            "commands": [command.as_json() for command in self.commands],
            "contact_officer": self.contact_officer,
            "legal_basis": self.legal_basis,
            "journal": self.log.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Reader:
    """Looks at how one deployment stands."""

    settings: Settings
    database: Database
    links: LinkRegistry
    journal: Journal
    clock: Clock

    def look(self) -> Standing:
        """Say how the service stands; never fails, whatever the database does."""
        now = self.clock.now()
        try:
            links = self.links.all()
            return self.database.read(lambda session: self._read(session, links, now))
        except (CoreError, JournalError, sa.exc.SQLAlchemyError):
            return self._tell(now, Stops(), (), LogStanding(*self._name()), None)

    def _read(self, session: Session, links: Iterable[Link], now: datetime) -> Standing:
        found = stops.in_force(session)
        prices, today = tariffs.load(session), vietnam_day(now)
        head = self.journal.head(session)
        signed_at = self.journal.signed_at(session, head.size)
        is_running = not (
            found.disclosure
            or stop_file.is_there(self.settings.state_dir)
            or self.journal.obstacle(session, now) is not None
        )
        verified = verifications.standing(session, now)
        found_keys = self.journal.log_keys(session)
        log = LogStanding(
            found_keys.origin, str(found_keys.newest), head.size, head.root.hex(),
            head.checkpoint, signed_at, verified, self.journal.witnessed(session),
            found_keys.former_origin,
        )  # fmt: skip
        shown = tuple(
            _link(link, found, self._price(prices, link, today), now)
            for link in links
            if self._is_public(link)
        )
        return self._tell(now, found, shown, log, is_running)

    def _tell(
        self,
        now: datetime,
        found: Stops,
        links: tuple[LinkStanding, ...],
        log: LogStanding,
        is_running: bool | None,  # noqa: FBT001 (None stands for what cannot be told)
    ) -> Standing:
        settings = self.settings
        return Standing(
            is_running=is_running is True,
            is_known=is_running is not None,
            at=now,
            mode=settings.mode,
            short_code=settings.short_code,
            contact_officer=settings.contact_officer,
            legal_basis=settings.legal_basis,
            links=links,
            commands=tuple(_command(command, found) for command in COMMANDS),
            log=log,
        )

    def _price(self, prices: Tariffs, link: Link, today: date) -> int | None:
        return prices.to_citizen(link.operator, today, self.settings.short_code)

    def _name(self) -> tuple[str, str]:
        return self.journal.origin, self.journal.verifier_key

    def _is_public(self, link: Link) -> bool:
        is_shown = not link.is_test or self.settings.mode is not Mode.PRODUCTION
        return is_shown and link.state is not LinkState.TERMINATED


def _link(link: Link, found: Stops, price: int | None, now: datetime) -> LinkStanding:
    is_running = (
        link.state is LinkState.ACTIVE
        and link.is_assessed(now)
        and not found.cover(link=link.code, operator=link.operator, command="")
    )
    return LinkStanding(link.code, is_running, link.is_test, price, link.third_party)


def _command(command: tuple[str, str, str, str], found: Stops) -> CommandStanding:
    word = command[0].split()[0]
    return CommandStanding(*command, is_running=(Scope.COMMAND, word) not in found.pairs)


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _word(*, is_running: bool) -> str:
    return "running" if is_running else "stopped"


def _dong(hundredths: int | None) -> float | None:
    if hundredths is None or hundredths % _HUNDREDTHS:
        return None if hundredths is None else hundredths / _HUNDREDTHS
    return hundredths // _HUNDREDTHS
