"""The operators' contract over HTTP: the document for programs, and Swagger UI to read it in."""

from pathlib import Path

from flask import Blueprint, Response

_HERE = Path(__file__).parent
# Made from openapi.yaml by `make openapi`: nothing reads YAML while the service runs.
_DOCUMENT = _HERE.parent / "sms" / "openapi.json"


def make_blueprint() -> Blueprint:
    """Make `/openapi.json` and `/docs`."""
    blueprint = Blueprint(
        "contract", __name__, static_folder=str(_HERE / "static"), static_url_path="/docs/static"
    )
    written, shown = _DOCUMENT.read_bytes(), (_HERE / "pages" / "docs.html").read_bytes()

    @blueprint.get("/openapi.json")
    def document() -> Response:
        return Response(written, mimetype="application/json")

    @blueprint.get("/docs")
    def page() -> Response:
        return Response(shown, mimetype="text/html")

    return blueprint
