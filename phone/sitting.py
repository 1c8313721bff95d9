"""A sitting with a phone: what is typed or scripted is sent, what comes back is shown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from phone import script
from phone.handset import Handset, Sent
from phone.script import Expect, Say, Step
from phone.subscribers import Subscriber
from phone.terminal import Screen

ANSWER_SECONDS = 10.0
SILENCE_SECONDS = 3.0
HELP = ":as NUMBER another phone · :who the people · :dup the last text once more · :q leave"


@dataclass(slots=True)
class Sitting:
    """One phone, one screen, and the people whose phones may be taken up."""

    handset: Handset
    screen: Screen
    find: Callable[[str], Subscriber | None]
    people: tuple[Subscriber, ...]

    def type(self, text: str) -> bool:
        """Do what was typed; False when the sitting is over."""
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
            case ":dup":
                self._answered(self.handset.repeat())
            case _ if command.startswith(":"):
                self.screen.remark(HELP)
            case _:
                self._answered(self._say(text))
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
        if text.startswith(":") and text != ":dup":
            self.type(text)
            return []
        sent = self.handset.repeat() if text == ":dup" else self._say(text)
        if sent is None:
            return [f"line {line}: there is no text to send again"]
        if not sent.is_accepted:
            self.screen.refused(sent)
            return [f"line {line}: the gateway did not accept the text ({sent.status})"]
        is_silent = expected is not None and not expected.pattern
        reply = self._answer(sent, SILENCE_SECONDS if is_silent else ANSWER_SECONDS)
        if expected is not None and not expected.matches(reply):
            wanted = expected.pattern or "no reply"
            return [f"line {expected.line}: expected {wanted}\n  got {reply or 'no reply'}"]
        if expected is None and strict and reply is not None:
            return [f"line {line}: no line expects its reply"]
        return []

    def _say(self, text: str) -> Sent:
        holder = self.handset.holder
        body = script.filled(text, personal_id=holder.personal_id, pin=self.handset.pin())
        self.screen.sent(body)
        return self.handset.send(body)

    def _answered(self, sent: Sent | None) -> None:
        if sent is None:
            self.screen.remark("there is no text to send again")
        elif not sent.is_accepted:
            self.screen.refused(sent)
        else:
            self._answer(sent, ANSWER_SECONDS)

    def _answer(self, sent: Sent, seconds: float) -> str | None:
        reply = self.handset.wait(sent, seconds)
        inside = self.handset.inside(sent)
        if reply is None:
            self.screen.silence(seconds, inside)
            return None
        self.screen.received(reply, reply.at - sent.at, inside)
        return reply.body

    def _take_up(self, number: str) -> None:
        found = self.find(number)
        if found is None:
            self.screen.remark(f"no phone has the number {number}: see :who", "yellow")
            return
        self.handset.holder = found
        self.screen.title(self.handset.network.title, found)
