"""What a verification found, and how it tells."""

from collections import Counter
from dataclasses import dataclass, field

_LISTED_OF_A_CODE = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written; `seq` is the leaf or size it shows at."""

    code: str
    seq: int | None
    detail: str


@dataclass(slots=True)
class Found:
    """What was found so far: how often each code, and the first of each."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, code: str, seq: int | None, detail: str) -> None:
        """Note a finding."""
        self.counts[code] += 1
        if self.counts[code] <= _LISTED_OF_A_CODE:
            self.findings.append(Finding(code, seq, detail))

    def take(self, other: "Found") -> None:
        """Add what was found elsewhere."""
        listed = Counter(finding.code for finding in self.findings)
        for finding in other.findings:
            listed[finding.code] += 1
            if listed[finding.code] <= _LISTED_OF_A_CODE:
                self.findings.append(finding)
        self.counts += other.counts
