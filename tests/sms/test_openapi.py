"""The document of the operators' contract is one, and is what the service does.

Requests are made from the document by schemathesis, signed, and put to the application; every
answer must be one that the document has, in its shape.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.db import Database
from core.ids import uuid7
from core.version import VERSION
from sms import problems
from sms.links import http
from sms.links.model import Outgoing, Subject
from tests.docs import openapi, pages
from tests.fakes import FixedClock
from tests.sms.door import HTTP, Door, opened

Case = schemathesis.Case[Any]
DOCUMENT: dict[str, Any] = json.loads(openapi.MADE.read_text())
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_headers_conformance, response_schema_conformance,
]  # fmt: skip
SIGNED = [path for path in DOCUMENT["paths"] if path.startswith("/sms/")]
READ = [path for path in DOCUMENT["paths"] if not path.startswith("/sms/")]
OFTEN = settings(
    max_examples=12, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate],
)  # fmt: skip


@pytest.fixture
def door(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Door]:
    """The web application on SQLite: what it answers hangs on no database."""
    with opened(sqlite_database, keys_dir, tmp_path / "door", clock) as made:
        yield made


@cache
def loaded() -> schemathesis.BaseSchema:
    """Return the document as schemathesis reads it, which takes it seconds."""
    return schemathesis.openapi.from_dict(DOCUMENT)


def schema_of(name: str) -> jsonschema_rs.Validator:
    root = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(root, validate_formats=True)


def walk(node: object, *way: str) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield every object of the document with the way to it."""
    children: Iterator[tuple[str, object]] = iter(())
    if isinstance(node, dict):
        yield way, node
        children = iter(node.items())
    elif isinstance(node, list):
        children = ((str(place), child) for place, child in enumerate(node))
    for name, child in children:
        yield from walk(child, *way, name)


def test_what_is_served_is_made_from_what_is_written() -> None:
    assert openapi.MADE.read_text() == openapi.made(openapi.WRITTEN.read_text())


def test_it_is_a_document_of_openapi() -> None:
    loaded().validate()

    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["info"]["version"] == VERSION


def test_every_example_is_of_its_schema() -> None:
    seen = 0
    for way, node in walk(DOCUMENT):
        if "examples" not in node or "schema" not in node:
            continue
        root = {**node["schema"], "components": DOCUMENT["components"]}
        validator = jsonschema_rs.Draft202012Validator(root, validate_formats=True)
        for name, example in node["examples"].items():
            assert validator.is_valid(example["value"]), (*way, name)
            seen += 1

    assert seen > len(problems.TITLES)


def test_errors_are_worded_as_they_are_answered() -> None:
    shown = {
        int(status): example["value"]
        for response in DOCUMENT["components"]["responses"].values()
        for status, example in response["content"]["application/problem+json"]
        .get("examples", {})
        .items()
    }

    assert {status: value["title"] for status, value in shown.items()} == problems.TITLES
    assert all(value["status"] == status for status, value in shown.items())


def test_the_example_is_that_of_the_contract() -> None:
    received, sent = pages.fenced(pages.ROOT / "docs/operators.md", "json")[:2]
    inbound = DOCUMENT["paths"]["/sms/{link}/inbound"]["post"]["requestBody"]["content"]
    outbound = DOCUMENT["webhooks"]["message.send"]["post"]["requestBody"]["content"]

    for content, text in ((inbound, received), (outbound, sent)):
        (example,) = content["application/json"]["examples"].values()
        assert example["value"] == json.loads(text)


def test_every_place_an_operator_posts_to_is_in_it(door: Door) -> None:
    places = door.client.application.url_map.bind("gateway.example")
    subjects = {str(subject) for subject in Subject}

    assert {path.rpartition("/")[2] for path in SIGNED} == subjects
    for path in SIGNED:
        assert places.match(path.replace("{link}", HTTP), method="POST")[0] == "sms.receive"


def test_what_is_sent_is_what_is_told(clock: FixedClock) -> None:
    sent = Outgoing(
        id=str(uuid7()), to="+84912345678", sender="12345", text="CSDLDC: x", encoding="gsm7",
        segments=1, expires_at=clock.now(), in_reply_to="8f2k", created_at=clock.now(),
    )  # fmt: skip
    shape = schema_of("MessageSend")

    shape.validate(json.loads(http.render(sent)))
    assert shape.is_valid({}) is False


def put(door: Door, case: Case, path: str) -> Any:  # noqa: ANN401 (the test client's answer)
    """Sign what was made from the document, put it to the service, and check the answer."""
    body = json.dumps(case.body).encode() if not isinstance(case.body, bytes) else case.body
    answer = door.post(body, path=path.replace("{link}", HTTP))
    case.validate_response(answer, checks=CHECKS)
    return answer


@pytest.mark.parametrize("path", SIGNED)
def test_what_the_document_allows_is_taken(door: Door, path: str) -> None:
    operation = loaded()[path]
    taken = {int(status) for status in DOCUMENT["paths"][path]["post"]["responses"]} & {200, 202}

    @OFTEN
    @given(case=operation["POST"].as_strategy())
    def hold(case: Case) -> None:
        data: Any = case.body["data"]  # type: ignore[call-overload,index]  # the schema says object
        for name in ("received_at", "done_at", "happened_at", "until"):
            if name in data:
                data[name] = door.clock.now().isoformat()
        if "part" in data:
            data["part"] = int(data["part"])  # JSON Schema calls 1.0 an integer
        # One id is one message: the same with other content is another matter.
        data["id"] = f"m-{next(door.serials)}"

        assert put(door, case, path).status_code in taken

    hold()


@pytest.mark.parametrize("path", SIGNED)
def test_what_the_document_forbids_is_refused_in_its_shape(door: Door, path: str) -> None:
    operation = loaded()[path]
    content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    shape = schema_of(content["schema"]["$ref"].rpartition("/")[2])

    @OFTEN
    @given(case=operation["POST"].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def hold(case: Case) -> None:
        if not isinstance(case.body, dict | list | str | int | float | bool | None):
            return
        answer = put(door, case, path)
        if not shape.is_valid(case.body):
            assert answer.status_code in {400, 413}

    hold()


@pytest.mark.parametrize("path", SIGNED)
def test_what_lacks_a_field_is_refused(door: Door, path: str) -> None:
    content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    (example,) = content["examples"].values()
    whole, shape = example["value"], schema_of(content["schema"]["$ref"].rpartition("/")[2])
    lacking = [
        whole | {"data": {name: value for name, value in whole["data"].items() if name != left_out}}
        for left_out in whole["data"]
    ]

    answers = {
        door.post(json.dumps(body).encode(), path=path.replace("{link}", HTTP)).status_code
        for body in lacking
        if not shape.is_valid(body)
    }

    assert answers == {400}


@pytest.mark.parametrize("path", READ)
def test_what_is_read_is_of_its_shape(door: Door, path: str) -> None:
    operation = loaded()[path]

    @OFTEN
    @given(case=operation["GET"].as_strategy())
    def hold(case: Case) -> None:
        answer = door.client.get(case.formatted_path, query_string=case.query)
        case.validate_response(answer, checks=CHECKS)

    hold()


def test_what_is_not_authentic_is_refused_in_its_shape(door: Door) -> None:
    path = f"/sms/{HTTP}/inbound"
    changes: list[dict[str, str | None]] = [
        {"webhook-signature": None}, {"webhook-id": "e" * 257}, {"webhook-timestamp": "now"},
        {"webhook-signature": "v1,AAAA"},
    ]  # fmt: skip
    shape = schema_of("Problem")

    for change in changes:
        answer = door.post(door.event(), path=path, changes=change)
        assert answer.status_code == 401
        shape.validate(json.loads(answer.data))
