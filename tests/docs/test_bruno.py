"""The Bruno collection: files that Bruno reads, paths that exist, a script that signs."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sms.links import slips
from sms.links.slips import Came
from tests.docs import pages

FOLDER = pages.ROOT / "docs/operators/bruno"
REQUESTS = sorted(
    path for path in FOLDER.glob("*.bru") if path.name != "collection.bru"
)  # the collection's own file holds no request
DOCUMENT = json.loads((pages.ROOT / "sms/openapi.json").read_text())
SECRET = "whsec_" + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
VARIABLES = {"sender": "+84912345678", "shortCode": "12345", "link": "mine", "secret": SECRET}
_BLOCK = re.compile(r"^([a-z:-]+) (\{|\[)\n(.*?)^(?:\}|\])$", re.DOTALL | re.MULTILINE)
_METHODS = ("get", "post")
# What Bruno hands its scripts, of which ours uses so much.
_STAGE = """
const crypto = require("node:crypto");
const CryptoJS = {
  lib: { WordArray: { random: (n) => crypto.randomBytes(n).toString("hex") } },
  enc: { Base64: {
    parse: (text) => Buffer.from(text, "base64"),
    stringify: (bytes) => bytes.toString("base64"),
  } },
  HmacSHA256: (text, key) => crypto.createHmac("sha256", key).update(text).digest(),
};
const [body, variables] = JSON.parse(process.argv[1]);
const sent = { headers: {} };
const req = {
  getMethod: () => "POST",
  getBody: () => JSON.parse(body),
  setBody: (text) => { sent.body = text; },
  setHeader: (name, value) => { sent.headers[name] = value; },
};
const bru = { getEnvVar: (name) => variables[name] };
new Function("req", "bru", "require", SCRIPT)(req, bru, () => CryptoJS);
console.log(JSON.stringify(sent));
"""


def blocks(path: Path) -> dict[str, str]:
    """Part a file of Bruno's into its blocks; whatever is left over is no such file."""
    text = path.read_text()
    assert not _BLOCK.sub("", text).strip(), path.name
    return {name: content for name, _, content in _BLOCK.findall(text)}


def pairs(block: str) -> dict[str, str]:
    lines = [line.strip() for line in block.splitlines() if line.strip()]
    return dict(line.split(": ", 1) for line in lines)


def method_of(path: Path) -> str:
    (method,) = set(_METHODS) & blocks(path).keys()
    return method


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_a_request_is_one_of_the_document(path: Path) -> None:
    read, method = blocks(path), method_of(path)
    url = pairs(read[method])["url"].partition("?")[0]
    place = url.removeprefix("{{baseUrl}}").replace("{{", "{").replace("}}", "}")

    assert pairs(read["meta"])["name"] == path.stem
    assert method in DOCUMENT["paths"][place]
    wanted = re.search(r"res\.status: eq ([0-9]{3})", read["assert"])
    assert wanted
    assert wanted[1] in DOCUMENT["paths"][place][method]["responses"]


def test_they_are_numbered_in_the_order_in_which_they_run() -> None:
    numbers = sorted(int(pairs(blocks(path)["meta"])["seq"]) for path in REQUESTS)

    assert numbers == list(range(1, len(REQUESTS) + 1))


def test_no_secret_is_in_it_and_every_variable_is_told() -> None:
    told = blocks(FOLDER / "environments/Sandbox.bru")
    known = {*pairs(told["vars"]), *told["vars:secret"].split()}
    named = {
        name
        for path in FOLDER.rglob("*.bru")
        for name in re.findall(r"{{(\w+)}}", path.read_text())
    }

    assert named <= known
    assert not any("whsec_" + "A" in path.read_text() for path in FOLDER.rglob("*.bru"))


@pytest.mark.parametrize(
    "path", [path for path in REQUESTS if method_of(path) == "post"], ids=lambda path: path.stem
)
def test_the_script_signs_what_goes_out(path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here: the script of the Bruno collection was not run")
    script = blocks(FOLDER / "collection.bru")["script:pre-request"]
    program = f"const SCRIPT = {json.dumps(script)};\n{_STAGE}"
    told = json.dumps([blocks(path)["body:json"], VARIABLES])

    done = subprocess.run([node, "-e", program, told], capture_output=True, text=True, check=True)

    sent = json.loads(done.stdout)
    headers, data = sent["headers"], json.loads(sent["body"])["data"]
    came = Came(
        headers["webhook-id"], headers["webhook-timestamp"], headers["webhook-signature"],
        sent["body"].encode(),
    )  # fmt: skip
    assert slips.explain((SECRET,), came) == ()
    assert not {"NOW", "NEW_ID"} & set(map(str, data.values()))
    assert "{{" not in sent["body"]
