"""The private halves of the log's keys that this machine holds, read from KEYS_DIR when needed.

A key that another machine announced may have been brought here since: what is not known is looked
for in the folder again.
"""

from dataclasses import dataclass, field
from pathlib import Path

from core import keys
from core.errors import KeysError
from journal import log_keys, note
from journal.errors import Fault, JournalFault
from journal.log_keys import LogKeys

MISSING = (
    "this machine lacks the log's newest key: copy the newest log-….key from the machine that made "
    "it into KEYS_DIR, mode 0400"
)


@dataclass(slots=True)
class HeldKeys:
    """The log keys in one folder of keys."""

    keys_dir: Path
    _seeds: dict[bytes, bytes] = field(default_factory=dict)
    _signers: dict[tuple[str, tuple[bytes, ...]], list[note.Signer]] = field(default_factory=dict)

    def seed(self, public: bytes) -> bytes | None:
        """Return the private half of a key, None if this machine lacks it."""
        if public not in self._seeds:
            self._seeds = {log_keys.public_of(seed): seed for seed in self.numbered().values()}
        return self._seeds.get(public)

    def numbered(self) -> dict[int, bytes]:
        """Read the keys in the folder, by their numbers; none where they cannot be read."""
        try:
            return keys.load_logs(self.keys_dir)
        except KeysError:
            return {}

    def signers(self, found: LogKeys) -> list[note.Signer]:
        """Return the keys in force, the newest last; an older one may be gone from here.

        Raises: JournalFault if this machine lacks the newest.
        """
        wanted = (found.origin, found.signing)
        if wanted not in self._signers:
            self._seeds = {}  # a key that is in force no more has no business here
            seeds = [self.seed(public) for public in found.signing]
            if seeds[-1] is None:
                raise JournalFault(Fault.KEY_MISSING, MISSING)
            made = [note.Signer(found.origin, seed) for seed in seeds if seed is not None]
            self._signers = {wanted: made}
        return self._signers[wanted]

    def signing_seed(self, found: LogKeys) -> bytes:
        """Return the private half of the newest key.

        Raises: JournalFault if this machine lacks it.
        """
        seed = self.seed(found.newest.public)
        if seed is None:
            raise JournalFault(Fault.KEY_MISSING, MISSING)
        return seed

    def own(self) -> bytes:
        """Return the key that a new log begins with.

        Raises: KeysError if there is none.
        """
        found = keys.load_logs(self.keys_dir)
        return found[max(found)]

    def prepared(self, found: LogKeys) -> bytes | None:
        """Return the key that lies here to follow the newest, None if none does."""
        numbered = self.numbered()
        publics = {number: log_keys.public_of(seed) for number, seed in numbered.items()}
        newest = max((n for n, public in publics.items() if public in found.signing), default=0)
        later = [number for number in publics if number > newest]
        return numbered[max(later)] if newest and later else None

    def destroy_retired(self, found: LogKeys) -> list[str]:
        """Destroy the keys that were in force once and are no more, and return their names."""
        publics = {n: log_keys.public_of(seed) for n, seed in self.numbered().items()}
        gone = {key.public for key in found.ever} - set(found.signing)
        return [
            keys.destroy_log(self.keys_dir, number)
            for number, public in publics.items()
            if public in gone
        ]
