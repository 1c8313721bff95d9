"""Posting over kept connections: which are used again, and what is known when one breaks."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from sms.links import posting
from sms.links.posting import NotAnsweredError, NotSentError, Poster

PLAIN = "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok"


class Operator:
    """An HTTP server that answers each request with the next of its texts, and counts."""

    def __init__(self, *answers: str, tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.requests: list[bytes] = []
        self._tls = tls
        # Whoever is posted to again at once has not read the whole answer.
        self._rest = 0.05 * (1 + max(answer.count("|") for answer in answers))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            while self.answers:
                self.requests.append(await reader.readuntil(b"{}"))
                for part in self.answers.pop(0).split("|"):
                    writer.write(part.encode())
                    await writer.drain()
                    await asyncio.sleep(0.002)
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    async def post(self, times: int, value: str = "1") -> tuple[list[int | str], int]:
        """Be posted to so often; return what came of it and how many connections it took."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=self._tls)
        port = server.sockets[0].getsockname()[1]
        url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}/mt?a=b"
        poster, came = Poster(), list[int | str]()
        for _ in range(times):
            try:
                came.append(await poster.post(url, {"x-one": value}, b"{}"))
            except (NotAnsweredError, NotSentError) as error:
                came.append(str(error))
            await asyncio.sleep(self._rest)
        poster.close()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.02)
        return came, self.connections


def posted(operator: Operator, times: int = 2) -> tuple[list[int | str], int]:
    return asyncio.run(operator.post(times))


@pytest.mark.parametrize(
    "first",
    [
        PLAIN,
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 202 Accepted\r\nCONTENT-LENGTH:2\r\n\r\n|o|k",
        "HTTP/1.1 100 Continue\r\n\r\n" + PLAIN,
        "HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n2|;x=y\r\no|k\r\n|0\r\n|\r|\n",
        "H|TTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r|\n",
    ],
)
def test_a_connection_whose_answer_is_over_is_used_again(first: str) -> None:
    came, connections = posted(Operator(first, PLAIN))

    assert (came[0], came[1], connections) == (202 if "202" in first else 204, 202, 1)


@pytest.mark.parametrize(
    "first",
    [
        "HTTP/1.1 202 Accepted\r\n\r\n",
        "HTTP/1.0 202 Accepted\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\n\r\n",
        "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok|HTTP/1.1 500 Smuggled\r\n\r\n",
        "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\no",
        "HTTP/1.1 202 Accepted\r\ncontent-length: -1\r\n\r\nok",
        "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\ntransfer-encoding: gzip\r\n\r\nok",
        "HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\nno chunk\r\n",
        "HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
        "HTTP/1.1 202 Accepted\r\ncontent-length: 99999\r\n\r\n" + "x" * 70000,
    ],
)
def test_a_status_counts_and_a_doubtful_connection_is_not_used_again(first: str) -> None:
    came, connections = posted(Operator(first, PLAIN))

    assert came == [202, 202]
    assert connections == 2


@pytest.mark.parametrize("answer", ["", "garbage\r\n\r\n", "HTTP/1.1 20", "HTTP/2 202\r\n\r\n"])
def test_without_a_status_nobody_knows(answer: str) -> None:
    came, _ = posted(Operator(answer), times=1)

    assert came == ["connection-lost"]


def test_a_request_is_one_post_to_the_whole_url() -> None:
    operator = Operator(PLAIN)

    posted(operator, times=1)

    head, _, body = operator.requests[0].partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /mt?a=b HTTP/1.1"
    assert headers[0].startswith("host: 127.0.0.1:")
    assert headers[1:] == ["x-one: 1", "content-length: 2"]
    assert body == b"{}"


@pytest.mark.parametrize("value", ["1\r\nx-two: 2", "1\n", "\0", "số"])
def test_a_value_that_no_header_may_hold_leaves_nothing(value: str) -> None:
    operator = Operator(PLAIN)

    came, _ = asyncio.run(operator.post(1, value))

    assert came == ["header"]
    assert operator.requests == []


def test_a_connection_that_the_operator_closed_meanwhile_is_not_used() -> None:
    came, connections = posted(Operator(PLAIN))
    again, each = posted(Operator(PLAIN, PLAIN, PLAIN), times=3)

    assert came == [202, "connection-lost"] or connections == 2
    assert (again, each) == ([202] * 3, 1)


@contextmanager
def certified(folder: Path) -> Iterator[tuple[ssl.SSLContext, Path]]:
    """Make a certificate of the loopback address, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "operator")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "operator.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    posting._tls.cache_clear()
    yield context, path
    posting._tls.cache_clear()


def test_an_operator_is_told_by_its_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with certified(tmp_path) as (context, path):
        unknown = posted(Operator(PLAIN, tls=context), times=1)
        posting._tls.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        known = posted(Operator(PLAIN, PLAIN, tls=context))

    assert unknown[0] == ["certificate"]
    assert known == ([202, 202], 1)


def test_an_operator_that_speaks_no_tls_got_nothing() -> None:
    async def post() -> None:
        operator = Operator(PLAIN)
        server = await asyncio.start_server(operator.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            with pytest.raises(NotSentError):
                await Poster().post(f"https://127.0.0.1:{port}/", {}, b"{}")
        finally:
            server.close()
            await server.wait_closed()

    asyncio.run(post())


@given(st.binary(max_size=300))
def test_no_body_confuses_the_reader(body: bytes) -> None:
    assert posting._chunks_are_over(body) in {True, False, None}
    assert posting._is_over(200, b"HTTP/1.1 200\r\n" + body + b"\r\n", body) in {True, False, None}
