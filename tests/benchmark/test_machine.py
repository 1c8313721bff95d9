"""The machine, as it describes itself."""

from pathlib import Path

from benchmark import machine


def test_the_machine_names_what_figures_must_be_read_beside(tmp_path: Path) -> None:
    found = machine.describe(tmp_path)

    assert found.cpu
    assert found.cores >= 1
    assert found.memory > 2**28
    assert found.flush > 0


def test_a_file_system_is_that_of_the_innermost_mount() -> None:
    assert machine.file_system(Path("/proc/self")) == "proc"
    assert machine.file_system(Path("/")) != "unknown"


def test_the_yardstick_is_a_piece_of_work() -> None:
    assert machine.yardstick() > 0


def test_what_is_thrown_away_lies_on_a_disk() -> None:
    assert machine.file_system(machine.scratch()) not in {"tmpfs", "ramfs"}
