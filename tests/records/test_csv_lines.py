import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.csv_lines import _LONGEST_READ, LONGEST, Cells, Lines, Refusal
from records.errors import PeopleFileError

FULL = "001,An,Xã B"


def read(data: bytes, columns: int = 3) -> list[Cells | Refusal]:
    lines = Lines(io.BytesIO(data))
    lines.columns = columns
    return list(lines)


def refused(data: bytes) -> dict[int, str]:
    return {line.line: line.reason for line in read(data) if isinstance(line, Refusal)}


def taken(data: bytes) -> dict[int, list[str]]:
    return {line.line: line.cells for line in read(data) if isinstance(line, Cells)}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_lines_are_split_whatever_they_end_and_begin_with(end: bytes, mark: bytes) -> None:
    data = mark + end.join([b"a,b,c", b"", b'"x, ""y""",,z'])

    assert taken(data) == {1: ["a", "b", "c"], 3: ['x, "y"', "", "z"]}


def test_blank_lines_are_passed_over_and_counted() -> None:
    assert taken(b"a,b\n\n  \n\r\nc,d\n\n") == {1: ["a", "b"], 5: ["c", "d"]}


def test_bytes_that_are_not_utf_8_are_told_by_their_place_in_the_file() -> None:
    data = b"\xef\xbb\xbfa,b\nx,Nguy\xean\nc,d\n"

    assert refused(data) == {2: "not UTF-8 at byte 13 of the file (its first is byte 0)"}
    assert data[13] == 0xEA
    assert taken(data) == {1: ["a", "b"], 3: ["c", "d"]}


def test_a_fault_in_the_first_line_is_told_by_its_place_behind_the_mark() -> None:
    data = b"\xef\xbb\xbfa,\xff\n"

    assert refused(data) == {1: "not UTF-8 at byte 5 of the file (its first is byte 0)"}


@pytest.mark.parametrize("code", [0x00, 0x07, 0x09, 0x0B, 0x0D, 0x1B, 0x7F, 0x85, 0x9B, 0x2028])
def test_control_characters_are_refused_by_name(code: int) -> None:
    data = f"a,b{chr(code)}b,c\nd,e,f\n".encode()

    assert refused(data) == {1: f"a control character, U+{code:04X}"}
    assert taken(data) == {2: ["d", "e", "f"]}


def test_a_line_that_is_too_long_is_refused_alone() -> None:
    data = b"a,b\n" + b"x" * LONGEST + b"\nc,d\n"

    assert list(refused(data)) == [2]
    assert taken(data) == {1: ["a", "b"], 3: ["c", "d"]}


def test_a_line_without_end_is_no_csv() -> None:
    with pytest.raises(PeopleFileError, match="line 2 has no end"):
        read(b"a,b\n" + bytes(_LONGEST_READ))


@pytest.mark.parametrize("line", ['a,b"c",d', '"a"b,c,d', '"a" ,b,c'])
def test_a_quotation_mark_inside_a_cell_is_refused(line: str) -> None:
    assert list(refused(f"{line}\n{FULL}\n".encode())) == [1]
    assert list(taken(f"{line}\n{FULL}\n".encode())) == [2]


@pytest.mark.parametrize("stray", ['"001,An,Xã B', '001,"An,Xã B', '"'])
def test_a_quotation_mark_that_strayed_costs_its_line_alone(stray: str) -> None:
    data = f'{FULL}\n{stray}\n{FULL}\n{FULL}\n{stray}\n001,"An","Xã ""B"""\n'.encode()

    assert list(refused(data)) == [2, 5]
    assert list(taken(data)) == [1, 3, 4, 6]


def test_between_two_marks_that_may_belong_together_nothing_is_taken() -> None:
    data = f'{FULL}\n001,An,"\n{FULL}\n001,An,"\n{FULL}\n'.encode()

    assert refused(data) == {2: "a quoted cell holds line breaks (lines 2 to 4)"}
    assert list(taken(data)) == [1, 5]


def test_a_cell_over_several_lines_is_refused_with_all_of_them() -> None:
    data = f'{FULL}\n002,"An\nNguyễn\n",Xã C\n{FULL}\n'.encode()

    assert refused(data) == {2: "a quoted cell holds line breaks (lines 2 to 4)"}
    assert list(taken(data)) == [1, 5]


@pytest.mark.parametrize("before", ["", "\x07", "\x00"])
def test_a_row_inside_somebodys_quoted_text_is_not_a_row(before: str) -> None:
    smuggled = f"x{before}\n{FULL}\ny"
    out = io.StringIO()
    csv.writer(out).writerows([("002", smuggled, "C"), ("003", "Ba", smuggled), ("004", "D", "E")])

    assert list(taken(out.getvalue().encode()).values()) == [["004", "D", "E"]]


def test_a_row_inside_text_that_is_too_long_or_no_utf_8_is_not_a_row() -> None:
    inside = f"\n{FULL}\ny"
    long = f'002,"{"x" * LONGEST}{inside}",C\n004,D,E\n'.encode()
    other = b'002,"\xff' + inside.encode() + b'",C\n004,D,E\n'

    assert list(taken(long).values()) == [["004", "D", "E"]]
    assert list(taken(other).values()) == [["004", "D", "E"]]


cells = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=20)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1), st.sampled_from([0, 1]))
def test_what_the_standard_writer_writes_is_read_back(
    rows: list[tuple[str, str, str]], quoting: int
) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=(csv.QUOTE_MINIMAL, csv.QUOTE_ALL)[quoting]).writerows(rows)
    # U+FEFF before everything else is a mark, not a character.
    written = ("h,h,h\n" + out.getvalue()).encode()

    assert [tuple(found) for found in taken(written).values()][1:] == rows


@given(st.binary(max_size=300))
def test_reading_is_total_and_ends(data: bytes) -> None:
    found = read(data)

    assert len(found) <= data.count(b"\n") + 1
