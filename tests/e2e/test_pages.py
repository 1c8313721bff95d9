"""The pages for machines and for the public, and what none of them may hold."""

import json
import re
from collections.abc import Iterator
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.harness import LEGAL_BASIS, OFFICER, Deployment
from tests.e2e.links import SHORT_CODE, HttpLink, message, pin_in, wrong
from tests.e2e.people import Person, plain

JSON = "application/json"
_LOG_TIME = re.compile(r'"timestamp": ?"[^"]*"')


def test_the_service_is_alive_and_ready(service: Deployment) -> None:
    for page in ("/healthz", "/readyz"):
        answer = service.get(page)
        assert answer.status == 200
        assert len(answer.body) < 2000


def test_metrics_are_what_prometheus_reads(service: Deployment, telco: HttpLink) -> None:
    telco.ask("+84987000901", "HD")

    answer = service.get("/metrics")

    assert answer.status == 200
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    taken = families["tradan_messages_in"].samples
    assert any(sample.labels.get("link") == telco.code and sample.value > 0 for sample in taken)
    assert any(name.startswith("tradan_sent") for name in families)


def test_the_public_page_says_who_answers_for_the_service(service: Deployment) -> None:
    page = service.get("/status", accept="text/html")
    read = service.get("/status", accept=JSON)

    assert (page.status, page.kind) == (200, "text/html")
    assert (read.status, read.kind) == (200, JSON)
    told = json.dumps(read.document, ensure_ascii=False)
    for said in (page.text, told):
        assert SHORT_CODE in said
        assert OFFICER in said
        assert LEGAL_BASIS in said
        assert "700" in said
    assert values(read.document, "size"), "the latest checkpoint has a size"


def values(document: object, name: str) -> list[object]:
    """Find every value of that name, however deep."""
    if isinstance(document, dict):
        below = [found for inner in document.values() for found in values(inner, name)]
        return [document[name], *below] if name in document else below
    if isinstance(document, list):
        return [found for inner in document for found in values(inner, name)]
    return []


def test_pages_are_not_to_be_kept_or_framed(service: Deployment) -> None:
    headers = service.get("/status", accept="text/html").headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_nothing_of_a_person_is_in_logs_metrics_pages_or_files(
    service: Deployment, telco: HttpLink, at_hand: Iterator[Person]
) -> None:
    person, listener = next(at_hand), next(at_hand)
    texts: list[str] = []

    def ask(text: str) -> Any:  # noqa: ANN401 (a message of the fake)
        texts.append(text)
        return telco.ask(person.phone, text)

    pin = pin_in(ask(f"DC {person.personal_id}"))
    ask(f"XN {wrong(pin)}")
    result = ask(f"XN {pin}")
    ask("Qua cam nho ngoai vuon")
    telco.offer(message(person.phone, texts[0], id=""))  # refused, and logged perhaps
    telco.operator.plan(listener.phone, 400)
    service.until_sent(telco, telco.send(listener.phone, f"DC {listener.personal_id}"))

    secrets = {
        *(word for who in (person, listener) for word in traces(who)),
        *texts,
        result.text,
        pin,
        telco.operator.secret.removeprefix("whsec_"),
        service.twilio["twilio"].twilio.token,
        service.twilio["twilio"].path.rpartition("/")[2],
    }
    places = {
        "logs": _LOG_TIME.sub("", service.log),
        "metrics": service.get("/metrics").text,
        "status": service.get("/status", accept=JSON).text,
        "readiness": service.get("/readyz").text,
        "files": database_text(service),
    }
    for place, text in places.items():
        found = {secret for secret in secrets if re.search(rf"(?<!\w){re.escape(secret)}", text)}
        assert not found, place


def traces(person: Person) -> Iterator[str]:
    """Yield all that would betray a person."""
    yield person.personal_id
    yield person.phone.removeprefix("+")
    yield f"0{person.phone.removeprefix('+84')}"
    yield person.full_name
    yield person.plain_name
    yield plain(person.full_name).title()


def database_text(service: Deployment) -> str:
    """Return what a thief of the database reads, where it is a file of ours."""
    files = sorted(service.state_dir.glob("tradan.db*"))
    return "".join(path.read_bytes().decode("latin-1") for path in files)
