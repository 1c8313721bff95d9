"""The minutes of reconciliation as a page of its own, to be read and printed on A4."""

from jinja2 import Environment, PackageLoader

from billing import minutes
from billing.minutes import Minutes


def page(found: Minutes, body: str) -> str:
    """Write the minutes as HTML; *body* is who signs for our side."""
    environment = Environment(
        loader=PackageLoader("billing"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("minutes.html").render(
        minutes=found,
        body=body,
        title=minutes.TITLE,
        headings=minutes.HEADINGS,
        first_figure=minutes.FIRST_FIGURE,
        widths=[round(100 * each / sum(minutes.WIDTHS), 2) for each in minutes.WIDTHS],
        amount=minutes.amount,
        count=minutes.count,
    )
