"""The one small shape of every error that leaves over HTTP (RFC 9457)."""

import json

from flask import Response

TITLES = {
    400: "The request is not what the contract says",
    401: "The request is not authenticated",
    403: "The link is disabled",
    404: "There is nothing here",
    405: "The method is not allowed",
    408: "The request took too long",
    409: "The message id was used for another message",
    413: "The request is too large",
    415: "The content type is not supported",
    429: "Too many requests",
    500: "Something went wrong",
    503: "The message was not stored: send it again",
}


def problem(status: int, *, detail: str | None = None, retry_after: int | None = None) -> Response:
    """Make the answer for an error; *detail* must quote nothing of the request."""
    body: dict[str, object] = {"type": "about:blank", "title": TITLES[status], "status": status}
    if detail is not None:
        body["detail"] = detail
    response = Response(json.dumps(body), status, mimetype="application/problem+json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
