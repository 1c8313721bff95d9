"""The inputs that are kept: good ones to begin with, and those by which something was found.

A file for each target, a line for each input: the bytes as Python writes them, `#` before words.
"""

import ast
from pathlib import Path

FOLDER = Path(__file__).with_name("seeds")


def load(target: str) -> list[bytes]:
    """Read the inputs that are kept for a target."""
    lines = (FOLDER / f"{target}.txt").read_text(encoding="ascii").splitlines()
    return [ast.literal_eval(line) for line in lines if line and not line.startswith("#")]


def keep(target: str, inputs: list[bytes], why: str) -> None:
    """Write more inputs down."""
    with (FOLDER / f"{target}.txt").open("a", encoding="ascii") as file:
        file.write(f"# {why}\n")
        file.writelines(f"{one!r}\n" for one in inputs)
