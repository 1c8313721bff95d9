from hypothesis import given
from hypothesis import strategies as st

from records.id_set import _MOST_LISTED, IdSet
from records.personal_id import PersonalId

numbers = st.from_regex(r"00[0-1]085[0-9]{6}", fullmatch=True).map(PersonalId)


@given(st.lists(numbers))
def test_it_says_the_same_as_a_set(added: list[PersonalId]) -> None:
    ours, plain = IdSet(), set[PersonalId]()

    for number in added:
        assert ours.add(number) == (number not in plain)
        plain.add(number)


def test_many_numbers_that_begin_alike_are_still_told_apart() -> None:
    ours = IdSet()
    many = [PersonalId(f"001085{n:06}") for n in range(0, 3 * _MOST_LISTED, 2)]

    assert all(ours.add(number) for number in many)

    assert not any(ours.add(number) for number in many)
    assert ours.add(PersonalId("001085000001"))
    assert ours.add(PersonalId("001085999999"))
