"""A thread of SMS in a terminal: one line for each text, and what happened to it at its end."""

from contextlib import AbstractContextManager
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text as Line

from phone import thread
from phone.handset import Sent
from phone.inside import Inside, Sealing
from phone.ladder import rungs
from phone.mailbox import Text
from phone.subscribers import Subscriber
from sms import segments
from sms.segments import Encoding

_YOU = "you"
_NAMES = {Encoding.GSM7: "GSM-7", Encoding.UCS2: "UCS-2"}
_SHOWN_OF_HASH = 16


class Screen:
    """Writes threads to a console; without a terminal or with NO_COLOR it is plain text."""

    def __init__(self, console: Console, short_code: str) -> None:
        self._console = console
        self._short_code = short_code
        self._width = max(len(_YOU), len(short_code))

    def title(self, network: str, holder: Subscriber) -> None:
        """Say whose phone this is."""
        words = (
            f"[bold]{self._short_code}[/] · {escape(network)} · [bold]{holder.written_phone}[/]"
            f" · {escape(holder.full_name)} · {holder.personal_id}"
        )
        self._console.print(words, highlight=False, soft_wrap=True)

    @property
    def prompt(self) -> str:
        """What stands before a text that is being typed."""
        return f"{_YOU:>{self._width}} » "

    def typed(self, body: str) -> None:
        """Show how a text travels that the terminal itself has shown."""
        self.remark(_length(body))

    def waiting(self) -> AbstractContextManager[object]:
        """Show that an answer is awaited."""
        return self._console.status("", spinner="dots")

    def sent(self, body: str) -> None:
        """Show a text that was sent."""
        self._text(_YOU, "»", body, "bold cyan", _length(body))

    def repeated(self, sent: Sent, *, answered: bool) -> None:
        """Say how a text fared that was sent again."""
        outcome = "and a second reply came" if answered else "and no second reply came"
        self.remark(f"sent again under the same id: accepted ({sent.status}), {outcome}")

    def received(self, text: Text, after: timedelta | None, inside: Inside | None) -> None:
        """Show a text that came, how long it took, and its entry in the journal."""
        facts = [_length(text.body)]
        if after is not None:
            facts.append(f"{round(after.total_seconds() * 1000)} ms")
        if inside and inside.reply:
            facts.append(inside.reply)
        if inside and inside.sealing:
            facts.append(f"journal #{inside.sealing.index}")
        if text.copies > 1:
            facts.append(f"came {text.copies} times")
        self._text(self._short_code, "«", text.body, "bold green", " · ".join(facts))

    def silence(self, inside: Inside | None) -> None:
        """Say that nothing came, and what the service says of it."""
        state = f": the service has the text as {inside.state}" if inside else " so far"
        self.remark(f"no reply{state}", "yellow")

    def remark(self, words: str, style: str = "dim") -> None:
        """Say something beside the thread."""
        self._console.print(Line(f"{'':>{self._width}}   {words}", style=style), soft_wrap=True)

    def proof(self, sealing: Sealing) -> None:
        """Show where an entry lies in the journal, and the way from it to the root."""
        say = self._fact
        say("entry", f"#{sealing.index}, receipt {sealing.receipt}")
        say("leaf", _short(sealing.leaf_hash))
        for number, rung in enumerate(rungs(sealing.index, sealing.size, sealing.path)):
            side = "left" if rung.is_left else "right"
            say("path" if number == 0 else "", f"{_short(rung.sibling)}  on the {side}")
        say("root", f"{_short(sealing.root)}  of {sealing.size} entries, checkpoint signed")
        if sealing.holds:
            say("proof", "the entry is in the tree: checked", "bold green")
        else:
            say("proof", "DOES NOT HOLD: the journal has been tampered with", "bold red")

    def _text(self, who: str, arrow: str, body: str, style: str, facts: str) -> None:
        head = f"{who:>{self._width}} {arrow}"
        if not self._console.is_terminal:
            self._console.print(f"{head} {body}  [{facts}]", markup=False, soft_wrap=True)
            return
        row = Table.grid(padding=(0, 1))
        row.add_column(no_wrap=True)
        row.add_column()
        row.add_row(Line(head, style=style), Line(body))
        row.add_row("", Line(facts, style="dim"))
        self._console.print(row)

    def _fact(self, name: str, words: str, style: str = "") -> None:
        line = Line.assemble((f"  {name:<8}", "dim"), (words, style))
        self._console.print(line, soft_wrap=True)


def _length(body: str) -> str:
    measured = segments.measure(body)
    parts = "1 segment" if measured.segments == 1 else f"{measured.segments} segments"
    return f"{measured.units}/{thread.room(measured)} {_NAMES[measured.encoding]}, {parts}"


def _short(digest: bytes) -> str:
    return digest.hex()[:_SHOWN_OF_HASH] + "…"
