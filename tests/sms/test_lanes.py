"""Room is kept for every link, whatever another one does."""

from sms.dispatch import NotStarted
from sms.lanes import Lanes
from sms.links.model import Accepted, Refused, Unknown


def test_a_link_leaves_room_for_the_others() -> None:
    lanes = Lanes(12)

    for _ in range(10):
        lanes.started(1)

    assert lanes.rooms()[1] == 0


def test_a_link_that_does_not_answer_is_tried_one_by_one_until_it_does() -> None:
    lanes = Lanes(12)
    for _ in range(3):
        lanes.started(1)
        lanes.ended(1, Unknown("timeout"))

    narrow = lanes.rooms()[1]
    lanes.started(1)
    lanes.ended(1, Accepted())

    assert narrow == 1
    assert lanes.rooms()[1] == 10


def test_what_was_not_started_says_nothing_about_a_link() -> None:
    lanes = Lanes(12)

    for _ in range(5):
        lanes.started(1)
        lanes.ended(1, NotStarted())
    lanes.started(2)
    lanes.ended(2, Refused("status-503", retryable=True))

    assert lanes.rooms() == {1: 10, 2: 10}
