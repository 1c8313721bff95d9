"""The verb `benchmark`: what is measured on this machine; whole lookups if nothing is named."""

import click

from cli.groups import LazyGroup

_VERBS = {
    "lookup": ("cli.benchmark:benchmark_command", "Whole lookups; measured if nothing is named."),
    "journal": (
        "cli.benchmark_journal:journal_command",
        "How fast entries are sealed, proved and verified.",
    ),
    "billing": (
        "cli.benchmark_billing:billing_command",
        "How fast a month of ten million records is reconciled.",
    ),
    "console": (
        "cli.benchmark_console:console_command",
        "How long the console's pages take over a million messages.",
    ),
    "link": (
        "cli.benchmark_link:link_command",
        "How fast messages go through an SMPP link, beside Kannel.",
    ),
}
_HELP = """Measure this machine, for whoever wants to know what it can serve.

\b
Examples:
  python app.py benchmark
  python app.py benchmark --json > figures.json
  python app.py benchmark journal
"""


class _Measuring(LazyGroup):
    """Takes what names no benchmark for options of the one on whole lookups."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name what was left unnamed."""
        is_named = args[:1] and (args[0] in _VERBS or args[0] in self.get_help_option_names(ctx))
        return super().parse_args(ctx, args if is_named else ["lookup", *args])


@click.group("benchmark", cls=_Measuring, verbs=_VERBS, help=_HELP)
def benchmark_group() -> None:
    """Measure this machine."""
