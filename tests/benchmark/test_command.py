"""The verb, as it is typed."""

import pytest
from click.testing import CliRunner

from cli.benchmark import benchmark_command


def test_help_tells_what_it_does_and_shows_an_example() -> None:
    told = CliRunner().invoke(benchmark_command, ["--help"])

    assert told.exit_code == 0
    assert "python app.py benchmark --json" in told.output
    assert "[default: 1,16,64]" in told.output


@pytest.mark.parametrize(
    "words",
    [
        ["--clients", "1,,2"],
        ["--clients", "0"],
        ["--clients", "many"],
        ["--database", "mysql"],
        ["--citizens", "1"],
        ["throughput"],
    ],
)
def test_an_option_that_cannot_be_is_refused(words: list[str]) -> None:
    told = CliRunner().invoke(benchmark_command, words)

    assert told.exit_code == 2
