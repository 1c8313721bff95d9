"""The minutes of reconciliation as a page of its own, to be read and printed on A4."""

from jinja2 import Environment, PackageLoader

from billing import minutes
from billing.minutes import Minutes


def page(found: Minutes, body: str, sheet: str | None = None) -> str:
    """Write the minutes as HTML; *body* is who signs for our side.

    Shape: *sheet* is where the page finds its style, which else is in it.
    """
    return (
        _environment()
        .get_template("minutes.html")
        .render(
            minutes=found,
            body=body,
            sheet=sheet,
            title=minutes.TITLE,
            headings=minutes.HEADINGS,
            first_figure=minutes.FIRST_FIGURE,
            widths=_widths(),
            amount=minutes.amount,
            count=minutes.count,
        )
    )


def sheet() -> str:
    """Write how the page looks, for a page that may have no style in it."""
    return _environment().get_template("minutes.css").render(widths=_widths())


def _widths() -> list[float]:
    """Return the share of each column in the width, in percent."""
    return [round(100 * each / sum(minutes.WIDTHS), 2) for each in minutes.WIDTHS]


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("billing"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
