"""The errors of records: RecordsError, and below it one class per thing that can be wrong."""


class RecordsError(Exception):
    """The register or an import is not as it must be."""


class RegisterDownError(RecordsError):
    """The register does not answer; nothing may be concluded about anybody."""


class RegisterFaultError(RecordsError):
    """The register holds or returned something that cannot be its answer."""


class PeopleFileError(RecordsError):
    """A file of people cannot be read as one; the message says where and what to do."""


class ImportOvertakenError(RecordsError):
    """Another run is importing the same file."""


class StopError(RecordsError):
    """A stop cannot be changed so: the message says why."""


class NobodyAskedError(StopError):
    """Nobody has asked yet that a stop be lifted."""


class SamePersonError(StopError):
    """Who asked that a stop be lifted would lift it."""


class TooManyPeopleError(RecordsError):
    """More made-up people are wanted than there are numbers for."""
