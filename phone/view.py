"""What one opening of the phone's page shows: whose phone, on which network, in which words."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from phone import thread
from phone.desk import Desk
from phone.language import SPEECH, Language, Speech
from phone.mailbox import Text
from phone.network import Network
from phone.subscribers import Subscriber
from phone.thread import Exchange

SCHEMES = ("auto", "light", "dark")
ANSWER = "answer"
_ASKING = ("record", "residence", "card", "log", "other", "price", "help")
_CODED = ("check", "wrong")
_LOCKS = ("lock", "unlock")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the address of the page says.

    Shape: *chosen* is a place in the list of people: no number stands in an address.
    """

    chosen: int
    network: str
    language: Language
    scheme: str

    @classmethod
    def read(cls, values: Mapping[str, str]) -> "Choice":
        """Read an address; what it leaves out or has wrong gets the usual value."""
        chosen, scheme, language = values.get("as", ""), values.get("scheme"), values.get("lang")
        return cls(
            chosen=int(chosen) if chosen.isascii() and chosen.isdecimal() else 0,
            network=values.get("op", ""),
            language=Language.ENGLISH if language == Language.ENGLISH else Language.VIETNAMESE,
            scheme=scheme if scheme in SCHEMES else SCHEMES[0],
        )

    def address(self) -> dict[str, str]:
        """Write it as the values of an address."""
        return {
            "as": str(self.chosen),
            "op": self.network,
            "lang": self.language,
            "scheme": self.scheme,
        }


@dataclass(frozen=True, slots=True)
class View:
    """One phone's thread with what happened inside, ready to be rendered."""

    choice: Choice
    short_code: str
    subscribers: tuple[Subscriber, ...]
    networks: Mapping[str, Network]
    texts: tuple[Text, ...] = ()
    exchanges: tuple[Exchange, ...] = ()

    @property
    def speech(self) -> Speech:
        """The words it is shown in."""
        return SPEECH[self.choice.language]

    @property
    def subscriber(self) -> Subscriber | None:
        """Whose phone it is; None while nobody is made up."""
        return self.subscribers[self.choice.chosen] if self.subscribers else None

    @property
    def network(self) -> Network | None:
        """The network the phone is on; None while there is none."""
        return self.networks.get(self.choice.network)

    @property
    def exchange_of(self) -> dict[str, Exchange]:
        """The exchanges by the network's ids of what was sent."""
        return {exchange.sent.id: exchange for exchange in self.exchanges}

    @property
    def version(self) -> str:
        """Tell this view from any that would show something else."""
        seen = repr((self.choice, self.texts, [exchange.inside for exchange in self.exchanges]))
        return hashlib.sha256(seen.encode()).hexdigest()[:16]

    @property
    def suggestions(self) -> tuple[tuple[str, str], ...]:
        """What this person might want to write next.

        Shape: the key of its words, and the text itself.
        """
        if self.subscriber is None:
            return ()
        place = (self.choice.chosen + 1) % len(self.subscribers)
        ids = {"mine": self.subscriber.personal_id, "other": self.subscribers[place].personal_id}
        answer, code = thread.answer_in(self.texts), thread.code_in(self.texts)
        coded = _CODED if code else ()
        keys = (*(("cancel",) if answer else ()), *_ASKING, *(() if answer else (*coded, *_LOCKS)))
        texts = tuple((key, self.speech.say(f"command_{key}", **ids, code=code)) for key in keys)
        return ((ANSWER, answer), *texts) if answer else texts


def look(desk: Desk, choice: Choice) -> View:
    """Gather what *choice* asks to see."""
    subscribers, networks = desk.subscribers(), desk.networks()
    settled = Choice(
        chosen=choice.chosen if choice.chosen < len(subscribers) else 0,
        network=choice.network if choice.network in networks else next(iter(networks), ""),
        language=choice.language,
        scheme=choice.scheme,
    )
    if not subscribers or not networks:
        return View(settled, desk.short_code, subscribers, networks)
    texts = desk.mailbox.thread(settled.network, subscribers[settled.chosen].number)
    sent = [text.id for text in texts if text.is_sent]
    insides = desk.observer.insides(settled.network, sent)
    shown = thread.exchanges(texts, insides)
    return View(settled, desk.short_code, subscribers, networks, texts, shown)
