"""The second factor: a code of the minute from the officer's own device, or a recovery code."""

import base64
import hashlib
import secrets
from datetime import datetime

from pyotp import random_base32
from pyotp.totp import TOTP

STEP_SECONDS = 30
_DRIFT_STEPS = 1
_RECOVERY_BYTES = 10
_RECOVERY_CODES = 10
ISSUER = "TraDan"


def new_seed() -> str:
    """Make a seed, as devices take it in."""
    return random_base32()


def address(seed: str, name: str) -> str:
    """Return what the device reads from a picture."""
    return TOTP(seed).provisioning_uri(name=name, issuer_name=ISSUER)


def step_of(seed: str, code: str, now: datetime, *, after: int) -> int | None:
    """Return the time step that *code* is of; None if of none around *now* later than *after*."""
    totp = TOTP(seed)
    present = int(now.timestamp()) // STEP_SECONDS
    for step in range(present - _DRIFT_STEPS, present + _DRIFT_STEPS + 1):
        if step > after and secrets.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """Make the codes that stand in for a device that is lost.

    Shape: four groups of four letters and digits, 80 bits.
    """
    return [_grouped(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(_RECOVERY_CODES)]


def recovery_hash(code: str) -> bytes:
    """Return what of a recovery code is stored: it is too long to be guessed from its hash."""
    plain = code.replace("-", "").replace(" ", "").upper()
    return hashlib.sha256(f"recovery/1\n{plain}".encode()).digest()


def _grouped(code: bytes) -> str:
    letters = base64.b32encode(code).decode()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
