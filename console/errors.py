"""What can go wrong in the console.

ConsoleError
├── OfficerExistsError     the name is taken
├── UnknownOfficerError    nobody has that name
└── NotAllowedError        not by this person, or not in this state
"""


class ConsoleError(Exception):
    """Anything the console refuses."""


class OfficerExistsError(ConsoleError):
    """An officer of that name is there already."""


class UnknownOfficerError(ConsoleError):
    """No officer has that name."""


class NotAllowedError(ConsoleError):
    """The person, or the state of things, does not allow it."""
