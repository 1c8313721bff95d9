"""The phone's page, as an HTTP client sees it."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cli import vendored
from core.settings import Mode
from phone.desk import Desk
from phone.errors import PhoneError
from phone.mailbox import Mailbox
from phone.network import Network
from phone.web import make_blueprint, mount
from tests.e2e.waiting import until
from tests.phone.played import LINK, SUBSCRIBERS, PlayedGateway
from tests.phone.test_network import OTHER_SECRET, delivery

THAO, DUC, _ = SUBSCRIBERS


@pytest.fixture
def client(app: Flask, network: Network) -> FlaskClient:
    """A browser without scripts."""
    return app.test_client()


@dataclass
class Elements(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_shows_invented_people_and_says_so(client: FlaskClient) -> None:
    html = client.get("/phone").text

    assert '<html lang="vi"' in html
    for person in SUBSCRIBERS:
        assert person.full_name in html
        assert person.personal_id in html
    assert "Người không có thật" in html
    assert 'data-watermark="vi"' in html


def test_english_is_complete_on_every_part(client: FlaskClient, gateway: PlayedGateway) -> None:
    client.post("/phone/send", data={"as": "0", "text": "DC 999185000101"})
    wait(client, "CSDLDC")
    gateway.finish()

    html = client.get("/phone?lang=en").text

    # All that is left in Vietnamese are names, the other language's own link, and the SMS itself.
    spoken = re.sub(r"<[^>]*>", " ", html)
    for name in (*(person.full_name for person in SUBSCRIBERS), LINK.title, "Tiếng Việt"):
        spoken = spoken.replace(name, "")
    assert re.findall(r"[ăâđêôơưạảấầẩậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]\w*", spoken) == []
    assert "Journal entry" in html


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(client: FlaskClient) -> None:
    answer = client.get("/phone")

    for tag, attributes in Elements(answer.text).found:
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("src", "href", "action"):
            assert not (attributes.get(name) or "").startswith(("http:", "https:", "//", "data:"))


@pytest.mark.parametrize("path", ["/phone", "/phone/thread", "/phone/static/phone.js"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        status, headers = answer.status_code, answer.headers

    assert status == 200
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_text_can_be_sent_without_scripts(client: FlaskClient, mailbox: Mailbox) -> None:
    sent = client.post("/phone/send", data={"as": "1", "lang": "en", "text": " DC 999075000202 "})

    assert sent.status_code == 303
    assert "as=1" in sent.location
    assert "lang=en" in sent.location
    html = wait(client, "CSDLDC: Ma xac thuc", "?as=1&lang=en")
    assert "XN 482913" in html
    assert mailbox.thread(LINK.code, DUC.number)[0].body == "DC 999075000202"
    assert mailbox.thread(LINK.code, THAO.number) == ()


def test_a_text_can_be_sent_again_as_the_same_message(
    client: FlaskClient, gateway: PlayedGateway
) -> None:
    client.post("/phone/send", data={"as": "0", "text": "HD"})
    wait(client, "CSDLDC: Soan DC")
    (message_id,) = gateway.accepted

    client.post("/phone/send", data={"as": "0", "again": message_id})

    wait(client, "gửi 2 lần")
    until(lambda: gateway.accepted == [message_id, message_id], "it came twice")


def test_what_no_phone_sent_cannot_be_sent_again(
    client: FlaskClient, gateway: PlayedGateway
) -> None:
    client.post("/phone/send", data={"as": "0", "again": "hong-ha-SOMEBODYELSE"})

    assert gateway.accepted == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_send_texts(client: FlaskClient, mailbox: Mailbox, site: str) -> None:
    answer = client.post("/phone/send", data={"text": "HD"}, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert mailbox.thread(LINK.code, THAO.number) == ()


def test_news_is_told_once(client: FlaskClient) -> None:
    first = client.get("/phone/thread").get_json()

    same = client.get(f"/phone/thread?since={first['version']}")
    client.post("/phone/send", data={"as": "0", "text": "HD"})
    changed = client.get(f"/phone/thread?since={first['version']}")

    assert same.status_code == 204
    assert "HD" in changed.get_json()["thread"]
    assert set(first) == {"version", "thread", "inside", "suggestions"}


@pytest.mark.parametrize(
    "address",
    ["as=99", "as=-1", "as=x", "as=²", "op=nobody", "lang=xx", "scheme=pink", "as=" + "9" * 50],
)
def test_an_address_that_says_nothing_sensible_shows_the_first_phone(
    client: FlaskClient, address: str
) -> None:
    answer = client.get(f"/phone?{address}")

    assert answer.status_code == 200
    assert 'data-color-scheme="auto"' in answer.text
    assert '<h2 id="device-heading">12345' in answer.text


def test_what_is_written_is_shown_as_text_and_never_as_markup(client: FlaskClient) -> None:
    client.post("/phone/send", data={"text": "<img src=x onerror=alert(1)> & 'quotes\""})

    html = client.get("/phone").text

    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; &amp;" in html


def test_only_the_gateway_can_leave_texts(client: FlaskClient, mailbox: Mailbox) -> None:
    signed, body = delivery()
    forged, _ = delivery(OTHER_SECRET)

    statuses = [
        client.post("/phone/mt/hong-ha", headers=forged, data=body).status_code,
        client.post("/phone/mt/nobody", headers=signed, data=body).status_code,
        client.post("/phone/mt/hong-ha", headers=signed, data=body).status_code,
    ]

    assert statuses == [401, 401, 204]
    assert len(mailbox.thread(LINK.code, THAO.number)) == 1


def test_before_anybody_is_made_up_the_page_says_what_to_do(desk: Desk) -> None:
    desk.observer = SimpleNamespace(subscribers=tuple, insides=lambda *_: {})
    app = Flask("nobody")
    app.register_blueprint(make_blueprint(desk))
    vendored.mount(app)

    html = app.test_client().get("/phone").text
    sent = app.test_client().post("/phone/send", data={"text": "HD"})

    assert "python app.py demo" in html
    assert sent.status_code == 303


@pytest.mark.parametrize("mode", [Mode.PRODUCTION, Mode.TEST])
def test_no_other_service_can_have_the_page(mode: Mode) -> None:
    deployment = SimpleNamespace(settings=SimpleNamespace(mode=mode))

    with pytest.raises(PhoneError, match="TRADAN_MODE=demo"):
        mount(Flask("real"), deployment)


def wait(client: FlaskClient, wanted: str, address: str = "") -> str:
    found: list[str] = []

    def is_there() -> bool:
        found.append(client.get(f"/phone{address}").text)
        return wanted in found[-1]

    until(is_there, f"the page shows {wanted}")
    return found[-1]
