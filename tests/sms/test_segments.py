import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.segments import GSM7_BASIC, GSM7_EXTENSION, Encoding, Measured, measure, split

ORACLES = ("sms-segments-calculator@1.3.0", "split-sms@0.1.7")
ASK_THE_ORACLES = """
const { SegmentedMessage } = require("sms-segments-calculator");
const { split } = require("split-sms");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = texts.map((text) => {
  const message = new SegmentedMessage(text);
  const parts = split(text);
  return {
    calculator: [message.encodingName, message.segmentsCount],
    splitter: [parts.characterSet, parts.parts.map((part) => part.content)],
  };
});
process.stdout.write(JSON.stringify(answers));
"""
GSM_TEXT = st.text(st.sampled_from(GSM7_BASIC + GSM7_EXTENSION), max_size=500)
ANY_TEXT = st.one_of(GSM_TEXT, st.text(max_size=500))

TRICKY = [
    *(character * count for character in "aé€\fç`Ạ😀" for count in (1, 67, 68, 70, 71, 80, 81)),
    *("a" * count for count in (152, 153, 154, 159, 160, 161, 305, 306, 307, 459, 460)),
    *("a" * count + "€" + "b" * 40 for count in (151, 152, 153, 157, 158, 159, 304, 305)),
    *("Ạ" * count + "😀" + "Ạ" * 40 for count in (65, 66, 67, 68, 69, 132, 133, 134)),
    *("a" * 150 + character + "b" * 20 for character in GSM7_BASIC + GSM7_EXTENSION),
    *(character for character in GSM7_BASIC + GSM7_EXTENSION),
    *("\u00a0", "\t", "\u2019", "“", "–", "…", "\u03b1", "\x00", "\u200b", "ÀÈ", "àèéìòù", "Đ"),
    "👨‍👩‍👧‍👦" * 15,
    "🇻🇳" * 40,
    "e\u0301" * 90,
    "\r\n" * 120,
    "Công dân Nguyễn Thị Phương Thảo " * 8,
    "[{~}]" * 40,
    "Ạ[{~}]€" * 40,
]


def test_the_alphabet_has_127_characters_and_no_escape() -> None:
    assert len(GSM7_BASIC) == len(set(GSM7_BASIC)) == 127
    assert "\x1b" not in GSM7_BASIC
    assert (GSM7_BASIC[9], GSM7_BASIC.index(" "), GSM7_BASIC[-1]) == ("Ç", 0x1F, "à")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Measured(Encoding.GSM7, 0, 1)),
        ("a" * 160, Measured(Encoding.GSM7, 160, 1)),
        ("a" * 161, Measured(Encoding.GSM7, 161, 2)),
        ("a" * 306, Measured(Encoding.GSM7, 306, 2)),
        ("a" * 307, Measured(Encoding.GSM7, 307, 3)),
        ("€" * 80, Measured(Encoding.GSM7, 160, 1)),
        ("a" * 152 + "€" * 5, Measured(Encoding.GSM7, 162, 2)),
        ("a" * 152 + "€" * 77, Measured(Encoding.GSM7, 306, 3)),
        ("Ạ" * 70, Measured(Encoding.UCS2, 70, 1)),
        ("Ạ" * 71, Measured(Encoding.UCS2, 71, 2)),
        ("Ạ" * 134, Measured(Encoding.UCS2, 134, 2)),
        ("😀" * 35, Measured(Encoding.UCS2, 70, 1)),
        ("😀" * 67, Measured(Encoding.UCS2, 134, 3)),
        ("€" * 70 + "Ạ", Measured(Encoding.UCS2, 71, 2)),
        ("\x1b", Measured(Encoding.UCS2, 1, 1)),
        ("`", Measured(Encoding.UCS2, 1, 1)),
        ("ç", Measured(Encoding.UCS2, 1, 1)),
        ("ÉàèéìòùÇ", Measured(Encoding.GSM7, 8, 1)),
    ],
)
def test_a_text_costs_what_the_standard_says(text: str, expected: Measured) -> None:
    assert measure(text) == expected


@given(ANY_TEXT)
def test_the_parts_are_the_text_and_as_many_as_measured(text: str) -> None:
    measured, parts = measure(text), split(text)

    assert "".join(parts) == text
    assert len(parts) == measured.segments


@given(ANY_TEXT)
def test_no_part_holds_more_than_a_joined_segment(text: str) -> None:
    measured, parts = measure(text), split(text)
    room = {Encoding.GSM7: 153, Encoding.UCS2: 67}[measured.encoding]

    assert len(parts) == 1 or all(0 < _units(part, measured.encoding) <= room for part in parts)


@pytest.fixture(scope="session")
def oracle_folder(request: pytest.FixtureRequest) -> Path:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("segments were not compared with the npm oracles: no node or npm on PATH")
    folder = request.config.cache.mkdir("sms-oracles-1.3.0-0.1.7")
    if not all((folder / "node_modules" / name.split("@")[0]).is_dir() for name in ORACLES):
        _install(npm, folder)
    return folder


def test_two_independent_programs_count_and_cut_alike(oracle_folder: Path) -> None:
    texts = [*TRICKY, *_made_up_texts()]

    answers = _ask(oracle_folder, texts)

    names = {Encoding.GSM7: ("GSM-7", "GSM"), Encoding.UCS2: ("UCS-2", "Unicode")}
    for text, answer in zip(texts, answers, strict=True):
        measured = measure(text)
        calculator, splitter = names[measured.encoding]
        assert answer["calculator"] == [calculator, measured.segments], ascii(text)
        assert answer["splitter"] == [splitter, list(split(text))], ascii(text)


def _units(text: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return sum(2 if character in GSM7_EXTENSION else 1 for character in text)
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def _made_up_texts() -> list[str]:
    """Walk through lengths and mixtures so that every kind of character meets every border."""
    kinds = ("a", "€", "Ạ", "😀", "a€", "Ạ😀", "ab€c😀", "é~")
    return [(kind * length)[:length] for kind in kinds for length in range(60, 330, 3)]


def _install(npm: str, folder: Path) -> None:
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *ORACLES]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    except subprocess.SubprocessError as error:
        pytest.skip(f"segments were not compared with the npm oracles: npm install failed: {error}")


def _ask(folder: Path, texts: list[str]) -> list[dict[str, list[object]]]:
    asked = subprocess.run(
        ["node", "-e", ASK_THE_ORACLES],
        cwd=folder,
        check=True,
        capture_output=True,
        input=json.dumps(texts).encode(),
        timeout=120,
    )
    answers: list[dict[str, list[object]]] = json.loads(asked.stdout)
    return answers
