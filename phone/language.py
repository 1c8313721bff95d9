"""How the phone's page speaks: which language, and how it writes times and figures."""

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from core.clock import VIETNAM

_HUNDREDTHS = 100
_MILLISECONDS_SHOWN_BELOW = timedelta(seconds=1)
_FILE = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
WORDS: dict[str, tuple[str, str]] = {key: tuple(pair) for key, pair in _FILE["words"].items()}
STORED: dict[str, tuple[str, str]] = {key: tuple(pair) for key, pair in _FILE["stored"].items()}


class Language(StrEnum):
    """A language of the page, by the code that HTML knows it by."""

    VIETNAMESE = "vi"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Speech:
    """The page's words and figures in one language."""

    language: Language

    def say(self, key: str, **values: object) -> str:
        """Return the phrase of *key* with its gaps filled."""
        return self._of(WORDS[key]).format(**values)

    def stored(self, word: str) -> str:
        """Return how people say a word that the service stores."""
        return self._of(STORED[word]) if word in STORED else word

    def number(self, value: int) -> str:
        """Write a whole number with its thousands parted."""
        parted = f"{value:,}"
        return parted.replace(",", ".") if self.language is Language.VIETNAMESE else parted

    def price(self, hundredths: int) -> str:
        """Write an amount of dong.

        Units: hundredths of a dong.
        """
        whole, rest = divmod(hundredths, _HUNDREDTHS)
        point = "," if self.language is Language.VIETNAMESE else "."
        return self.number(whole) + (f"{point}{rest:02d}" if rest else "") + " ₫"

    def clock(self, at: datetime) -> str:
        """Write the time of day in Viet Nam to the millisecond."""
        local = at.astimezone(VIETNAM)
        point = "," if self.language is Language.VIETNAMESE else "."
        return f"{local:%H:%M:%S}{point}{local.microsecond // 1000:03d}"

    def moment(self, at: datetime) -> str:
        """Write the time of day as a phone does."""
        return f"{at.astimezone(VIETNAM):%H:%M}"

    def span(self, length: timedelta) -> str:
        """Write how long something took."""
        if length < _MILLISECONDS_SHOWN_BELOW:
            return f"{round(length.total_seconds() * 1000)} ms"
        written = f"{length.total_seconds():.2f}"
        if self.language is Language.VIETNAMESE:
            written = written.replace(".", ",")
        return f"{written} s"

    def parts(self, count: int) -> str:
        """Write a number of segments."""
        return self.say("one_part") if count == 1 else self.say("parts", count=count)

    def _of(self, pair: tuple[str, str]) -> str:
        return pair[0] if self.language is Language.VIETNAMESE else pair[1]


SPEECH = {language: Speech(language) for language in Language}
