"""What `operator test` says of a request that an operator sent: why its signature does not hold."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.exits import USAGE, UsageFault
from sms.links import http, slips
from sms.links.model import Link, LinkKind
from sms.links.slips import Came, Slip

_HEADER = re.compile(r"(?:[<>*] ?)?([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t\r]*")


@dataclass(frozen=True, slots=True)
class Explained:
    """What was found in one request.

    Units: *late_seconds* from signing to the time that was asked about, None if none was.
    """

    slips: tuple[Slip, ...]
    signed_at: datetime | None
    late_seconds: int | None
    is_in_time: bool

    @property
    def ok(self) -> bool:
        """Whether the request would have been taken for the operator's."""
        return not self.slips and self.is_in_time

    def as_json(self) -> dict[str, object]:
        """Shape it for programs."""
        return {
            "ok": self.ok,
            "slips": [
                {"part": slip.part, "says": slip.says, "byte": slip.byte} for slip in self.slips
            ],
            "signed_at": self.signed_at.isoformat() if self.signed_at else None,
            "late_seconds": self.late_seconds,
            "in_time": self.is_in_time,
        }

    def lines(self) -> list[str]:
        """Say it to a person."""
        found = [f"FAULT  {slip.part}: {slip.says}" for slip in self.slips]
        if not found:
            found = ["ok     signature: a live secret of this link signed these bytes"]
        return [*found, f"{'ok   ' if self.is_in_time else 'FAULT'}  clock: {self._clock()}"]

    def _clock(self) -> str:
        limit = int(http.TOLERANCE.total_seconds())
        if self.signed_at is None:
            return "webhook-timestamp tells no time"
        when = f"signed at {self.signed_at:%Y-%m-%d %H:%M:%S} UTC"
        if self.late_seconds is None:
            return f"{when}, good for {limit} s before and after (--at says when it came)"
        way = "before" if self.late_seconds >= 0 else "after"
        return f"{when}, {abs(self.late_seconds)} s {way} it came; {limit} s are allowed"


def explain(
    link: Link, headers_file: Path, body_file: Path, signed_file: Path | None, at: str | None
) -> Explained:
    """Say why the signature of a request does not hold.

    Raises: UsageFault for files that cannot be read, or a link that is not signed so.
    """
    if link.kind is not LinkKind.HTTP:
        raise UsageFault(f"{link.code} is not signed by Standard Webhooks: only http links", USAGE)
    came = _came(_read(headers_file).decode("latin-1"), _read(body_file))
    found = slips.explain(link.secrets, came, _read(signed_file) if signed_file else None)
    signed_at = _instant(came.timestamp)
    if at is None or signed_at is None:
        return Explained(found, signed_at, None, signed_at is not None)
    moment = _moment(at)
    late = round((moment - signed_at).total_seconds())
    return Explained(found, signed_at, late, slips.is_in_time(came, moment, http.TOLERANCE))


def _came(headers: str, body: bytes) -> Came:
    named: dict[str, str] = {}
    for line in headers.splitlines():
        if found := _HEADER.fullmatch(line):
            named[found[1].lower()] = found[2]
    if not any(name.startswith("webhook-") for name in named):
        hint = "one header a line, as in `webhook-id: evt_0001`"
        raise UsageFault(f"the file of headers holds none of the three of webhook-…: {hint}", USAGE)
    return Came(
        named.get("webhook-id", ""), named.get("webhook-timestamp", ""),
        named.get("webhook-signature", ""), body,
    )  # fmt: skip


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageFault(f"{path} cannot be read: {error.strerror}", USAGE) from error


def _instant(timestamp: str) -> datetime | None:
    if not re.fullmatch(r"[0-9]{1,11}", timestamp):
        return None
    return datetime.fromtimestamp(int(timestamp), UTC)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageFault(
            "--at is a time with an offset: 2026-11-21T09:41:07+07:00", USAGE
        ) from error
    if moment.tzinfo is None:
        raise UsageFault("--at needs an offset: 2026-11-21T09:41:07+07:00", USAGE)
    return moment
