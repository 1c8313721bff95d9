"""Exit codes, and how an error becomes one sentence and one of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from core.errors import (
    CoreError,
    KeysError,
    MigrationError,
    SettingsError,
    UnavailableError,
)

FAILED = 1
USAGE = 2
INTEGRITY = 3
DIFFERENT = 4
NOT_ALLOWED = 5
UNAVAILABLE = 69
TRY_LATER = 75
INTERRUPTED = 130


class UsageFault(click.ClickException):  # noqa: N818 (click names its own the same way)
    """A verb cannot do what was asked: one sentence with the cause and the next step."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn the errors that a deployment can have into sentences and exit codes."""
    try:
        yield
    except (SettingsError, KeysError) as error:
        what = "The environment" if isinstance(error, SettingsError) else "The keys"
        code = USAGE if isinstance(error, SettingsError) else NOT_ALLOWED
        lines = "\n".join(f"  - {fault}" for fault in error.faults)
        raise UsageFault(f"{what} cannot be run with:\n{lines}", code) from error
    except MigrationError as error:
        raise UsageFault(_sentence(error), NOT_ALLOWED) from error
    except UnavailableError as error:
        cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
        hint = "see that it runs and that TRADAN_DATABASE_URL names it"
        raise UsageFault(f"{_sentence(error)}{cause}: {hint}", UNAVAILABLE) from error
    except CoreError as error:
        raise UsageFault(_sentence(error), FAILED) from error
    except Exception as error:
        # Loaded only now: a help page must not wait for it.
        from journal.errors import JournalError, JournalFault

        if isinstance(error, JournalFault):
            raise UsageFault(f"{_sentence(error)}", INTEGRITY) from error
        if isinstance(error, JournalError):
            raise UsageFault(_sentence(error), FAILED) from error
        raise


class LazyGroup(click.Group):
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
        from importlib import import_module

        module, _, name = self._verbs[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without loading them."""
        rows = [(name, help_text) for name, (_, help_text) in sorted(self._verbs.items())]
        with formatter.section("Verbs"):
            formatter.write_dl(rows)


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]

