"""What can go wrong in the console.

ConsoleError
├── OfficerExistsError     the name is taken
├── UnknownOfficerError    nobody has that name
├── NotAllowedError        not by this person, or not in this state
└── OverCapError           the officer has looked at as much as may be
"""


class ConsoleError(Exception):
    """Anything the console refuses."""


class OfficerExistsError(ConsoleError):
    """An officer of that name is there already."""


class UnknownOfficerError(ConsoleError):
    """No officer has that name."""


class NotAllowedError(ConsoleError):
    """The person, or the state of things, does not allow it."""


class OverCapError(ConsoleError):
    """The officer has looked at as much as may be in this day or minute."""

    def __init__(self, what: str, most: int, *, is_daily: bool) -> None:
        super().__init__(f"no more than {most} {what}")
        self.what = what
        self.most = most
        self.is_daily = is_daily
