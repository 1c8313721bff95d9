"""How one Kannel knows us and reaches us: kept as JSON in the link's row, read and written here."""

import json
import re
from dataclasses import asdict, dataclass
from functools import lru_cache

from sms.links.errors import LinkError

# A number of ours stands in a header.
OUR_NUMBER = re.compile(r"[\x21-\x7e]{1,100}")
_USERNAME = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
# Neither quotes nor backslashes, which its file of settings reads as something else.
_PASSWORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{8,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Whom one Kannel knows us as, and where it finds us unless that is the public address."""

    username: str
    callback_url: str | None = None


def dump(profile: Profile) -> str:
    """Write a profile as JSON."""
    return json.dumps(asdict(profile), separators=(",", ":"), sort_keys=True)


@lru_cache(maxsize=256)
def load(text: str) -> Profile:
    """Read a profile that `dump` wrote."""
    return Profile(**json.loads(text))


def check_username(text: str) -> str:
    """Check whom Kannel is to know us as.

    Raises: LinkError.
    """
    if not _USERNAME.fullmatch(text):
        raise LinkError("must be 1 to 64 letters, digits, or any of _ . @ -")
    return text


def check_password(text: str) -> str:
    """Check what sendsms is asked with.

    Raises: LinkError, quoting nothing of it.
    """
    if not _PASSWORD.fullmatch(text):
        raise LinkError(
            'the password must be 8 to 64 visible ASCII characters, none of them " or \\'
        )
    return text
