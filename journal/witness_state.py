"""The folder of a witness: its key and its memory, which are made together and stay together."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from core import key_files
from core.errors import KeysError
from core.keys import KEY_BYTES
from journal.cosignature import Cosigner
from journal.witness_memory import WitnessMemory

KEY_FILE = "witness.key"
MEMORY_FILE = "witness.db"


@dataclass(frozen=True, slots=True)
class WitnessState:
    """What a witness signs with, what it remembers, and whether both are new."""

    cosigner: Cosigner
    memory: WitnessMemory
    is_new: bool


def open_state(folder: Path, name: str) -> WitnessState:
    """Open the folder of the witness called *name*, making what a new one needs.

    Raises: KeysError if its key or memory is missing, or is another witness's.
    """
    key_path, memory_path = folder / KEY_FILE, folder / MEMORY_FILE
    is_new = not key_path.exists() and not memory_path.exists()
    if is_new:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        seed = secrets.token_bytes(KEY_BYTES)
        WitnessMemory.create(memory_path, str(Cosigner(name, seed).key))
        key_files.make(key_path, seed)
    faults: list[str] = []
    seed = b""
    if key_path.exists():
        seed = key_files.read(key_path, KEY_BYTES, faults)
    else:
        faults.append(f"{key_path} is missing: bring it back from where its copy is kept")
    if not memory_path.exists():
        faults.append(
            f"{memory_path} is missing, and a witness that has forgotten what it signed must sign "
            "no more: bring the file back, or begin anew in another folder with another key"
        )
    if not faults and len(seed) != KEY_BYTES:
        faults.append(f"key file {key_path} does not hold exactly {KEY_BYTES} bytes")
    if faults:
        raise KeysError(faults)
    cosigner, memory = Cosigner(name, seed), WitnessMemory(memory_path)
    if memory.key() != str(cosigner.key):
        raise KeysError([f"{memory_path} belongs to {memory.key()}, not to {cosigner.key}"])
    return WitnessState(cosigner, memory, is_new)
