"""Whose turn it is: everybody's, in an order and a mix that the seed decides."""

from collections import Counter
from pathlib import Path

from benchmark.people import MIX, PASSES, Kind, Person, read, turns

PEOPLE = [Person(f"{number:012d}", f"+84912{number:06d}") for number in range(4000)]


def test_everybody_has_as_many_turns_as_the_quotas_let_them() -> None:
    asked = Counter(turn.person for turn in turns(PEOPLE, "seed"))

    assert asked == dict.fromkeys(PEOPLE, PASSES)


def test_nobody_has_a_second_turn_before_everybody_had_one() -> None:
    first = [turn.person for turn in turns(PEOPLE, "seed")][: len(PEOPLE)]

    assert set(first) == set(PEOPLE)
    assert first != PEOPLE


def test_a_seed_repeats_its_turns_and_another_has_others() -> None:
    once, again, other = (list(turns(PEOPLE, seed)) for seed in ("a", "a", "b"))

    assert once == again
    assert once != other


def test_the_mix_is_that_of_the_workload() -> None:
    kinds = Counter(turn.kind for turn in turns(PEOPLE, "seed"))

    assert sum(MIX.values()) == 100
    for kind, share in MIX.items():
        assert abs(100 * kinds[kind] / kinds.total() - share) < 1


def test_only_a_foreign_number_is_not_the_persons_own_and_none_comes_twice() -> None:
    phones = {person.phone for person in PEOPLE}

    all_turns = list(turns(PEOPLE, "seed"))

    foreign = [turn.phone for turn in all_turns if turn.kind is Kind.FOREIGN]
    assert len(foreign) == len(set(foreign))
    assert not phones.intersection(foreign)
    assert all(
        turn.phone == turn.person.phone for turn in all_turns if turn.kind is not Kind.FOREIGN
    )


def test_people_without_a_number_of_their_own_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "personal_id,phone,status\n"
        "1,+84912000001,active\n"
        "2,,active\n"
        "3,+84912000003,deceased\n"
        "4,+84912000004,active\n"
        "5,+84912000004,active\n"
    )

    people = read(file)

    assert people == [Person("1", "+84912000001")]
