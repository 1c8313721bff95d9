"""The table of attacks by links names tests that are there, each in the row that its name tells."""

import re

from tests.docs import pages
from tests.docs.test_attacks import THREATS, defined_in

ROWS = pages.rows(THREATS, "attack by a link")
WANTED = {"T1", "T7", "T9", "T10", "T14"}
NAMED = {
    name: row[1] for row in ROWS for name in re.findall(r"`(tests/[^`]+::test_[^`]+)`", row[2])
}
OF_A_ROW = re.compile(r"test_(t1|t7|t9|t10|t14)_")


def test_every_attack_has_its_tests() -> None:
    assert {row[1] for row in ROWS} == WANTED
    assert [row[0] for row in ROWS if "::test_" not in row[2]] == []


def test_every_test_that_is_named_is_there_and_in_its_row() -> None:
    pairs = {name: name.split("::") for name in NAMED}

    assert [name for name, (file, test) in pairs.items() if test not in defined_in(file)] == []
    named_for = {name: OF_A_ROW.match(test) for name, (_, test) in pairs.items()}
    assert [
        name for name, found in named_for.items() if found and found[1].upper() != NAMED[name]
    ] == []
