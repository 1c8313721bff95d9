"""The sheet of an extract: a page for A4 in Vietnamese and English, and the same as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.clock import VIETNAM
from journal.journal import Head
from sms.commands import Language
from sms.extract import Extract

_PAGES = Path(__file__).with_name("pages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything that an extract says.

    Shape: *said* holds the reason, the case number and the institution it was made at.
    """

    found: Extract = field(repr=False)
    person: str
    made_at: datetime
    made_by: str
    said: Mapping[str, str] = field(repr=False)
    origin: str
    head: Head
    short_code: str | None

    def as_json(self) -> dict[str, object]:
        """Shape it for programs; each access as findUsage has it, and its receipt."""
        return {
            "person": self.person,
            "made_at": self.made_at.astimezone(VIETNAM).isoformat(timespec="seconds"),
            "made_by": self.made_by,
            **self.said,
            "usage": [usage.as_json() for usage in self.found.usages],
            "attempts": self.found.attempts,
            "journal": {
                "origin": self.origin,
                "size": self.head.size,
                "root": self.head.root.hex(),
            },
        }

    def page(self) -> str:
        """Write it as a page that needs nothing else."""
        pages = Environment(
            loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        pages.filters["moment"] = _moment
        return pages.get_template("extract.html").render(sheet=self, vi=Language.VI, en=Language.EN)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M:%S}"
