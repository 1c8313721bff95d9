"""The bars that an SMPP link is to clear.

Source: docs/performance.md. They hold for two cores that the service, its peer and the SMSC share.
"""

from collections.abc import Sequence

from benchmark.bars import Bar, Verdict
from benchmark.link_rows import Load, Row, Side

_HELP = Bar("help_ratio", "HD round trips, against Kannel's", "×", 1.5, at_least=True)
_LOOKUP = Bar("lookup_ratio", "those of lookups, against Kannel's HD", "×", 1.0, at_least=True)
_INGEST = Bar("ingest", "messages committed and answered OK", "/s", 4000, at_least=True)
BARS = (_HELP, _LOOKUP, _INGEST)


def verdicts(rows: Sequence[Row]) -> list[Verdict]:
    """Hold what was measured against the bars; what was not measured is not met."""
    speeds = {(row.who, row.load): row.per_second for row in rows}
    figures: dict[str, float] = {}
    if theirs := speeds.get((Side.KANNEL, Load.HELP)):
        for bar, load in ((_HELP, Load.HELP), (_LOOKUP, Load.LOOKUP)):
            if (ours := speeds.get((Side.OURS, load))) is not None:
                figures[bar.name] = round(ours / theirs, 3)
    if (ingest := speeds.get((Side.OURS, Load.INGEST))) is not None:
        figures[_INGEST.name] = ingest
    return [Verdict(bar, figures.get(bar.name)) for bar in BARS]
