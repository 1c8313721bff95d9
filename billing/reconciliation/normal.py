"""The normal form of call records, and the SQL that brings a mapping's columns into it.

id, direction ("mo", "mt"), at_us (microseconds since 1970), parts, encoding, carried, amount
(hundredths of a dong; NULL where the file has no amounts). What cannot be read is NULL on the way,
and no NULL of those gets into a file that is kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from billing.reconciliation.engine import name, text
from billing.reconciliation.mapping import CdrMapping, MoneyForm, TimeForm, Unit

_AN_ID = "must be 1 to 100 visible ASCII characters, and no formula"
_A_WAY = "holds a word that [directions] does not have"
_AN_ENCODING = "holds a word that [encodings] does not have"
_A_STATUS = "holds a word that [statuses] does not have"
_AN_AMOUNT = "is no amount as [amount] says, or is finer than a hundredth of a dong"
_FOREIGN = "says that this is another operator's or service's record"
_MICROSECOND_OF = {"epoch": 1_000_000, "epoch_ms": 1000}
# As many as years of four digits have.
_DIGITS_OF = {"epoch": 11, "epoch_ms": 14}


@dataclass(frozen=True, slots=True)
class Check:
    """A column of the normal form, and what is wrong where it is NULL."""

    column: str
    sql: str
    reason: str


def checks(mapping: CdrMapping, types: Mapping[str, str]) -> tuple[Check, ...]:
    """Return every column of the normal form, and a `foreign_*` one for each word expected.

    Shape: *types* are the columns' own types; what is no VARCHAR comes from Parquet.
    """
    columns = mapping.columns
    told = [
        ("id", columns.id, _ident(columns.id), _AN_ID),
        ("direction", columns.direction, _words(columns.direction, mapping.directions), _A_WAY),
        (
            "at_us",
            columns.at,
            _instant(columns.at, mapping.time, types),
            "is no time as [time] says",
        ),
    ]
    if column := columns.parts or columns.part:
        told.append(("parts", column, _parts(column), "must be a whole number from 1 to 255"))
    if column := columns.encoding:
        told.append(("encoding", column, _words(column, mapping.encodings), _AN_ENCODING))
    if column := columns.status:
        carried = (word for word, is_carried in mapping.statuses.items() if is_carried)
        lost = (word for word, is_carried in mapping.statuses.items() if not is_carried)
        sql = _case(column, ((carried, "true"), (lost, "false")))
        told.append(("carried", column, sql, _A_STATUS))
    if column := columns.amount:
        told.append(("amount", column, _amount(column, mapping.money), _AN_AMOUNT))
    for number, (column, words) in enumerate(mapping.expect.items()):
        told.append((f"foreign_{number}", column, _case(column, ((words, "true"),)), _FOREIGN))
    return tuple(
        Check(made, sql, f"column {column} {reason}") for made, column, sql, reason in told
    )


def defaults(mapping: CdrMapping) -> tuple[str, ...]:
    """Return the columns of the normal form that a file has no column for."""
    absent = []
    if not mapping.columns.encoding:
        absent.append("NULL::VARCHAR AS encoding")
    if not mapping.columns.status:
        absent.append("true AS carried")
    if not mapping.columns.amount:
        absent.append("NULL::BIGINT AS amount")
    return tuple(absent)


def _plain(column: str) -> str:
    return f"CAST({name(column)} AS VARCHAR)"


def _ident(column: str) -> str:
    cell = _plain(column)
    # The length apart: as a bound of the pattern it would cost more than the pattern.
    is_id = f"length({cell}) <= 100 AND regexp_full_match({cell}, '[!-<>-~][!-~]*')"
    return f"CASE WHEN {is_id} THEN {cell} END"


def _words(column: str, words: Mapping[str, str]) -> str:
    meanings: dict[str, list[str]] = {}
    for word, meaning in words.items():
        meanings.setdefault(meaning, []).append(word)
    return _case(column, ((each, text(meaning)) for meaning, each in meanings.items()))


def _case(column: str, arms: Iterable[tuple[Iterable[str], str]]) -> str:
    written = " ".join(
        f"WHEN {text(word)} THEN {meaning}" for words, meaning in arms for word in words
    )
    return f"CASE {_plain(column)} {written} END" if written else "NULL"


def _instant(column: str, form: TimeForm, types: Mapping[str, str]) -> str:
    kind = types.get(column, "VARCHAR")
    ahead = form.zone.days * 86_400_000_000 + form.zone.seconds * 1_000_000
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({name(column)})"
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({name(column)}::TIMESTAMP) - {ahead}"
    if unit := _MICROSECOND_OF.get(form.format):
        cell = _plain(column)
        most = _DIGITS_OF[form.format]
        digits = f"CASE WHEN regexp_full_match({cell}, '[0-9]{{1,{most}}}') THEN {cell} END"
        return f"TRY_CAST({digits} AS BIGINT) * {unit}"
    return f"epoch_us(try_strptime({_plain(column)}, {text(form.format)})) - {ahead}"


def _parts(column: str) -> str:
    cell = _plain(column)
    digits = f"CASE WHEN regexp_full_match({cell}, '[1-9][0-9]{{0,2}}') THEN {cell} END"
    return f"CAST(TRY_CAST({digits} AS UTINYINT) AS INTEGER)"


def _amount(column: str, form: MoneyForm) -> str:
    cell = _plain(column)
    if form.thousands:
        cell = f"replace({cell}, {text(form.thousands)}, '')"
    if form.decimal != ".":
        # A point must not pass for the decimal sign it is not.
        cell = f"replace(replace({cell}, '.', '?'), {text(form.decimal)}, '.')"
    if form.unit is Unit.HUNDREDTHS:
        return (
            f"CAST(CASE WHEN regexp_full_match({cell}, '[0-9]{{1,14}}') THEN {cell} END AS BIGINT)"
        )
    digits = (
        f"CASE WHEN regexp_full_match({cell}, '[0-9]{{1,12}}(\\.[0-9]{{1,2}})?') THEN {cell} END"
    )
    return f"CAST(CAST({digits} AS DECIMAL(18, 2)) * 100 AS BIGINT)"
