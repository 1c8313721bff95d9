"""The table of attacks on the journal names tests that are there, and every test of an attack."""

import ast
import re

from tests.docs import pages

THREATS = pages.ROOT / "docs/threat-model.md"
ROWS = pages.rows(THREATS, "attack on the journal")
NAMED = [span for row in ROWS for span in re.findall(r"`([^`]+)`", row[2])]


def defined_in(file: str) -> set[str]:
    """Return the names of the tests in a file."""
    tree = ast.parse((pages.ROOT / file).read_text())
    names = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return {name for name in names if name.startswith("test_")}


def test_every_attack_has_its_tests() -> None:
    assert len(ROWS) > 20
    assert [row[0] for row in ROWS if "`" not in row[2]] == []


def test_every_test_that_is_named_is_there() -> None:
    pairs = [name.split("::") for name in NAMED]

    assert [pair for pair in pairs if pair[1] not in defined_in(pair[0])] == []


def test_every_attack_with_keys_is_named() -> None:
    file = "tests/journal/test_attacks_with_keys.py"

    assert {f"{file}::{name}" for name in defined_in(file)} <= set(NAMED)
