"""Groups of verbs: help that answers at once, and errors told in one sentence."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from cli.exits import MEANINGS, told_plainly

SETTINGS = (
    ("TRADAN_STATE_DIR", "Folder of everything that is kept  [var]"),
    ("TRADAN_KEYS_DIR", "Folder of the key files  [keys, in the state folder]"),
    ("TRADAN_DATABASE_URL", "postgresql://… or a SQLite file  [tradan.db, in the state folder]"),
    ("TRADAN_BIND", "Where to listen  [127.0.0.1:8000]"),
    ("TRADAN_PUBLIC_URL", "How operators reach us: https://HOST  [http:// and TRADAN_BIND]"),
    ("TRADAN_METRICS_BIND", "Where to serve /metrics  [with everything else]"),
    ("TRADAN_SHORT_CODE", "The number that citizens text to"),
    ("TRADAN_CONTACT_OFFICER", "Who answers for the service, for /status"),
    ("TRADAN_LEGAL_BASIS", "What the service rests on, for /status"),
    ("TRADAN_WITNESS_POLICY", "File that names the journal's witnesses  [there are none]"),
    ("TRADAN_PIN_LIFE_SECONDS", "How long a PIN lives  [300]"),
    ("TRADAN_PIN_SPACING_SECONDS", "How long until the next request  [60]"),
    ("TRADAN_PIN_PROFILE", "What the hash of a PIN costs: standard, owasp  [standard]"),
    ("TRADAN_ROUTE", "Whose requests are taken: inbound (any operator's), serving  [inbound]"),
    ("TRADAN_CONSOLE_REQUESTS_PER_MINUTE", "Pages that one officer may open in a minute  [60]"),
    ("TRADAN_BUDGET_HOUR_DONG", "What replies may cost in an hour  [50000000]"),
    ("TRADAN_BUDGET_DAY_DONG", "What replies may cost in a day  [500000000]"),
    ("TRADAN_BUDGET_OPERATOR_HOUR_DONG", "The same, of each operator  [30000000]"),
    ("TRADAN_BUDGET_OPERATOR_DAY_DONG", "The same, of each operator  [300000000]"),
    ("TRADAN_MODE", "production, demo or test  [production]"),
)


class OptionIn(click.Option):
    """An option that belongs to a section of its verb's help."""

    def __init__(self, *args: Any, section: str, **options: Any) -> None:  # noqa: ANN401 (click's own)
        super().__init__(*args, **options)
        self.section = section


class Verb(click.Command):
    """A verb that shows its options in sections, and examples that can be copied."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:  # noqa: ANN401 (click's own)
        super().__init__(*args, **options)
        self._examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of each section under its name."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                name = parameter.section if isinstance(parameter, OptionIn) else "Options"
                sections.setdefault(name, []).append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)

    def format_epilog(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's signature)
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the examples as they are to be typed."""
        if not self._examples:
            return
        with formatter.section("Examples"):
            for example in self._examples:
                for line in example.splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class VerbGroup(click.Group):
    """A group that shows its verbs when none is named, and calls that no mistake."""

    command_class = Verb

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help page where nothing is asked for."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()
        return super().parse_args(ctx, args)


class LazyGroup(VerbGroup):
    """A group whose verbs are loaded when called, so that a help page answers at once."""

    def __init__(self, *, verbs: dict[str, tuple[str, str]], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # click's own options, passed on
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs."""
        return sorted({*self._verbs, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the verb called *cmd_name*."""
        if cmd_name not in self._verbs:
            return super().get_command(ctx, cmd_name)
        module, _, name = self._verbs[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's signature)
        formatter: click.HelpFormatter,
    ) -> None:
        """List the verbs without loading them."""
        rows = [(name, help_text) for name, (_, help_text) in sorted(self._verbs.items())]
        with formatter.section("Verbs"):
            formatter.write_dl(rows)


class Program(LazyGroup):
    """The whole command line: every error of every verb ends here."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb and tell plainly what goes wrong."""
        with told_plainly(debug=bool(ctx.params.get("debug"))):
            return super().invoke(ctx)

    def format_epilog(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's signature)
        formatter: click.HelpFormatter,
    ) -> None:
        """Say what the environment decides and what the exit codes mean."""
        with formatter.section("Settings, from the environment"):
            formatter.write_dl(SETTINGS)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in MEANINGS])
