"""How the public pages speak: two languages, and how each writes figures and times."""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from core.clock import VIETNAM
from sms.commands import Language

_HUNDREDTHS = 100
_FILE = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
WORDS: dict[str, tuple[str, str]] = {key: tuple(pair) for key, pair in _FILE.items()}


@dataclass(frozen=True, slots=True)
class Speech:
    """The words and figures of a page in one language."""

    language: Language

    def say(self, key: str, **values: object) -> Markup:
        """Return the phrase of *key* with its gaps filled; what fills them is escaped."""
        vietnamese, english = WORDS[key]
        phrase = vietnamese if self.language is Language.VI else english
        return Markup(phrase).format(**values)  # noqa: S704 (the phrases are our own file's)

    def number(self, value: int) -> str:
        """Write a whole number with its thousands parted."""
        parted = f"{value:,}"
        return parted.replace(",", ".") if self.language is Language.VI else parted

    def price(self, hundredths: int | None) -> str:
        """Write what citizens pay.

        Units: hundredths of a dong, None for what the operator usually takes.
        """
        if not hundredths:
            return self.say("usual_price" if hundredths is None else "no_price")
        whole, rest = divmod(hundredths, _HUNDREDTHS)
        point = "," if self.language is Language.VI else "."
        return self.number(whole) + (f"{point}{rest:02d}" if rest else "") + "\N{NO-BREAK SPACE}₫"

    def moment(self, at: datetime) -> str:
        """Write a day and the time of day in Viet Nam."""
        return f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M:%S}"
