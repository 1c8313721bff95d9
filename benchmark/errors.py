"""Why nothing could be measured: each one sentence that names the cause."""


class BenchmarkError(Exception):
    """The benchmark cannot go on."""


class MachineError(BenchmarkError):
    """What is to be measured cannot be measured on this machine."""


class NoPostgresError(BenchmarkError):
    """There is no PostgreSQL to measure on; the message says why."""


class NoPeerError(BenchmarkError):
    """What the service is to be measured beside cannot be had here; the message says why."""


class NoSmscError(BenchmarkError):
    """There is no SMSC to measure against; the message says why."""


class OperatorError(BenchmarkError):
    """The made-up operator ended or fell silent; the message holds what it said."""


class ServiceError(BenchmarkError):
    """A verb of the service failed, or it did not start; the message holds what it said."""
