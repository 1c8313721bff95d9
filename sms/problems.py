"""What is answered over HTTP, and the one small shape of every error among it (RFC 9457)."""

import json
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered, whoever carries it.

    Units: *retry_after* in seconds.
    """

    status: int
    mimetype: str
    body: bytes
    retry_after: int | None = None


# To who takes the body of an answer for a text to a citizen.
NOTHING = Answer(200, "text/plain", b"")


def refusal(
    status: int,
    *,
    title: str | None = None,
    detail: str | None = None,
    retry_after: int | None = None,
) -> Answer:
    """Word the answer for an error; neither *title* nor *detail* may quote the request."""
    body: dict[str, object] = {
        "type": "about:blank", "title": title or TITLES[status], "status": status,
    }  # fmt: skip
    if detail is not None:
        body["detail"] = detail
    return Answer(status, "application/problem+json", json.dumps(body).encode(), retry_after)


def problem(
    status: int,
    *,
    title: str | None = None,
    detail: str | None = None,
    retry_after: int | None = None,
) -> Response:
    """Make the application's response for an error."""
    return response_of(refusal(status, title=title, detail=detail, retry_after=retry_after))


def response_of(answer: Answer) -> Response:
    """Make the application's response of an answer."""
    response = Response(answer.body, answer.status, mimetype=answer.mimetype)
    if answer.retry_after is not None:
        response.headers["Retry-After"] = str(answer.retry_after)
    return response
