"""The minutes of reconciliation (biên bản đối soát): what both sides sign, in Vietnamese.

Built once and written as a workbook, as CSV and as a page to print; the words of the sum to be
paid are those of `billing.words`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from billing import lines, words
from billing.carried import Section
from billing.lines import Line, Rating, Terms
from billing.statements import State, Statement
from billing.usage import Direction

TITLE = "BIÊN BẢN ĐỐI SOÁT SẢN LƯỢNG VÀ CƯỚC"
HEADINGS = (
    "TT", "Đầu số", "Chiều tin", "Bảng mã", "Giá từ ngày", "Đơn giá (đồng/phần)", "Số tin",
    "Số phần", "Thành tiền (đồng)", "Trong đó VAT (đồng)", "Bên B hưởng (đồng)",
)  # fmt: skip
# Of each column beside the others, about as many characters.
WIDTHS = (5, 11, 24, 9, 12, 13, 11, 11, 18, 17, 18)
FIRST_FIGURE = 5
FIRST_COUNT = 6
FIRST_AMOUNT = 8
_HUNDREDTHS = 100

_DIRECTIONS = {Direction.MO: "Tin đến (MO)", Direction.MT: "Tin trả lời (MT)"}
_SUMS = {Direction.MO: "Cộng tin đến (MO)", Direction.MT: "Cộng tin trả lời (MT)"}
_ENCODINGS = {"gsm7": "GSM-7", "ucs2": "UCS-2"}
_RATINGS = {Rating.UNBILLED: "không tính cước", Rating.UNPRICED: "CHƯA CÓ GIÁ"}
_STATES = {
    State.DRAFT: "Dự thảo, chưa gửi nhà mạng",
    State.SENT: "Đã gửi nhà mạng, chờ đối chiếu",
    State.MATCHED: "Số liệu hai bên khớp",
    State.DIFFERENT: "Số liệu hai bên lệch",
    State.SIGNED: "Đã ký",
    State.SETTLED: "Đã ký, đã bù trừ",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Shape: *label* are the first cells, one for all of them in a row of sums; *counts* are messages
    and parts. Units: *amounts* and *price* in hundredths of a dong; None where there is none.
    """

    label: tuple[str, ...]
    price: int | None
    counts: tuple[int, int]
    amounts: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading, with the sums of each direction."""

    title: str
    rows: tuple[Row, ...]
    sums: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """Everything that the minutes of a month say.

    Units: *payable* in hundredths of a dong.
    """

    operator: str
    month: str
    state: str
    is_draft: bool
    tables: tuple[Table, ...]
    netting: tuple[tuple[str, int], ...]
    payer: str
    payable: int
    in_words: str
    facts: tuple[tuple[str, str], ...]


def of(statement: Statement, kept: Sequence[Line]) -> Minutes:
    """Write the minutes of a statement."""
    sums = {direction: lines.total(kept, direction) for direction in Direction}
    net = statement.net_hundredths
    return Minutes(
        operator=statement.operator,
        month=f"{statement.period.month:02}/{statement.period.year}",
        state=_STATES[statement.state],
        is_draft=statement.state is State.DRAFT,
        tables=tuple(_tables(kept)),
        netting=(
            ("Bên A phải trả Bên B (phần Bên B hưởng của tin đến)", sums[Direction.MO].share),
            ("Bên B phải trả Bên A (cước tin trả lời)", sums[Direction.MT].amount),
        ),
        payer=_payer(net),
        payable=abs(net),
        in_words=words.dong(abs(net)),
        facts=_facts(statement),
    )


def amount(hundredths: int) -> str:
    """Write a sum of money as it is written in Viet Nam: 1.234,50."""
    sign, value = "-" if hundredths < 0 else "", abs(hundredths)
    whole = count(value // _HUNDREDTHS)
    rest = value % _HUNDREDTHS
    return f"{sign}{whole},{rest:02}" if rest else f"{sign}{whole}"


def count(value: int) -> str:
    """Write a whole number as it is written in Viet Nam: 1.234."""
    return f"{value:,}".replace(",", ".")


def _tables(kept: Sequence[Line]) -> Iterable[Table]:
    titles = {
        Section.USAGE: "Sản lượng và cước trong kỳ",
        Section.CORRECTION: "Điều chỉnh các kỳ đã chốt",
        Section.TEST: "Tin thử nghiệm, không tính cước",
        Section.QUARANTINED: "Tin bị cách ly, không tính cước",
    }
    for section, title in titles.items():
        ours = [line for line in kept if line.terms.section is section]
        if ours or section is Section.USAGE:
            rows = tuple(_row(place, line) for place, line in enumerate(ours, start=1))
            yield Table(title, rows, tuple(_sums(ours)))


def _row(place: int, line: Line) -> Row:
    terms = line.terms
    return Row(
        (
            str(place),
            terms.short_code or "-",
            _named(terms),
            _ENCODINGS.get(terms.encoding, terms.encoding),
            _day(terms.valid_from) or _RATINGS.get(terms.rating, "-"),
        ),
        terms.price_hundredths if terms.rating is Rating.PRICED else None,
        (line.messages, line.parts),
        (line.amount, line.vat, line.share),
    )


def _sums(ours: Sequence[Line]) -> Iterable[Row]:
    for direction in Direction:
        found = [line for line in ours if line.terms.direction is direction]
        if found:
            summed = lines.summed(found)
            counts = (summed.messages, summed.parts)
            amounts = (summed.amount, summed.vat, summed.share)
            yield Row((_SUMS[direction],), None, counts, amounts)


def _named(terms: Terms) -> str:
    direction = _DIRECTIONS[terms.direction]
    if not terms.corrects:
        return direction
    year, _, month = terms.corrects.partition("-")
    return f"{direction}, kỳ {month}/{year}"


def _payer(net: int) -> str:
    if net == 0:
        return "Sau bù trừ, hai bên không phải trả nhau"
    side = "Bên A phải trả Bên B" if net > 0 else "Bên B phải trả Bên A"
    return f"Sau bù trừ, {side}"


def _day(text: str) -> str:
    year, _, rest = text.partition("-")
    month, _, day = rest.partition("-")
    return f"{day}/{month}/{year}" if text else ""


def _facts(statement: Statement) -> tuple[tuple[str, str], ...]:
    said = [("Mã kiểm tra số liệu (SHA-256)", statement.digest)]
    if statement.file_digest:
        said.append(("Tệp đối soát của Bên A (SHA-256)", statement.file_digest))
    if statement.difference_hundredths is not None:
        said.append(
            ("Chênh lệch, số Bên A trừ số Bên B", f"{amount(statement.difference_hundredths)} đồng")
        )
    if statement.agreed:
        said.append(("Hai bên thống nhất", statement.agreed))
    if statement.reference:
        said.append(("Chứng từ bù trừ", statement.reference))
    return tuple(said)
