"""What others made and our pages load: style sheets, fonts and scripts, from our own machine."""

from pathlib import Path

from flask import Flask, Response, send_from_directory

_FOLDER = Path(__file__).parent.parent / "vendor"
_DAY_SECONDS = 86_400


def mount(app: Flask) -> None:
    """Serve the folder `vendor` at `/vendor/`."""
    app.add_url_rule("/vendor/<path:filename>", "vendor", _send)


def _send(filename: str) -> Response:
    return send_from_directory(_FOLDER, filename, max_age=_DAY_SECONDS)
