"""The errors of the journal."""

from collections.abc import Sequence
from enum import StrEnum


class JournalError(Exception):
    """The journal cannot do what was asked."""


class DraftError(JournalError):
    """A draft holds something that cannot be committed to: the caller's mistake."""


class KeyChangeError(JournalError):
    """The log's keys cannot be changed so, or not now."""


class RecoveryError(JournalError):
    """A restored journal cannot be recovered so: the sentence names what stands in the way."""


class UnsealedError(JournalError):
    """The entry is not in the tree: it waits for the sealer, or there is none of this id."""

    def __init__(self) -> None:
        super().__init__("the entry is not sealed")


class NoteError(JournalError):
    """A signed note or a checkpoint is malformed or its signature does not hold."""


class LayoutError(JournalError):
    """Bytes are no tile or entry bundle."""


class MirrorError(JournalError):
    """The mirror on this machine cannot follow the database."""


class AuditorError(JournalError):
    """An auditor cannot be added or removed as it was asked for."""


class ExportError(JournalError):
    """An export cannot be made as it was asked for."""


class ComparisonError(JournalError):
    """Two checkpoints cannot be compared with what is there."""


class PolicyError(JournalError):
    """A policy file is not one; every fault is named at once."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class UnreachableError(JournalError):
    """A witness does not answer."""


class Fault(StrEnum):
    """What is wrong with the journal."""

    SIGNER_REFUSES = "signer-refuses"
    MEMORY_UNREADABLE = "memory-unreadable"
    TREE_MISMATCH = "tree-mismatch"
    CHECKPOINT_INVALID = "checkpoint-invalid"
    ENTRY_FORGED = "entry-forged"
    ENTRY_REPLAYED = "entry-replayed"
    KEY_MISSING = "key-missing"


class JournalFault(JournalError):  # noqa: N818 (a condition that stops disclosure, not a mistake)
    """The journal is not what this process knows it to be: nothing more may be disclosed."""

    def __init__(self, code: Fault, message: str) -> None:
        super().__init__(message)
        self.code = code
