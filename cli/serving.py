"""`run`: web and stages together, or apart on PostgreSQL; drains when told to end."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import click

from cli import claims, metering, routing
from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, UsageFault
from cli.groups import Verb

WEB_THREADS = 4
_DRAIN_SECONDS = 60
PARENT = "TRADAN_PARENT"
_PR_SET_PDEATHSIG = 1


@click.command(
    "run",
    cls=Verb,
    examples=("python app.py run", "python app.py run --web", "python app.py run --worker"),
)
@click.option("--web", is_flag=True, help="Only take messages (PostgreSQL).")
@click.option("--worker", is_flag=True, help="Only handle, seal and send (PostgreSQL).")
@click.option("--child-of", type=int, hidden=True, help="End when this process ends.")
@pass_service
def run_command(service: Service, *, web: bool, worker: bool, child_of: int | None) -> None:
    """Take messages and answer them until told to end, for who operates the service.

    SIGTERM or Ctrl-C drains it: what was begun is finished. Without flags it does both halves; on
    PostgreSQL they may be run apart, any number of each, on any number of machines.
    """
    from core import log

    settings = service.settings
    log.configure(json=not sys.stderr.isatty())
    alone = web != worker
    if alone and settings.database_url.get_backend_name() == "sqlite":
        raise UsageFault(
            "--web and --worker need PostgreSQL: SQLite is written by one process. "
            "Run without them, or set TRADAN_DATABASE_URL to a PostgreSQL database.",
            NOT_ALLOWED,
        )
    shared = metering.share(settings, service.environ)
    # Everything that can be wrong is found here, before anything listens.
    _ = service.keyring, service.journal, service.links.all()
    routing.require(service)
    started = {"bind": settings.bind, "database": service.database.dialect}
    log.get_logger(__name__).info("service.starting", **started)
    service.close()
    if child_of is not None:
        end_with(child_of)
    try:
        if worker and not web:
            _work(Service(service.environ))
        elif settings.database_url.get_backend_name() == "sqlite":
            with claims.whole(Path(settings.database_url.database or "")):
                _serve(service, with_worker=False)
        else:
            _serve(service, with_worker=not alone)
    finally:
        if shared is not None:
            shutil.rmtree(shared, ignore_errors=True)


def _serve(service: Service, *, with_worker: bool) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    settings = service.settings
    claims.see_free(settings.bind)
    service.environ[PARENT] = str(os.getpid())
    is_sqlite = settings.database_url.get_backend_name() == "sqlite"
    server = Granian(
        "app:web",
        address=settings.bind.host,
        port=settings.bind.port,
        interface=Interfaces.RSGI,
        factory=True,
        workers=1 if is_sqlite else os.cpu_count() or 1,
        backlog=1024,
        websockets=False,
        log_level=LogLevels.error,
    )
    if not with_worker:
        server.serve()
        return
    with _worker_beside() as failed:
        server.serve()
    if failed.is_set():
        raise UsageFault("the worker process ended by itself: see its last log line", 1)


@contextlib.contextmanager
def _worker_beside() -> Iterator[threading.Event]:
    """Run the stages in a process of their own for as long as the web serves."""
    process = subprocess.Popen(  # noqa: S603 (this very program)
        [sys.executable, sys.argv[0], "run", "--worker", "--child-of", str(os.getpid())]
    )
    failed, ending = threading.Event(), threading.Event()

    def watch() -> None:
        process.wait()
        if not ending.is_set():
            failed.set()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="watch-worker", daemon=True).start()
    try:
        yield failed
    finally:
        ending.set()
        process.terminate()
        process.wait(_DRAIN_SECONDS)


def _work(service: Service) -> None:
    from cli.wiring import stages_of
    from core import log
    from sms.signals import Signal, hear

    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    received = Signal()
    hear(service.settings.state_dir, received)
    stages = stages_of(service, received)
    metering.serve(service.settings)
    stages.start()
    told.wait()
    log.get_logger(__name__).info("service.draining")
    stages.drain()
    service.close()


def end_with(parent: int) -> None:
    """Have the kernel end this process when its parent dies, however it dies."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
