"""The trips that stop disclosure by themselves: a journal fault, and a register that errs.

A trip is a stop like any other, with an entry and an alarm; it takes two people to resume from.
"""

from core import log, metrics
from records.stops import Order, Scope, StopReason
from sms.halt import Halt

_log = log.get_logger(__name__)


class Trips:
    """Stops disclosure when something is found that must not be."""

    def __init__(self, halt: Halt) -> None:
        self._halt = halt

    def trip(self, reason: StopReason) -> None:
        """Stop disclosure everywhere, if it is not stopped already."""
        metrics.ALARMS.labels(reason).inc()
        _log.critical("disclosure.stopped", reason=reason)
        self._halt.order(Order(scope=Scope.DISCLOSURE, reason=reason, by="system"))
