"""Adding witnesses to a policy: what is written, and what is left alone."""

import stat
from pathlib import Path

import pytest

from journal import policy, policy_file
from journal.cosignature import Cosigner
from journal.errors import PolicyError
from journal.note import Signer
from journal.policy import Witness

LOG = str(Signer("tradan/gateway.example", bytes([1]) * 32).verifier)
BODIES = {
    name: Witness(name, Cosigner(f"{name}.example", bytes([n]) * 32).key, f"https://{name}.example")
    for n, name in enumerate("abcd", 10)
}


def add(octets: bytes | None, *names: str, threshold: int | None = None) -> bytes:
    for name in names:
        octets = policy_file.with_witness(octets, BODIES[name], LOG, threshold)
    assert octets is not None
    return octets


def line(name: str) -> str:
    return f"witness {name} {BODIES[name].key} https://{name}.example"


def test_a_new_policy_names_our_log_and_takes_more_than_half() -> None:
    rules = [policy.parse(add(None, *names)).groups[0] for names in ("a", "ab", "abc", "abcd")]

    assert [(rule.threshold, rule.members) for rule in rules] == [
        (1, ("a",)), (2, ("a", "b")), (2, ("a", "b", "c")), (3, ("a", "b", "c", "d")),
    ]  # fmt: skip
    found = policy.parse(add(None, *"abc"))
    assert policy.unfit(found, [LOG]) == []
    assert found.witnesses == tuple(BODIES[name] for name in "abc")


def test_what_others_wrote_stays_as_it_is() -> None:
    written = (
        f"# Hà Nội, 1\n\nlog\t{LOG}\n{line('a')}\n  {line('b')} \n"
        "group\tbodies  any a b\n# end\nquorum bodies\n# after\n"
    )

    made = add(written.encode(), "c").decode()

    assert made == written.replace(
        "group\tbodies  any a b\n", f"{line('c')}\ngroup bodies any a b c\n"
    )


@pytest.mark.parametrize(
    ("rule", "threshold", "after"),
    [
        ("any", None, "any"),
        ("all", None, "all"),
        ("1", None, "2"),
        ("2", None, "2"),
        ("any", 3, "3"),
    ],
)
def test_a_word_stays_and_a_number_never_falls(
    rule: str, threshold: int | None, after: str
) -> None:
    written = f"{line('a')}\n{line('b')}\ngroup bodies {rule} a b\nquorum bodies\n"

    made = add(written.encode(), "c", threshold=threshold).decode()

    assert f"group bodies {after} a b c\n" in made


def test_one_witness_that_was_the_quorum_becomes_one_of_two() -> None:
    made = add(f"{line('a')}\nquorum a\n# after\n".encode(), "b").decode()

    assert made == f"{line('a')}\n{line('b')}\ngroup witnesses 2 a b\nquorum witnesses\n# after\n"


def test_a_policy_that_demands_nothing_goes_on_so() -> None:
    assert add(b"quorum none\n", "a").decode() == f"{line('a')}\nquorum none\n"


def test_a_quorum_made_of_groups_is_left_to_whoever_made_it() -> None:
    nested = f"{line('a')}\n{line('b')}\ngroup g any a\ngroup h all g b\nquorum h\n"

    with pytest.raises(PolicyError, match="made of groups"):
        add(nested.encode(), "c")


def test_what_would_be_no_policy_is_not_made() -> None:
    with pytest.raises(PolicyError, match="repeats a key"):
        add(add(None, "a"), "a")
    with pytest.raises(PolicyError, match="a number from 1 to 2"):
        add(add(None, "a"), "b", threshold=3)
    with pytest.raises(PolicyError, match="no quorum line"):
        add(b"", "a")


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "policy"
    policy_file.replace(path, b"one\n")
    path.chmod(0o640)

    policy_file.replace(path, b"two\n")

    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"two\n", 0o640)
    assert [each.name for each in tmp_path.iterdir()] == ["policy"]
