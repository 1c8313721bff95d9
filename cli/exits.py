"""Exit codes, and how an error becomes one sentence and one of them."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

from core.errors import (
    CoreError,
    DecryptionError,
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

MEANINGS = (
    (0, "done"),
    (FAILED, "failed; journal verify: findings; operator test: not fit for use"),
    (USAGE, "a verb, an option, a file or a setting is not as it must be"),
    (INTEGRITY, "integrity broken; journal verify: not everything could be verified"),
    (DIFFERENT, "differences found, or some lines refused"),
    (NOT_ALLOWED, "not allowed, or not in this state"),
    (UNAVAILABLE, "the database, or somebody else's service, is not available"),
    (TRY_LATER, "not now: try again later"),
    (INTERRUPTED, "interrupted"),
)


class UsageFault(click.ClickException):
    """A verb cannot do what was asked: one sentence with the cause and the next step."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it of the instance


@contextmanager
def told_plainly(*, debug: bool = False) -> Iterator[None]:
    """Turn whatever goes wrong into a sentence and an exit code; *debug* shows the trace too."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except BrokenPipeError:
        raise  # who reads on has gone: there is nobody to tell
    except Exception as error:
        if debug:
            traceback.print_exc()
        raise _fault_of(error) from error


def _fault_of(error: Exception) -> UsageFault:
    match error:
        case SettingsError():
            return UsageFault(_listed("The environment cannot be run with", error.faults), USAGE)
        case KeysError():
            return UsageFault(_listed("The keys cannot be run with", error.faults), NOT_ALLOWED)
        case MigrationError():
            return UsageFault(_sentence(error), NOT_ALLOWED)
        case UnavailableError():
            cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
            hint = "see that it runs and that TRADAN_DATABASE_URL names it"
            return UsageFault(f"{_sentence(error)}{cause}: {hint}", UNAVAILABLE)
        case DecryptionError():
            hint = "see that TRADAN_KEYS_DIR holds the keys this database was filled with"
            return UsageFault(f"{_sentence(error)}: {hint}", INTEGRITY)
        case CoreError():
            return UsageFault(_sentence(error))
        case OSError():
            where = f" {error.filename}" if error.filename else ""
            what = error.strerror or type(error).__name__
            hint = "see that it is there, that it is ours, and that the disk has room"
            return UsageFault(f"The system refused{where} ({what}): {hint}")
        case _:
            return _fault_within(error)


def _fault_within(error: Exception) -> UsageFault:
    # Loaded only now: a help page must not wait for them.
    from sqlalchemy.exc import DatabaseError, DataError, IntegrityError

    from core import log
    from journal.errors import JournalError, JournalFault

    if isinstance(error, JournalFault):
        return UsageFault(_sentence(error), INTEGRITY)
    if isinstance(error, JournalError):
        return UsageFault(_sentence(error))
    if isinstance(error, DatabaseError) and not isinstance(error, DataError | IntegrityError):
        cause = type(error.orig).__name__
        hint = "see that TRADAN_DATABASE_URL names ours, and that we may use it"
        return UsageFault(
            f"The database refuses what was asked of it ({cause}): {hint}", UNAVAILABLE
        )
    where = log.failure(error)["where"]
    return UsageFault(
        f"Something is wrong inside ({type(error).__name__} at {where}): this should not happen. "
        "Give --debug before the verb to see the trace, and report it."
    )


def _listed(what: str, faults: tuple[str, ...]) -> str:
    return f"{what}:\n" + "\n".join(f"  - {fault}" for fault in faults)


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
