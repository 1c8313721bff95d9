"""The one small shape of every error."""

from tests.e2e import wire

LONGEST = 500
UNSAID = ("werkzeug", "flask", "standardwebhooks", "twilio", "traceback", "sqlalchemy", "python")


def assert_problem(response: wire.Response, status: int) -> None:
    """Check that *response* is this error, in this shape, and that it tells nothing else."""
    assert response.status == status, response.body
    assert response.kind == wire.PROBLEM
    assert response.document["status"] == status
    assert isinstance(response.document["title"], str)
    assert set(response.document) <= {"type", "title", "status", "detail"}
    assert len(response.body) < LONGEST
    assert not any(word in response.text.lower() for word in UNSAID)
    assert "+84" not in response.text
