"""Serves a witness over HTTP: reads a request whole, hands it to a thread, answers."""

import asyncio
import contextlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cli.door import READ_SECONDS, Exchange, Scope
from cli.serving import end_with
from core import log
from core.clock import SystemClock
from core.settings import Bind
from journal import policy, witness_state
from journal.witness import Answer, Witness

_THREADS = 8
# A checkpoint with a hundred signatures of the largest kind there is.
_MOST_BYTES = 1 << 19
_log = log.get_logger(__name__)


class TooLargeError(Exception):
    """The body is larger than any checkpoint."""


class WitnessDoor:
    """What the server hands requests to."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="witness")

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        """Serve one request."""
        if scope.proto != "http":
            return
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await _read(exchange)
        except TimeoutError:
            answer = Answer(408, "the request took too long\n")
        except TooLargeError:
            answer = Answer(413, "the request is larger than any checkpoint\n")
        else:
            loop = asyncio.get_running_loop()
            work = partial(self.answer, scope.method, scope.path, body)
            answer = await loop.run_in_executor(self._threads, work)
        octets = answer.body.encode()
        headers = [
            ("content-type", answer.content_type),
            ("content-length", str(len(octets))),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("server", "TraDan"),
        ]
        with contextlib.suppress(Exception):  # whoever asked may be gone
            exchange.response_bytes(answer.status, headers, octets)

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer one request; trouble of ours is told as that, and nothing is signed."""
        try:
            return self._route(method, path, body)
        except Exception as error:  # noqa: BLE001 (whatever it is, the log may ask again)
            _log.error("witness.broke", **log.failure(error))
            return Answer(500, "something is wrong with this witness\n")

    def _route(self, method: str, path: str, body: bytes) -> Answer:
        if path == "/add-checkpoint":
            if method == "POST":
                return self._witness.add_checkpoint(body)
            return Answer(405, "checkpoints are posted\n")
        origin_hash, _, rest = path.removeprefix("/").partition("/")
        if method == "GET" and rest == "checkpoint":
            return self._witness.checkpoint(origin_hash)
        return Answer(404, "there is nothing here\n")


def open_witness(folder: Path, name: str, policy_path: Path) -> Witness:
    """Open the witness that serves the logs of a policy.

    Raises: KeysError, PolicyError.
    """
    state = witness_state.open_state(folder, name)
    logs = [each.key for each in policy.load(policy_path).logs]
    return Witness(state.cosigner, logs, state.memory, SystemClock())


def serve(folder: Path, name: str, policy_path: Path, bind: Bind) -> None:
    """Serve until told to end."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    server = Granian(
        "cli.witness_door",
        address=bind.host,
        port=bind.port,
        interface=Interfaces.RSGI,
        workers=1,
        websockets=False,
        log_level=LogLevels.error,
    )
    loader = partial(_load, folder, name, policy_path, os.getpid())
    server.serve(target_loader=loader, wrap_loader=False)  # type: ignore[arg-type]  # an RSGI application is no function


def _load(folder: Path, name: str, policy_path: Path, parent: int) -> WitnessDoor:
    end_with(parent)
    log.configure(json=not sys.stderr.isatty())
    return WitnessDoor(open_witness(folder, name, policy_path))


async def _read(exchange: Exchange) -> bytes:
    body = bytearray()
    async for piece in exchange:
        body += piece
        if len(body) > _MOST_BYTES:
            raise TooLargeError
    return bytes(body)
