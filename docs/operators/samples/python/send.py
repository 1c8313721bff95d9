"""Hand one message of a citizen to the gateway, with Python's standard library.

Usage: python send.py URL SECRET_FILE FROM TO TEXT
Prints the status and the answer; ends 0 if the message is kept, else 1.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

_ACCEPTED = 202


def sign(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    """Sign the very bytes that go out."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def send(url: str, secret: str, sender: str, to: str, text: str) -> tuple[int, str]:
    """Post one message and return the gateway's status and answer."""
    now = datetime.now(UTC)
    data = {
        "id": f"mo-{secrets.token_hex(8)}",
        "from": sender,
        "to": to,
        "text": text,
        "received_at": now.isoformat(),
    }
    body = json.dumps({"type": "message.received", "timestamp": now.isoformat(), "data": data})
    event_id, timestamp = f"evt-{secrets.token_hex(8)}", str(int(now.timestamp()))
    headers = {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(secret, event_id, timestamp, body.encode()),
    }
    request = urllib.request.Request(url, body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


if __name__ == "__main__":
    where, secret_file, *message = sys.argv[1:]
    status, told = send(where, Path(secret_file).read_text().strip(), *message)
    print(status, told)
    sys.exit(status != _ACCEPTED)
