"""How an import of people is told: the result on standard output, the talk beside it."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from records.csv_lines import Refusal
    from records.importer import Outcome

_SHOWN = 20
_MOST_IN_JSON = 100


class Report:
    """What an import says on the way, and what it comes to."""

    def __init__(self, *, as_json: bool, dry_run: bool) -> None:
        self._as_json = as_json
        self._dry_run = dry_run
        self._first: list[Refusal] = []
        self._write: Callable[[Refusal], None] | None = None
        self.left_out: tuple[str, ...] = ()

    def write_to(self, write: "Callable[[Refusal], None]") -> None:
        """Have every refusal written down."""
        self._write = write

    def refuse(self, refusal: "Refusal") -> None:
        """Take note of a refused line."""
        if len(self._first) < _MOST_IN_JSON:
            self._first.append(refusal)
        if self._write:
            self._write(refusal)

    def tell(self, outcome: "Outcome") -> None:
        """Say what it came to: the result on standard output, the talk beside it."""
        self._talk(outcome)
        done = outcome.reached
        counts = {
            "rows": outcome.rows,
            "added": done.added,
            "changed": done.changed,
            "unchanged": done.unchanged,
            "refused": outcome.refused,
            "warnings": outcome.warnings.total(),
        }
        if not self._as_json:
            would = "would be: " if self._dry_run else ""
            click.echo(would + ", ".join(f"{count} {what}" for what, count in counts.items()))
            return
        shown = {
            **counts,
            "warning_reasons": {str(reason): n for reason, n in outcome.warnings.items()},
            "errors": [{"line": one.line, "reason": one.reason} for one in self._first],
            "errors_left_out": outcome.refused - len(self._first),
            "columns_left_out": list(self.left_out),
            "resumed_after_line": outcome.resumed_after,
            "file_digest": outcome.file_digest,
            "is_test": outcome.is_test,
            "dry_run": self._dry_run,
        }
        click.echo(json.dumps(shown, ensure_ascii=False))

    def _talk(self, outcome: "Outcome") -> None:
        if self.left_out:
            names = ", ".join(self.left_out)
            click.echo(f"columns not kept, as no reply may carry them: {names}", err=True)
        if outcome.resumed_after:
            click.echo(f"went on behind line {outcome.resumed_after}", err=True)
        for refusal in self._first[:_SHOWN]:
            click.echo(f"line {refusal.line}: {refusal.reason}", err=True)
        if (more := outcome.refused - _SHOWN) > 0:
            click.echo(f"and {more} more refused lines (--errors FILE lists all)", err=True)
        for reason, count in outcome.warnings.most_common():
            click.echo(f"warning on {count} lines: {reason}", err=True)
