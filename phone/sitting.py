"""A sitting with a phone: what is typed or scripted is sent, what comes back is shown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from phone import script
from phone.errors import NotAcceptedError
from phone.handset import Handset, Sent
from phone.script import Expect, Say, Step
from phone.subscribers import Subscriber
from phone.terminal import Screen

ANSWER_SECONDS = 20.0
SILENCE_SECONDS = 3.0
REPEAT_SECONDS = 1.5
_AGAIN = ":dup"
HELP = ":as NUMBER another phone · :who the people · :dup the last text once more · :q leave"


@dataclass(slots=True)
class Sitting:
    """One phone, one screen, and the people whose phones may be taken up."""

    handset: Handset
    screen: Screen
    find: Callable[[str], Subscriber | None]
    people: tuple[Subscriber, ...]

    def type(self, text: str, *, echo: bool = True) -> bool:
        """Do what was typed; False when the sitting is over. *echo*: nobody has seen it yet."""
        command, _, rest = text.partition(" ")
        match command:
            case "":
                pass
            case ":q":
                return False
            case ":as":
                self._take_up(rest.strip())
            case ":who":
                for person in self.people:
                    self.screen.remark(
                        f"{person.number}  {person.personal_id}  {person.full_name}", ""
                    )
            case _ if command.startswith(":") and command != _AGAIN:
                self.screen.remark(HELP)
            case _:
                self._try(text, echo=echo)
        return True

    def show_arrived(self) -> None:
        """Show what came unasked since."""
        for text in self.handset.arrived():
            self.screen.received(text, None, None)

    def run(self, steps: Iterable[Step], *, strict: bool) -> list[str]:
        """Play a script and return what differs from it; *strict*: every reply must be expected."""
        differences: list[str] = []
        steps = list(steps)
        for place, step in enumerate(steps):
            following = steps[place + 1] if place + 1 < len(steps) else None
            match step:
                case Say(line, text):
                    expected = following if isinstance(following, Expect) else None
                    differences += self._play(line, text, expected, strict=strict)
                case Expect(line) if place == 0 or isinstance(steps[place - 1], Expect):
                    differences.append(f"line {line}: nothing is sent before this reply")
                case Expect():
                    pass
        return differences

    def _play(self, line: int, text: str, expected: Expect | None, *, strict: bool) -> list[str]:
        if text.startswith(":") and text != _AGAIN:
            self.type(text)
            return []
        is_silent = expected is not None and not expected.pattern
        try:
            if text == _AGAIN:
                reply = self._repeat()
            else:
                reply = self._send(text, SILENCE_SECONDS if is_silent else ANSWER_SECONDS)
        except NotAcceptedError as error:
            return [f"line {line}: {error}"]
        if expected is not None and not expected.matches(reply):
            wanted = expected.pattern or "no reply"
            return [f"line {expected.line}: expected {wanted}\n  got {reply or 'no reply'}"]
        if expected is None and strict and reply is not None:
            return [f"line {line}: no line expects its reply"]
        return []

    def _send(self, text: str, seconds: float, *, echo: bool = True) -> str | None:
        """Send a text and return the reply that is shown; None if none came."""
        holder = self.handset.holder
        body = script.filled(
            text,
            personal_id=holder.personal_id,
            pin=self.handset.pin(),
            code=self.handset.code(),
        )
        if echo or body != text:
            self.screen.sent(body)
        else:
            self.screen.typed(body)
        with self.screen.waiting():
            sent = self.handset.send(body)
            _require_acceptance(sent)
            reply = self.handset.wait(sent, seconds)
            inside = self.handset.inside(sent)
        if reply is None:
            self.screen.silence(inside)
            return None
        self.screen.received(reply, reply.at - sent.at, inside)
        return reply.body

    def _repeat(self) -> str | None:
        """Send the last text again under its id; an answer to that would be one too many."""
        last = self.handset.last
        if last is None:
            raise NotAcceptedError("there is no text to send again")
        known = self.handset.answers(last.id)
        with self.screen.waiting():
            sent = self.handset.submit(last.body, last.id)
            _require_acceptance(sent)
            reply = self.handset.wait_for_more(known, sent, REPEAT_SECONDS)
        self.screen.repeated(sent, answered=reply is not None)
        if reply is not None:
            self.screen.received(reply, None, None)
        return None if reply is None else reply.body

    def _try(self, text: str, *, echo: bool) -> None:
        try:
            if text == _AGAIN:
                self._repeat()
            else:
                self._send(text, ANSWER_SECONDS, echo=echo)
        except NotAcceptedError as error:
            self.screen.remark(str(error), "red")

    def _take_up(self, number: str) -> None:
        found = self.find(number)
        if found is None:
            self.screen.remark(f"no made-up person has the number {number}: see :who", "yellow")
            return
        self.handset.holder = found
        self.screen.title(self.handset.network.title, found)


def _require_acceptance(sent: Sent) -> None:
    if not sent.is_accepted:
        why = f"answered {sent.status}" if sent.status else "was not reached"
        raise NotAcceptedError(f"the gateway {why}: the text is not accepted, :dup sends it again")
