"""What the verifier's tests share: to run it as its command line does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import verify_journal
from tests.verify_journal.logs import key, vkey

Told = dict[str, Any]
Verify = Callable[..., Told]


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    """Verify, and return the report with the exit code as `exit`."""

    def run(target: Path, *more: str, given: str = vkey(key(1))) -> Told:
        code = verify_journal.main([str(target), "--key", given, "--jobs", "1", "--json", *more])
        output = capsys.readouterr()
        report: Told = json.loads(output.out) if output.out else {"told": output.err}
        report["exit"] = code
        assert report.get("ok", False) is (code == 0)
        assert "Traceback" not in output.err
        return report

    return run
