"""What `operator test` looks at on a Kannel link: whether its sendsms knows us; nothing is sent."""

import urllib3

from sms.links import kannel_sendsms
from sms.links.model import Link

_NO_RECEIVER, _NOT_KNOWN, _NO_SUCH_PAGE = 400, 403, 404
_SAYS = {
    _NO_RECEIVER: "takes our name and password; nothing was sent",
    _NOT_KNOWN: "refuses our name, password or address: compare its group sendsms-user",
    _NO_SUCH_PAGE: "has no sendsms there: compare its sendsms-url with the link's",
}


def look(link: Link) -> tuple[bool, str]:
    """Ask sendsms for a message to nobody, which it refuses once it knows us.

    Raises: urllib3.exceptions.HTTPError.
    """
    headers = {**kannel_sendsms.credentials(link), "content-type": "text/plain"}
    timeout = urllib3.Timeout(connect=2.0, read=5.0)
    with urllib3.PoolManager(retries=False, timeout=timeout) as pool:
        status = pool.request("POST", link.url, body=b"-", headers=headers, redirect=False).status
    return status == _NO_RECEIVER, _SAYS.get(status, f"answered {status}, which no sendsms does")


def way_in(link: Link) -> str:
    """Say how the other direction is looked at, which cannot be from here."""
    path = f"/sms/{link.code}/status/…?id=test&type=8"
    return f"look from Kannel's machine: `curl -i` of {path} (… is the secret) must answer 200"
