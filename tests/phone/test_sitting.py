"""A sitting with a phone in the terminal, against the played gateway."""

import io

import pytest
from rich.console import Console

from core.clock import SystemClock
from phone import script
from phone.handset import Handset
from phone.mailbox import Mailbox
from phone.network import Network
from phone.sitting import Sitting
from phone.subscribers import Subscriber
from phone.terminal import Screen
from tests.phone.played import SUBSCRIBERS, PlayedGateway

LOOKUP = "DC {id}\n< CSDLDC: Ma xac thuc *\nXN {pin}\n< CSDLDC: NGUYEN THI PHUONG THAO, *\n"


def find(number: str) -> Subscriber | None:
    return next((each for each in SUBSCRIBERS if each.number == number), None)


@pytest.fixture
def output() -> io.StringIO:
    """What the terminal shows."""
    return io.StringIO()


@pytest.fixture
def sitting(
    network: Network, mailbox: Mailbox, gateway: PlayedGateway, output: io.StringIO
) -> Sitting:
    """A phone in hand, on a console that is no terminal."""
    handset = Handset(network, mailbox, gateway, SystemClock(), SUBSCRIBERS[0])
    screen = Screen(Console(file=output, highlight=False, width=200), "12345")
    return Sitting(handset, screen, find, SUBSCRIBERS)


def test_a_lookup_goes_as_written(sitting: Sitting, output: io.StringIO) -> None:
    differences = sitting.run(script.parse(LOOKUP), strict=True)

    assert differences == []
    sent, pin, answer, result = output.getvalue().splitlines()
    assert "you » DC 999185000101  [15/160 GSM-7, 1 segment]" in sent
    assert pin.startswith("12345 « CSDLDC: Ma xac thuc 482913")
    assert "ms · PIN · journal #11]" in pin
    assert "you » XN 482913" in answer
    assert "RESULT · journal #12]" in result


def test_a_reply_that_differs_is_told_with_its_line(sitting: Sitting) -> None:
    (difference,) = sitting.run(script.parse("HD\n< something else\n"), strict=False)

    assert difference.startswith("line 2: expected something else\n  got CSDLDC: Soan DC")


@pytest.mark.parametrize(("strict", "found"), [(False, 0), (True, 1)])
def test_a_reply_that_no_line_expects_differs_only_when_all_must_be(
    sitting: Sitting, *, strict: bool, found: int
) -> None:
    assert len(sitting.run(script.parse("HD\n"), strict=strict)) == found


def test_an_expectation_without_a_text_before_it_is_a_fault_of_the_script(sitting: Sitting) -> None:
    differences = sitting.run(script.parse("< *\nHD\n< *\n< *\n"), strict=True)

    assert differences == [
        "line 1: nothing is sent before this reply",
        "line 4: nothing is sent before this reply",
    ]


def test_the_same_message_again_brings_no_second_reply(
    sitting: Sitting, gateway: PlayedGateway, output: io.StringIO
) -> None:
    assert sitting.run(script.parse("HD\n< *\n:dup\n<\n"), strict=True) == []

    assert len(gateway.accepted) == 2
    assert len(set(gateway.accepted)) == 1
    assert "sent again under the same id: accepted (202), and no second reply" in output.getvalue()


def test_another_phone_may_be_taken_up(sitting: Sitting, output: io.StringIO) -> None:
    assert sitting.type(":as +84912345679")
    assert sitting.type(":as 113")
    assert sitting.type("DC {id}")

    assert "12345 · Hồng Hà · 0912 345 679 · Trần Văn Đức · 999075000202" in output.getvalue()
    assert "no made-up person has the number 113" in output.getvalue()
    assert "you » DC 999075000202" in output.getvalue()


def test_a_gateway_that_does_not_answer_is_told(sitting: Sitting, output: io.StringIO) -> None:
    network = sitting.handset.network
    lost = Network(
        network.link, "http://127.0.0.1:9", short_code="12345",
        mailbox=sitting.handset.mailbox, clock=SystemClock(),
    )  # fmt: skip
    sitting.handset.network = lost

    assert sitting.type("HD")
    differences = sitting.run(script.parse("HD\n< *"), strict=False)

    assert "the gateway was not reached" in output.getvalue()
    assert len(differences) == 1


def test_a_sitting_ends_when_it_is_told_to(sitting: Sitting) -> None:
    assert sitting.type("")
    assert sitting.type(":help")
    assert sitting.type(":who")
    assert sitting.type(":dup")
    assert not sitting.type(":q")


def test_what_came_unasked_is_shown_once(
    sitting: Sitting, gateway: PlayedGateway, output: io.StringIO
) -> None:
    gateway.send(SUBSCRIBERS[0].number, "CSDLDC: late", "in-of-another-sitting")

    sitting.show_arrived()
    sitting.show_arrived()

    assert output.getvalue().count("CSDLDC: late") == 1


def test_a_terminal_shows_colours_and_a_hanging_thread(sitting: Sitting) -> None:
    output = io.StringIO()
    console = Console(
        file=output, force_terminal=True, width=60, highlight=False, _environ={"TERM": "xterm"}
    )
    sitting.screen = Screen(console, "12345")

    sitting.type("HD", echo=False)

    assert "\x1b[" in output.getvalue()
    assert "2/160 GSM-7, 1 segment" in output.getvalue()


def test_no_color_is_heeded(sitting: Sitting) -> None:
    output = io.StringIO()
    console = Console(
        file=output, force_terminal=True, width=60, highlight=False,
        _environ={"TERM": "xterm", "NO_COLOR": "1"},
    )  # fmt: skip
    sitting.screen = Screen(console, "12345")

    sitting.type("HD")

    assert "\x1b[36" not in output.getvalue()
    assert "\x1b[32" not in output.getvalue()


def test_a_text_that_is_never_answered_is_not_waited_for(
    sitting: Sitting, output: io.StringIO
) -> None:
    assert sitting.run(script.parse("shh\n<\n"), strict=True) == []

    assert "no reply: the service has the text as refused" in output.getvalue()
