"""kill -9 of a real process at each point between signing and sending: the journal goes on."""

import signal
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from journal.journal import MEMORY_FILE
from journal.rotation import Rotation
from journal.verifier_log import read_memory
from tests.journal.conftest import House

PROGRAM = Path(__file__).parent / "killing.py"


def kill(house: House, point: str) -> None:
    url = house.database.url.render_as_string(hide_password=False)
    command = [sys.executable, str(PROGRAM), point, url, str(house.keys_dir), str(house.state_dir)]
    done = subprocess.run(command, cwd=PROGRAM.parents[2], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def remembered(house: House) -> int:
    known = read_memory(house.state_dir / MEMORY_FILE)
    return 0 if known is None else known.size


def goes_on(house: House) -> None:
    """Write as a process does that has started since, then as the one that ran all along."""
    with closing(house.reopen()) as journal:
        made = journal.prepare(house.drafts(2, 900))
        house.database.write(lambda session: journal.append(session, made))
        if house.database.dialect == "postgresql":
            while journal.seal_once():
                pass
        assert remembered(house) == house.size()
    house.append(2, 950)
    assert house.verify().ok


POINTS = (
    ("signing", 0, 0),  # what was signed was never committed, and nobody knows of it
    ("commit", 3, 0),  # the tree is ahead of the memory, which catches up by proof
    ("memory", 3, 3),  # nothing was sent yet, and what waits to be sent is sealed
)


def test_kill_9_between_signing_and_sending(house: House) -> None:
    inline = house.database.dialect == "sqlite"
    for point, sealed, known in POINTS:
        size = house.size()

        kill(house, point)

        # On PostgreSQL the announcement of the process is sealed together with its entries.
        at_once, later = (1, 0) if inline else (0, 1)
        assert house.size() == size + at_once + sealed + (later if sealed else 0), point
        assert remembered(house) == size + at_once + known + (later if known else 0), point
        goes_on(house)


def test_kill_9_when_the_next_key_has_signed_and_nothing_is_committed(house: House) -> None:
    house.append(2)

    kill(house, "rotation")

    found = house.database.read(house.journal.log_keys)
    assert len(found.signing) == 1
    assert (house.keys_dir / "log-2.key").exists()
    goes_on(house)
    Rotation(house.database, house.journal, house.clock).rotate(timedelta(1), by="console:an")
    goes_on(house)
    assert not (house.keys_dir / "log-3.key").exists()


def test_kill_9_between_retiring_a_key_and_destroying_it(house: House) -> None:
    rotation = Rotation(house.database, house.journal, house.clock)
    rotation.rotate(timedelta(days=1), by="console:an")

    kill(house, "retirement")

    assert (house.keys_dir / "log.key").exists()
    rotation.look_after()
    assert not (house.keys_dir / "log.key").exists()
    goes_on(house)
