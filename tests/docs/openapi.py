"""Makes the document that is served from the one that is written: `make openapi`."""

import json

import yaml

from tests.docs.pages import ROOT

WRITTEN, MADE = ROOT / "sms/openapi.yaml", ROOT / "sms/openapi.json"


def made(text: str) -> str:
    """Write YAML as JSON, its anchors resolved.

    Raises: TypeError for what YAML took for a time, which JSON does not have: quote it.
    """
    return json.dumps(yaml.safe_load(text), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    MADE.write_text(made(WRITTEN.read_text()))
