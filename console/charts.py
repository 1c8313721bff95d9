"""Charts as plain geometry: what a template draws as SVG, in the colours of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 160


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a stacked column; *series* picks its colour."""

    series: int
    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line through measured points, broken where nothing was measured."""

    series: int
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Share:
    """A piece of a bar that is the whole."""

    name: str
    count: int
    percent: float
    x: float
    width: float


def columns(series: Mapping[str, Sequence[int]], labels: Sequence[str]) -> tuple[list[Bar], int]:
    """Stack the columns of several series, and say what the top stands for."""
    totals = [sum(values) for values in zip(*series.values(), strict=True)]
    top = round_up(max(totals, default=0))
    step = WIDTH / max(len(labels), 1)
    bars = []
    for place, label in enumerate(labels):
        base = 0
        for number, values in enumerate(series.values()):
            count = values[place]
            if count:
                height = HEIGHT * count / top
                y = HEIGHT - HEIGHT * base / top - height
                bars.append(Bar(number, place * step, y, step * 0.86, height, label))
            base += count
    return bars, top


def lines(
    series: Mapping[str, Sequence[float | None]],
) -> tuple[list[Line], float]:
    """Draw a line for each series, and say what the top stands for."""
    measured = [v for values in series.values() for v in values if v is not None]
    top = max(measured, default=0.0) or 1.0
    drawn = []
    for number, (name, values) in enumerate(series.items()):
        step = WIDTH / max(len(values) - 1, 1)
        pieces, is_open = [], False
        for place, value in enumerate(values):
            if value is None:
                is_open = False
                continue
            point = f"{place * step:.1f} {HEIGHT - HEIGHT * value / top:.1f}"
            # A point alone would not be seen without the dash.
            pieces.append(f"L{point}" if is_open else f"M{point}h0.1")
            is_open = True
        drawn.append(Line(number, "".join(pieces), name))
    return drawn, top


def pairs(series: Sequence[Sequence[int]], labels: Sequence[str]) -> tuple[list[Bar], int]:
    """Stand the columns of several series beside each other, and say what the top stands for."""
    top = round_up(max((max(values, default=0) for values in series), default=0))
    step = WIDTH / max(len(labels), 1)
    width = step * 0.86 / max(len(series), 1)
    bars = []
    for number, values in enumerate(series):
        for place, value in enumerate(values):
            if value > 0:
                height = HEIGHT * value / top
                x = place * step + number * width
                bars.append(Bar(number, x, HEIGHT - height, width, height, labels[place]))
    return bars, top


def swings(values: Sequence[int], labels: Sequence[str]) -> tuple[list[Bar], int]:
    """Let columns go up and down from the middle, and say what top and bottom stand for."""
    top = round_up(max((abs(value) for value in values), default=0))
    step, middle = WIDTH / max(len(values), 1), HEIGHT / 2
    bars = []
    for place, value in enumerate(values):
        if value:
            height = middle * abs(value) / top
            y = middle - height if value > 0 else middle
            bars.append(Bar(int(value < 0), place * step, y, step * 0.86, height, labels[place]))
    return bars, top


def shares(counts: Mapping[str, int]) -> list[Share]:
    """Part one bar by counts, the largest first."""
    whole = sum(counts.values())
    found, x = [], 0.0
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        if count:
            width = WIDTH * count / whole
            found.append(Share(name, count, 100 * count / whole, x, width))
            x += width
    return found


def round_up(value: int) -> int:
    """Return the next number that reads well on an axis."""
    power = 1
    while True:
        for step in (1, 2, 5):
            if value <= step * power:
                return step * power
        power *= 10
