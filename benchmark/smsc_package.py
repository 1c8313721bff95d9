"""npm's `smpp`, which speaks an SMSC's side of SMPP: had once and kept."""

import shutil
import subprocess
from pathlib import Path

from benchmark.errors import NoSmscError

PACKAGE = "smpp@0.5.1"
_INSTALL_SECONDS = 120


def installed(folder: Path) -> Path:
    """Return *folder* once it holds the package under `node_modules`.

    Raises: NoSmscError where there is no Node, or the package cannot be had.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NoSmscError("no Node here")
    if not (folder / "node_modules" / "smpp").is_dir():
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text('{"private": true}')
            subprocess.run(  # noqa: S603 (npm, and a package that is named above)
                command, cwd=folder, check=True, capture_output=True, timeout=_INSTALL_SECONDS
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise NoSmscError(f"npm install {PACKAGE} failed: {error}") from error
    return folder
