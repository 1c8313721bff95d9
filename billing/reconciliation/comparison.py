"""The comparison: our records and the operator's, joined by message id and direction.

Every record that differs falls into exactly one class, and the classes together explain the
difference of the totals to the hundredth of a dong. The order of records, and how they are split
into files, change nothing. Source: docs/billing.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from billing.periods import Period
from billing.reconciliation.engine import Engine, text, texts
from billing.reconciliation.intake import micro
from billing.reconciliation.mapping import Tolerance
from billing.reconciliation.pricing import Pricing

STEPS = 11
_MICROSECOND = timedelta(microseconds=1)
# Days in Viet Nam, as text; epoch and zone are far from any overflow.
_DAY = "strftime(make_timestamp({at} + 25200000000), '%Y-%m-%d')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is compared.

    Shape: *ours* holds usage from before and after the period too; *theirs* are the period's files,
    *before* and *after* those of the months beside it, none where they are not imported. *mapping*
    is the digest of what the tolerance stands in.
    """

    period: Period
    ours: Path
    theirs: Sequence[Path]
    before: Sequence[Path]
    after: Sequence[Path]
    pricing: Pricing
    tolerance: Tolerance
    mapping: str = ""


def compare(duck: Engine, sides: Sides) -> None:
    """Make the tables `total`, `daily` and `difference` in *duck*."""
    _views(duck, sides)
    _sums(duck)
    _suspected(duck, sides)
    _apart(duck, sides)
    _edges(duck, sides)
    duck.run(
        "CREATE TABLE difference AS SELECT class, reason, id, direction, o_at, t_at, o_parts, "
        "t_parts, o_amount, t_amount, coalesce(t_amount, 0) - coalesce(o_amount, 0) AS amount "
        "FROM classed"
    )


def _views(duck: Engine, sides: Sides) -> None:
    first, last = sides.period.first_day.isoformat(), sides.period.last_day.isoformat()
    is_ours = f"day BETWEEN {text(first)} AND {text(last)}"
    amount = f"parts * {sides.pricing.per_part('day')}"
    columns = "id, direction, at_us, parts, encoding"
    duck.run(
        f"CREATE VIEW all_ours AS SELECT {columns}, day, short_code, {amount} AS amount, "
        f"is_aside, {is_ours} AND NOT is_aside AS is_ours FROM read_parquet({text(sides.ours)})"
    )
    duck.run("CREATE VIEW ours AS SELECT * EXCLUDE (is_ours, is_aside) FROM all_ours WHERE is_ours")
    for view, files in (
        ("theirs", sides.theirs),
        ("near", [*sides.before, *sides.after]),
    ):
        source = (
            f"read_parquet({texts(files)}) WHERE carried"
            if files
            else "(SELECT ''::VARCHAR id, ''::VARCHAR direction, 0::BIGINT at_us, 0 parts, "
            "''::VARCHAR encoding, 0::BIGINT amount) WHERE false"
        )
        duck.run(f"CREATE VIEW {view} AS SELECT {columns}, '' AS short_code, amount FROM {source}")


def _sums(duck: Engine) -> None:
    """Count both sides by direction and day, and the records that have no price."""
    counted = "count(*) AS records, sum(parts)::BIGINT AS parts, sum(amount)::BIGINT AS amount"
    duck.run(
        f"CREATE TABLE daily AS SELECT 'ours' AS side, direction, day, {counted}, "
        "count(*) FILTER (amount IS NULL) AS unpriced FROM ours GROUP BY direction, day "
        f"UNION ALL SELECT 'theirs', direction, {_DAY.format(at='min(at_us)')}, {counted}, "
        "count(*) FILTER (amount IS NULL) FROM theirs "
        "GROUP BY direction, (at_us + 25200000000) // 86400000000"
    )


def _suspected(duck: Engine, sides: Sides) -> None:
    """Set apart every id that is not once on each side, with the same parts and amount.

    One pass over both sides, by a hash of the id; what it sets apart is looked at id by id. Two ids
    that the hash takes for one would have to be of one price, and change no total.
    """
    price = sides.pricing.per_part(_DAY.format(at="at_us"))
    said = "hash(id, direction, parts, {})"
    theirs = said.format(f"coalesce(amount, parts * ({price}))")
    duck.run(
        "CREATE TABLE suspect AS SELECT h FROM ("
        f"SELECT hash(id, direction) AS h, 0 AS side, {said.format('amount')} AS said FROM ours "
        f"UNION ALL SELECT hash(id, direction), 1, {theirs} FROM theirs) "
        "GROUP BY h HAVING count(*) <> 2 OR sum(side) <> 1 OR bit_xor(said) <> 0"
    )
    for side in ("ours", "theirs"):
        duck.run(
            f"CREATE TABLE some_{side} AS FROM {side} "
            "WHERE hash(id, direction) IN (SELECT h FROM suspect)"
        )


def _apart(duck: Engine, sides: Sides) -> None:
    """Pair the records of every id, and keep what is on one side alone, or is not the same."""
    numbered = "row_number() OVER (PARTITION BY id, direction ORDER BY"
    ours = f"(SELECT *, {numbered} at_us, parts, amount) AS nth FROM some_ours)"
    # The copy that agrees with ours goes first, so that one that does not is the double.
    is_like = (
        "EXISTS (FROM some_ours s WHERE s.id = e.id AND s.direction = e.direction "
        "AND s.parts = e.parts AND s.amount = coalesce(e.amount, s.amount))"
    )
    theirs = (
        f"(SELECT * EXCLUDE (is_like), {numbered} is_like DESC, at_us, parts, amount) AS nth "
        f"FROM (SELECT *, {is_like} AS is_like FROM some_theirs e))"
    )
    price = sides.pricing.per_part(_DAY.format(at="t.at_us"), "t.")
    pair = (
        "coalesce(o.id, t.id) AS id, coalesce(o.direction, t.direction) AS direction, "
        "o.at_us AS o_at, t.at_us AS t_at, o.day AS day, o.parts AS o_parts, t.parts AS t_parts, "
        "coalesce(o.encoding, t.encoding) AS encoding, o.short_code AS short_code, "
        "o.amount AS o_amount, coalesce(t.amount, t.parts * (o.amount // o.parts), "
        f"t.parts * ({price})) AS t_amount, coalesce(o.nth, t.nth) AS nth"
    )
    duck.run(
        f"CREATE TABLE apart AS SELECT * FROM (SELECT {pair} FROM {ours} o FULL JOIN {theirs} t "
        "ON o.id = t.id AND o.direction = t.direction AND o.nth = t.nth) "
        "WHERE o_at IS NULL OR t_at IS NULL OR o_parts <> t_parts "
        f"OR abs(t_amount - o_amount) > {sides.tolerance.amount}"
    )


def _edges(duck: Engine, sides: Sides) -> None:
    """Name the class of what is apart."""
    edge = sides.tolerance.edge // _MICROSECOND
    late = max(sides.tolerance.late, sides.tolerance.edge) // _MICROSECOND
    theirs_price = sides.pricing.per_part(_DAY.format(at="t_at"))
    is_days = (
        f"abs(t_at - o_at) <= {edge} AND {_DAY.format(at='t_at')} <> day "
        f"AND t_amount = t_parts * {theirs_price}"
    )
    is_alone = "nth = 1 AND (o_at IS NULL OR t_at IS NULL)"
    reason = (
        f"CASE WHEN is_again THEN NULL WHEN {is_alone} AND is_aside THEN 'aside' "
        f"WHEN {is_alone} AND gap <= {edge} THEN 'clock' "
        f"WHEN {is_alone} AND gap <= {late} THEN 'late' "
        f"WHEN {is_alone} AND gap IS NULL AND {_is_unseen(sides, edge)} THEN 'unseen' "
        f"WHEN o_parts = t_parts AND {is_days} THEN 'tariff' END"
    )
    classes = (
        "CASE WHEN reason <> 'aside' THEN 'edge' "
        "WHEN is_again OR nth > 1 AND (o_at IS NULL OR t_at IS NULL) THEN 'doubled' "
        "WHEN t_at IS NULL THEN 'only_ours' WHEN o_at IS NULL THEN 'only_theirs' "
        "WHEN o_parts <> t_parts THEN 'parts' ELSE 'price' END"
    )
    duck.run(f"CREATE TABLE beyond AS {_beyond()}")
    duck.run(
        f"CREATE VIEW classed AS SELECT *, {classes} AS class FROM (SELECT * EXCLUDE is_again, "
        f"o_at IS NULL AND coalesce(is_again, false) AS is_again, {reason} AS reason "
        "FROM apart a LEFT JOIN beyond USING (id, direction))"
    )


def _beyond() -> str:
    """Look in the months beside for what is on one side alone.

    What the operator had in a month beside already, it counts again; it is no edge.
    """
    gap = "CASE WHEN t_at IS NULL THEN n.at_us - o_at ELSE w.at_us - t_at END"
    return (
        f"SELECT a.id, a.direction, min(abs({gap})) AS gap, bool_or(w.is_aside) AS is_aside, "
        "bool_or(o_at IS NULL AND n.id IS NOT NULL) AS is_again FROM apart a "
        "LEFT JOIN near n ON n.id = a.id AND n.direction = a.direction "
        "LEFT JOIN (FROM all_ours WHERE NOT is_ours) w ON o_at IS NULL AND w.id = a.id "
        "AND w.direction = a.direction WHERE t_at IS NULL OR o_at IS NULL GROUP BY ALL"
    )


def _is_unseen(sides: Sides, edge: int) -> str:
    """Tell, as SQL, whether a record of ours may be in a month that is not imported yet."""
    begins, ends = micro(sides.period.starts_at), micro(sides.period.ends_at)
    after = f"o_at >= {ends - edge}" if edge and not sides.after else "false"
    before = f"o_at < {begins + edge}" if edge and not sides.before else "false"
    return f"({after} OR {before})"
