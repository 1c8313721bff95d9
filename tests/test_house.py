"""The rules of the house that no linter holds."""

import ast
import io
import os
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOT_OURS = {".git", ".venv", ".hypothesis", "node_modules", "var"} | {
    f".{tool}_cache" for tool in ("import_linter", "mypy", "pytest", "ruff")
}
LONGEST_FILE = 300
# A third party is handed this one alone.
WHOLE = {"verify_journal.py"}
LONGEST_FUNCTION = 40
COMMITTERS = {f"core/{name}.py" for name in ("db", "postgresql", "sqlite")}
EMPTY_NAMES = {"base", "common", "dao", "helpers", "manager", "misc", "platform", "utils"}

# In pieces, so that this file passes its own test.
FOREIGN = re.compile(
    "|".join(
        (
            r"(?<![\w.~*])/(?:root|work|home)/\w",  # a folder of somebody's machine
            r"pypi\." + "org",
            r"python" + r"hosted\.",
            r"npm" + r"js\.",
            r"deb\.debian" + r"\.org",
        )
    )
)
SILENCER = re.compile(r"noqa|type:\s*ignore")
CODE = r"(?:noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|type:\s*ignore\[[\w-]+(?:,\s*[\w-]+)*\])"


@cache
def files() -> tuple[Path, ...]:
    found = []
    for folder, inner, names in os.walk(ROOT):
        inner[:] = sorted(set(inner) - NOT_OURS)
        found += [Path(folder, name) for name in sorted(set(names) - NOT_OURS)]
    return tuple(path for path in found if path.is_file())


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# Read when the first test asks, not by every process that only looks which tests there are.
@cache
def modules() -> dict[str, str]:
    return {name_of(path): path.read_text() for path in files() if path.suffix == ".py"}


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name])


def shipped() -> list[str]:
    return [name for name in modules() if not name.startswith(("tests/", "migrations/"))]


def nodes(*kinds: type[ast.AST], among: list[str] | None = None) -> Iterator[tuple[str, ast.AST]]:
    for name in modules() if among is None else among:
        for node in ast.walk(tree(name)):
            if isinstance(node, kinds):
                yield name, node


def lines(node: ast.AST) -> int:
    start, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
    return int(end - start + 1)


def test_a_file_is_one_noun_and_fits_in_the_head() -> None:
    long = {name: modules()[name].count("\n") for name in shipped() if name not in WHOLE}

    assert {name: count for name, count in long.items() if count > LONGEST_FILE} == {}


def test_a_function_fits_on_a_screen() -> None:
    written = [name for name in modules() if not name.startswith("migrations/versions/")]
    long = [
        f"{name}:{getattr(node, 'name', '')} has {lines(node)} lines"
        for name, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef, among=written)
        if lines(node) > LONGEST_FUNCTION
    ]

    assert long == []


def test_every_module_says_what_it_owns() -> None:
    named = [name for name in modules() if not Path(name).name.startswith("test_")]

    assert [name for name in named if not ast.get_docstring(tree(name))] == []


def test_an_init_holds_one_docstring_and_nothing_else() -> None:
    inits = [name for name in modules() if name.endswith("__init__.py")]

    assert [name for name in inits if len(tree(name).body) != 1] == []


def test_a_module_is_named_for_what_it_holds() -> None:
    assert [
        name for name in shipped() if EMPTY_NAMES.intersection(Path(name).with_suffix("").parts)
    ] == []


def test_only_the_database_commits() -> None:
    calls = nodes(ast.Call, among=[name for name in shipped() if name not in COMMITTERS])
    commits = [
        f"{name}:{call.lineno}"
        for name, call in calls
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "commit"
    ]

    assert commits == []


def test_what_silences_a_check_names_the_check_and_the_reason() -> None:
    bare = [
        f"{name}:{token.start[0]} {token.string}"
        for name, text in modules().items()
        if SILENCER.search(text)  # few have any, and to take a text apart takes long
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
        and SILENCER.search(token.string)
        and not has_code_and_reason(token.string)
    ]

    assert bare == []


def has_code_and_reason(comment: str) -> bool:
    rest = re.sub(CODE, "", comment)
    return not SILENCER.search(rest) and len(re.findall(r"\w+", rest)) > 1


@pytest.mark.parametrize(
    ("comment", "fine"),
    [
        ("# no" + "qa", False),
        ("# no" + "qa: S608", False),
        ("# no" + "qa: S608 (the name is ours)", True),
        ("# type: " + "ignore  # it is fine, really", False),
        ("# type: " + "ignore[arg-type]", False),
        ("# type: " + "ignore[arg-type]  # no" + "qa: E501 (ships no types)", True),
    ],
)
def test_a_reason_is_told_from_none(comment: str, fine: bool) -> None:
    assert has_code_and_reason(comment) is fine


def test_tests_hand_fakes_over_instead_of_patching() -> None:
    patching = re.compile(r"\b(?:unittest\.m" + r"ock|m" + r"ocker|monkey" + r"patch\.setattr)\b")

    assert [name for name, text in modules().items() if patching.search(text)] == []


def test_the_text_speaks_of_no_machine_and_no_registry() -> None:
    found = [
        f"{name_of(path)}: {match.group()}"
        for path in files()
        if (text := text_of(path)) and (match := FOREIGN.search(text))
    ]

    assert found == []


def text_of(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""
