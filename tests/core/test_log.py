import io
import json

import structlog

from core import log

CANARIES = ("001085123456", "+84912345678", "482913", "Nguyễn Văn An", "whsec_c2VjcmV0")


def test_only_what_is_on_the_list_is_written(logged: io.StringIO) -> None:
    log.get_logger("tests").info(
        "message.handled",
        link="hong-ha",
        text=CANARIES[0],
        sender=CANARIES[1],
        pin=CANARIES[2],
        exc_info=ValueError(CANARIES[3]),
        secret=CANARIES[4],
    )

    (line,) = logged.getvalue().splitlines()
    written = json.loads(line)
    assert written.keys() == {"event", "level", "module", "timestamp", "link", "left_out"}
    assert written["left_out"] == 5
    assert not any(canary in line for canary in CANARIES)


def test_a_failure_tells_where_and_never_what(logged: io.StringIO) -> None:
    try:
        try:
            int(CANARIES[0] + "x")
        except ValueError as inner:
            raise RuntimeError(CANARIES[1]) from inner
    except RuntimeError as error:
        log.get_logger("tests").error("it.broke", **log.failure(error))

    line = logged.getvalue()
    written = json.loads(line)
    assert (written["exception_type"], written["cause"]) == ("RuntimeError", "ValueError")
    assert written["where"].startswith(f"{__name__}:")
    assert not any(canary in line for canary in CANARIES)


def test_a_value_cannot_begin_a_line_of_its_own(logged: io.StringIO) -> None:
    log.get_logger("tests").info("odd", link="a\r\nlevel=error\x1b[31m\u2028b" + "c" * 1000)

    (line,) = logged.getvalue().splitlines()
    link = json.loads(line)["link"]
    assert link.startswith("a??level=error?[31m?b")
    assert len(link) == 200


def test_numbers_stay_numbers(logged: io.StringIO) -> None:
    log.get_logger("tests").info("counted", count=3, seconds=0.25, state=None, outcome=True)

    written = json.loads(logged.getvalue())
    assert (written["count"], written["seconds"], written["state"]) == (3, 0.25, None)
    assert written["outcome"] is True


def test_debug_says_nothing(logged: io.StringIO) -> None:
    log.get_logger("tests").debug("quiet", link="hong-ha")

    assert logged.getvalue() == ""


def test_a_terminal_gets_plain_lines() -> None:
    before, stream = structlog.get_config(), io.StringIO()
    log.configure(json=False, stream=stream)

    log.get_logger("tests").warning("seen", pin=CANARIES[2])

    structlog.configure(**before)
    assert "seen" in stream.getvalue()
    assert CANARIES[2] not in stream.getvalue()


def test_no_name_on_the_list_could_hold_a_secret_of_a_citizen() -> None:
    unwanted = {"text", "body", "sender", "to", "phone", "pin", "personal_id", "secret", "exc_info"}

    assert log.ALLOWED.isdisjoint(unwanted)
