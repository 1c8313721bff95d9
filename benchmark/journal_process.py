"""A process that fills a journal, puts load on it, and makes proofs: orders in, figures out.

The first line names the settings of the deployment, each other one an order.
"""

import json
import resource
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from itertools import cycle, islice
from typing import Any, TextIO
from uuid import UUID

import sqlalchemy as sa

from benchmark import sealing
from benchmark.errors import ServiceError
from benchmark.sealing import Sealing
from benchmark.tally import percentiles
from core import databases
from core.keyring import Keyring
from core.settings import Settings
from journal import proofs
from journal.journal import Journal
from journal.sealer import MOST_A_ROUND

_CITIZENS = 4096
_KIBIBYTE = 1024


class Filler:
    """Does what it is told with one journal."""

    def __init__(self, settings: Settings) -> None:
        self.database = databases.open_database(settings.database_url)
        self.keyring = Keyring.load(settings.keys_dir, self.database)
        # The name is that of the first opening, whatever is given here.
        self.journal = Journal.open(
            self.database, self.keyring, settings.keys_dir, settings.state_dir, "tradan/bench"
        )
        self.drafts = sealing.drafts(self.keyring, _CITIZENS)
        self.some: list[UUID] = []

    def fill(self, size: int) -> dict[str, float]:
        """Append until the tree has *size* leaves, as many at a time as the sealer takes."""
        began, cpu, start = time.monotonic(), time.process_time(), self.size()
        endless, left = cycle(self.drafts), size - start
        while left > 0:
            made = self.journal.prepare(list(islice(endless, min(left, MOST_A_ROUND))))
            self.database.write(partial(self.journal.append, made=made))
            while self.database.dialect != "sqlite" and self.journal.seal_once():
                pass
            self.database.checkpoint()
            left -= len(made)
            self.some.append(secrets.choice(made).id)
        if self.database.dialect == "postgresql":
            # What the server does by itself within minutes, and a benchmark does not wait for.
            self.database.write(lambda session: session.execute(sa.text("ANALYZE")).close())
        return {
            "entries": self.size() - start,
            "seconds": round(time.monotonic() - began, 3),
            "cpu": round(time.process_time() - cpu, 3),
        }

    def load(self, clients: int, seconds: float) -> dict[str, Any]:
        """Have clients wait for entries to be sealed, one after another."""
        cpu, began = time.process_time(), time.monotonic()
        with Sealing(self.database, self.journal).running() as running:
            times = sealing.load(running, self.drafts, clients, seconds)
        self.database.checkpoint()
        return {
            "entries": len(times),
            "seconds": round(time.monotonic() - began, 3),
            "cpu": round(time.process_time() - cpu, 3),
            "latency": asdict(percentiles(times)),
            "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIBIBYTE,
        }

    def prove(self, count: int) -> dict[str, Any]:
        """Prove entries at many places, and verify what was proved.

        Raises: ServiceError if a proof does not hold.
        """
        times = []
        for entry_id in islice(cycle(self.some), count):
            began = time.monotonic()
            proof = self.database.read(partial(self.journal.inclusion, entry_id=entry_id))
            times.append(time.monotonic() - began)
            if not proofs.verify_inclusion(
                proof.leaf_hash, proof.index, proof.size, proof.path, proof.root
            ):
                raise ServiceError("the proof of an entry does not hold")
        return {"latency": asdict(percentiles(times))}

    def size(self) -> int:
        """Return how many leaves the tree has."""
        return self.database.read(self.journal.head).size


def main(orders: TextIO, answers: TextIO) -> None:
    """Answer each line of orders by one line of figures."""
    filler = Filler(Settings.from_env(json.loads(orders.readline())))
    known: dict[str, Callable[..., dict[str, Any]]] = {
        "fill": filler.fill,
        "load": filler.load,
        "prove": filler.prove,
    }
    opened = {"size": filler.size(), "key": filler.journal.verifier_key}
    print(json.dumps(opened), file=answers, flush=True)
    for line in orders:
        ((name, arguments),) = json.loads(line).items()
        print(json.dumps(known[name](**arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
