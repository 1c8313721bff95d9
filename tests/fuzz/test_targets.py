"""Every input that is kept, and a few new ones: what must hold of each parser holds.

`make fuzz` looks for more, for as long as it is told to.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutating import LONGEST_SCRIPT, SHORTEST_SCRIPT, mutants
from tests.fuzz.targets import TARGETS

# Scripts; each makes half a dozen inputs.
FEW = 25
SCRIPTS = st.binary(min_size=SHORTEST_SCRIPT, max_size=LONGEST_SCRIPT)


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_once_is_found_no_more(name: str) -> None:
    target = TARGETS[name]

    for octets in target.pool().seeds:
        target.run(octets)


@pytest.mark.parametrize("name", TARGETS)
def test_what_must_hold_of_any_input_holds(name: str) -> None:
    target = TARGETS[name]
    pool = target.pool()

    @settings(max_examples=FEW)
    @given(SCRIPTS)
    def holds(script: bytes) -> None:
        for octets in mutants(pool, script):
            target.run(octets)

    holds()


@given(SCRIPTS)
def test_a_script_of_zeros_changes_nothing(script: bytes) -> None:
    pool = TARGETS["pdus"].pool()

    assert set(mutants(pool, bytes(len(script)))) == {pool.seeds[0]}
    assert list(mutants(pool, script)) == list(mutants(pool, script))
