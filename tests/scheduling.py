"""Which tests run in one process: those of a file, and those that share a running service."""

import re
from typing import Any

import pytest
from xdist.scheduler import (  # type: ignore[import-untyped]  # pytest-xdist ships no types
    LoadFileScheduling,
)

# Were they in two processes, each would start a service of every kind, and keep it.
_SHARING = re.compile(r"^tests/e2e/.*\[(sqlite|postgresql)\b")
_ON_SQLITE = ("tests/e2e/test_samples.py", "tests/e2e/test_traffic.py")


class _Scheduling(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist ships no types
    """Hands files out one by one, and of tests/e2e what runs on one kind of database at once."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_ON_SQLITE):
            return "tests/e2e on sqlite"
        if found := _SHARING.match(nodeid):
            return f"tests/e2e on {found[1]}"
        return str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling | None:  # noqa: ANN401 (pytest-xdist ships no types)
    """Schedule so where files are what is handed out."""
    return _Scheduling(config, log) if config.getoption("dist") == "loadfile" else None
