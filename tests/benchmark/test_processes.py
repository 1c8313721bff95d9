"""CPU and memory of processes that the test starts itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmark import processes

CHILD = """
import os
while os.times().user < 0.3:
    pass
print(flush=True)
input()
"""
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE)
input()
child.communicate()
"""


@contextmanager
def _family() -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the child has burnt its time
        yield process
        process.communicate(b"\n")


def test_the_cpu_of_a_child_counts_for_its_root() -> None:
    with _family() as parent:
        used = processes.usage(parent.pid)

        assert len(processes.tree(parent.pid)) == 2
        assert used.cpu >= 0.3
        assert used.resident > 2**20


def test_threads_are_summed_by_name() -> None:
    with _family() as parent:
        used = processes.threads(parent.pid)

        assert sum(used.values()) >= 0.3
        assert not any(name[-1].isdigit() for name in used)


def test_the_machine_has_worked_no_longer_than_it_has_been_there() -> None:
    busy, whole = processes.machine()

    assert 0 < busy < whole


def test_a_process_that_is_gone_uses_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert processes.usage(process.pid) == processes.Usage(0.0, 0)
    assert processes.tree(os.getpid())[0] == os.getpid()
