"""Policy files: the specification's own, every way to be none, and when a quorum was reached."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import policy
from journal.cosignature import Cosigner, WitnessKey
from journal.errors import PolicyError
from journal.note import Signer
from journal.policy import Policy
from tests.fakes import NOON

LOG = str(Signer("log.example/one", bytes([1]) * 32).verifier)
KEYS = {
    name: Cosigner(f"{name}.example", bytes([n]) * 32).key for n, name in enumerate("abcdef", 10)
}
A, B, C = (f"witness {name} {KEYS[name]}" for name in "abc")
# Source: C2SP tlog-policy, its example, with keys of ours in place of those left out there.
EXAMPLE = f"""log {LOG}

witness X1 {KEYS["a"]}
witness X2 {KEYS["b"]}
witness X3 {KEYS["c"]}
group X-witnesses 2 X1 X2 X3

witness Y1 {KEYS["d"]}
witness Y2 {KEYS["e"]}
witness Y3 {KEYS["f"]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def read(*lines: str) -> Policy:
    return policy.parse("".join(f"{line}\n" for line in lines).encode())


def at(found: Policy, **minutes: int) -> datetime | None:
    """Return when the quorum was reached, each witness having cosigned so many minutes past."""
    return found.reached_at(
        {KEYS[name]: NOON + timedelta(minutes=minute) for name, minute in minutes.items()}
    )


def test_the_example_of_the_specification_is_understood() -> None:
    found = policy.parse(EXAMPLE.encode())

    assert [str(log.key) for log in found.logs] == [LOG]
    assert [witness.name for witness in found.witnesses] == ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    assert [(group.name, group.threshold) for group in found.groups] == [
        ("X-witnesses", 2),
        ("Y-witnesses", 1),
        ("X-and-Y", 2),
    ]
    assert found.quorum == "X-and-Y"


@pytest.mark.parametrize(
    ("who", "reached"),
    [
        ("", False), ("ab", False), ("d", False), ("def", False), ("ad", False), ("abc", False),
        ("abd", True), ("bcf", True), ("abcdef", True),
    ],
)  # fmt: skip
def test_the_example_takes_two_of_the_first_and_one_of_the_second(who: str, reached: bool) -> None:
    found = policy.parse(EXAMPLE.encode())

    assert (at(found, **dict.fromkeys(who, 1)) is not None) is reached


@pytest.mark.parametrize(
    ("threshold", "minute"), [("any", 9), ("1", 9), ("2", 5), ("3", 1), ("all", 1)]
)
def test_a_group_stands_since_the_last_that_it_takes(threshold: str, minute: int) -> None:
    found = read(A, B, C, f"group g {threshold} a b c", "quorum g")

    assert at(found, a=5, b=1, c=9) == NOON + timedelta(minutes=minute)


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 100)), st.sampled_from("abc"), st.data()
)
def test_a_newer_cosignature_never_makes_a_quorum_older(
    minutes: dict[str, int], who: str, data: st.DataObject
) -> None:
    found = read(A, B, C, "group g 2 a b c", "quorum g")
    later = minutes.get(who, 0) + data.draw(st.integers(0, 50))

    before, after = at(found, **minutes), at(found, **{**minutes, who: later})

    assert before is None or (after is not None and after >= before)


def test_one_witness_alone_may_be_the_quorum() -> None:
    found = read(A, B, "quorum b")

    assert at(found, a=3) is None
    assert at(found, b=3) == NOON + timedelta(minutes=3)


def test_a_policy_may_demand_nothing() -> None:
    assert read("quorum none") == Policy((), (), (), None)
    assert at(read(A, "quorum none"), a=3) is None


def test_blanks_comments_and_other_scripts_are_allowed() -> None:
    found = read(
        "# ai làm chứng", "", " \t ", f"\t witness \t nhân-chứng  {KEYS['a']}\thttps://w.example/ ",
        "  # nữa", "quorum nhân-chứng",
    )  # fmt: skip

    assert [(one.name, one.url) for one in found.witnesses] == [("nhân-chứng", "https://w.example")]


def test_names_are_octets() -> None:
    kelvin = f"witness \N{KELVIN SIGN} {KEYS['a']}\nwitness K {KEYS['b']}\nquorum K\n".encode()
    odd = f"witness \xff {KEYS['a']}\nwitness \xfe {KEYS['b']}\nquorum \xff\n".encode("latin-1")

    assert len(policy.parse(kelvin).witnesses) == len(policy.parse(odd).witnesses) == 2


def test_thirty_two_of_each_are_taken() -> None:
    keys = [Cosigner(f"w{n}.example", bytes([100 + n]) * 32).key for n in range(32)]
    logs = [Signer(f"l{n}.example", bytes([200, n]) * 16).verifier for n in range(32)]
    lines = [f"log {log}" for log in logs]
    lines += [f"witness w{n} {key}" for n, key in enumerate(keys)]
    lines += [f"group g{n} all w{n}" for n in range(32)]

    found = read(*lines, "quorum g31")

    assert (len(found.logs), len(found.witnesses), len(found.groups)) == (32, 32, 32)


RENAMED = str(WitnessKey("renamed.example", KEYS["a"].public))
FAULTS = {
    "no quorum": ([A], "there is no quorum line"),
    "two quorums": ([A, "quorum a", "quorum a"], "line 3 is a second quorum line"),
    "an unknown quorum": ([A, "quorum b"], "line 2 names 'b'"),
    "a quorum of two": ([A, B, "quorum a b"], "line 3 must be: quorum NAME"),
    "an unknown word": ([A, "quorums a", "quorum a"], "line 2 begins with none of"),
    "words are told by case": ([A, "Quorum a", "quorum a"], "line 2 begins with none of"),
    "an unknown member": ([A, "group g any a b", "quorum g"], "line 2 has the member 'b'"),
    "a member defined later": (["group g any a", A, "quorum g"], "line 1 has the member 'a'"),
    "a member of itself": ([A, "group g any g", "quorum a"], "line 2 has the member 'g'"),
    "a member none": ([A, "group g any none", "quorum a"], "line 2 has the member 'none'"),
    "a member twice": ([A, "group g any a a", "quorum g"], "line 2 has the member 'a', which is a"),
    "a member of two": (
        [A, "group g any a", "group h any a", "quorum g"],
        "line 3 has the member 'a', which is a group's member already",
    ),
    "no members": ([A, "group g any", "quorum a"], "line 2 must be: group"),
    "a threshold of nothing": ([A, "group g 0 a", "quorum g"], "line 2 wants all, any, or"),
    "a threshold too high": ([A, "group g 2 a", "quorum g"], "a number from 1 to 1"),
    "a threshold in words": ([A, "group g one a", "quorum g"], "line 2 wants all, any, or"),
    "a threshold below": ([A, "group g -1 a", "quorum g"], "line 2 wants all, any, or"),
    "a name twice": ([A, f"witness a {KEYS['b']}", "quorum a"], "line 2 defines 'a', which is"),
    "a group named as a witness": ([A, "group a any a", "quorum a"], "line 2 defines 'a'"),
    "a witness none": ([f"witness none {KEYS['a']}", "quorum none"], "line 1 defines 'none'"),
    "a key twice": ([A, f"witness b {KEYS['a']}", "quorum a"], "line 2 repeats a key"),
    "a key under two names": ([A, f"witness b {RENAMED}", "quorum a"], "line 2 repeats a key"),
    "a log twice": ([f"log {LOG}", f"log {LOG}", "quorum none"], "line 2 repeats a key"),
    "a log's key for a witness": ([f"witness a {LOG}", "quorum a"], "line 1 does not hold a witn"),
    "a witness's key for a log": ([f"log {KEYS['a']}", "quorum none"], "line 1 does not hold a"),
    "no key": (["witness a", "quorum a"], "line 1 must be: witness NAME VKEY [URL]"),
    "no name": ([f"witness {KEYS['a']}", "quorum none"], "line 1 must be: witness NAME VKEY"),
    "half a key": ([A[:-4], "quorum a"], "line 1 does not hold a witness's Ed25519 key"),
    "too many words": ([f"{A} https://a.example b", "quorum a"], "line 1 must be: witness"),
    "a log with a name": ([f"log one {LOG} https://a.example", "quorum none"], "must be: log VKEY"),
    "a plain URL": ([f"{A} http://a.example", "quorum a"], "line 1 has a URL that is not https"),
    "an address": ([f"{A} a.example", "quorum a"], "line 1 has a URL that is not https"),
    "a carriage return": ([f"{A}\r", "quorum a"], "line 1 holds a control character"),
    "a form feed": ([A, "quorum\fa"], "line 2 holds a control character"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "told"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_policy_is_told_by_line(lines: list[str], told: str) -> None:
    with pytest.raises(PolicyError) as raised:
        read(*lines)

    assert any(told in fault for fault in raised.value.faults), raised.value.faults


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(PolicyError) as raised:
        read("log x", f"witness none {KEYS['a']}", "group g 7 a", "witness", "quorum zz", "odd")

    assert [fault.split()[1] for fault in raised.value.faults] == [
        "1",
        "2",
        "3",
        "3",
        "4",
        "5",
        "6",
    ]


def test_a_policy_ends_in_a_newline_and_is_no_book() -> None:
    with pytest.raises(PolicyError, match="does not end in a newline"):
        policy.parse(b"quorum none")
    with pytest.raises(PolicyError, match="larger"):
        policy.parse(b"#" * (2 << 20))


@given(st.binary())
def test_any_octets_are_a_policy_or_a_list_of_faults(octets: bytes) -> None:
    with suppress(PolicyError):
        policy.parse(octets)


def test_a_policy_that_a_service_cannot_go_by_is_told_so() -> None:
    bare = read(f"log {LOG}", A, f"{B} https://b.example", "quorum b")

    assert policy.unfit(bare, [LOG]) == ["witness 'a' has no URL to ask it at"]
    assert "which would be: log another" in policy.unfit(bare, ["one", "another"])[1]
    assert policy.unfit(read(f"{B} https://b.example", "quorum b"), ["another"]) == []


def test_while_one_key_follows_another_either_is_enough() -> None:
    old = read(f"log {LOG}", "quorum none")

    assert policy.unfit(old, [LOG, "newer"]) == []
    assert policy.unfit(old, ["older", LOG]) == []
    assert len(policy.unfit(old, ["newer"])) == 1
