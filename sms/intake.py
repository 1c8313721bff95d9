"""Stores the messages of all web threads that wait: one transaction, a handful of statements."""

from sqlalchemy.orm import Session

from core.db import Database
from core.errors import UnavailableError
from core.together import Together, Turn
from sms import inbound
from sms.inbound import Arrival, Receipt


class _Handover(Turn):
    """One message that was handed over, and what became of it."""

    def __init__(self, arrival: Arrival) -> None:
        super().__init__()
        self.arrival = arrival
        self.receipt: Receipt


class Intake:
    """Where the webhook hands messages over; they are committed when it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads: Together[_Handover] = Together(self._store, broken_off=_broken_off)

    def store(self, arrival: Arrival) -> Receipt:
        """Keep a message, unless the operator handed it over before.

        Raises: UnavailableError if the database did not take it; nothing of it was kept.
        """
        handover = _Handover(arrival)
        self._threads.do(handover)
        return handover.receipt

    def _store(self, batch: list[_Handover]) -> None:
        arrivals = [handover.arrival for handover in batch]

        def work(session: Session) -> list[Receipt]:
            return inbound.store(session, arrivals)

        try:
            receipts = self._database.write(work)
        except Exception as error:  # noqa: BLE001 (each thread whose message was in it is told)
            for handover in batch:
                handover.finish(error)
            return
        for handover, receipt in zip(batch, receipts, strict=True):
            handover.receipt = receipt
            handover.finish()


def _broken_off() -> UnavailableError:
    return UnavailableError("the messages were not stored")
