"""How the service stands, in the words of the public page; no figure in it is about a person."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import tariffs
from core.clock import vietnam_day
from core.db import Database
from core.settings import Settings
from journal.journal import Head, Journal
from records import stops
from records.stops import Stops
from sms.links.model import Link, LinkKind, LinkState
from sms.links.registry import LinkRegistry

_HUNDREDTHS = 100
_THIRD_PARTIES = {LinkKind.TWILIO: "Twilio Inc."}

COMMANDS = (
    ("DC 001085123456", "Xem hồ sơ của tôi", "Show my record"),
    ("DC 001085123456 CT", "Xem nơi cư trú của tôi", "Show my residence"),
    ("DC 001085123456 TT", "Xem thẻ căn cước của tôi", "Show my identity card"),
    ("XN ma-6-so", "Nhập mã xác thực", "Give the PIN"),
    ("KHOA 001085123456", "Khóa tra cứu qua tin nhắn", "Lock lookups by SMS"),
    ("MO 001085123456", "Mở lại tra cứu qua tin nhắn", "Unlock lookups by SMS"),
    ("HUY", "Hủy yêu cầu", "Cancel my request"),
    ("PHI", "Cước một tin nhắn", "What a message costs"),
    ("HD", "Hướng dẫn", "Help"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything the public page says."""

    is_running: bool
    short_code: str | None
    contact_officer: str | None
    legal_basis: str | None
    links: tuple["LinkStanding", ...]
    head: Head

    def as_json(self) -> dict[str, object]:
        """Shape it for programs."""
        return {
            "state": "running" if self.is_running else "stopped",
            "short_code": self.short_code,
            "operators": [link.as_json() for link in self.links],
            "commands": [{"text": text, "vi": vi, "en": en} for text, vi, en in COMMANDS],
            "contact_officer": self.contact_officer,
            "legal_basis": self.legal_basis,
            "journal": {
                "size": self.head.size,
                "root": self.head.root.hex(),
                "checkpoint": self.head.checkpoint,
            },
        }


@dataclass(frozen=True, slots=True)
class LinkStanding:
    """One operator's line on the public page.

    Units: *price_hundredths* of a dong for each message to us.
    """

    code: str
    is_running: bool
    price_hundredths: int | None
    third_party: str | None

    def as_json(self) -> dict[str, object]:
        """Shape it for programs."""
        price = self.price_hundredths
        return {
            "code": self.code,
            "state": "running" if self.is_running else "stopped",
            "price_vnd": None if price is None else price / _HUNDREDTHS,
            "third_party": self.third_party,
        }


def load(
    settings: Settings, database: Database, links: LinkRegistry, journal: Journal, now: datetime
) -> Standing:
    """Say how the service stands."""

    def work(session: Session) -> Standing:
        found = stops.in_force(session)
        prices = tariffs.prices_on(tariffs.load(session), vietnam_day(now))
        is_running = not (found.disclosure or stops.by_file(settings.state_dir))
        return Standing(
            is_running,
            settings.short_code,
            settings.contact_officer,
            settings.legal_basis,
            tuple(
                _link(link, found, prices.get(link.id), now)
                for link in links.all()
                if link.state is not LinkState.TERMINATED
            ),
            journal.head(session),
        )

    return database.read(work)


def _link(link: Link, found: Stops, price: int | None, now: datetime) -> LinkStanding:
    is_running = (
        link.state is LinkState.ACTIVE
        and link.is_assessed(now)
        and not found.cover(link=link.code, command="")
    )
    return LinkStanding(link.code, is_running, price, _THIRD_PARTIES.get(link.kind))
