"""JSON as a contract reads it: no duplicate keys, no NaN, no lone surrogates, bounded nesting."""

import json
from collections.abc import Sequence
from typing import NoReturn

from sms.links.errors import MalformedError


def parse_object(text: str) -> dict[str, object]:
    """Read *text* as one JSON object.

    Raises: MalformedError.
    """
    try:
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constants)
    except (ValueError, RecursionError) as error:
        raise MalformedError("the body is not valid JSON") from error
    if not isinstance(value, dict):
        raise MalformedError("the body is not a JSON object")
    return value


def text_of(data: dict[str, object], name: str, *, longest: int) -> str:
    """Take the text called *name*.

    Raises: MalformedError if it is missing, empty, too long, not text, or not encodable.
    """
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedError(f"{name} must be a text that is not empty")
    return check_text(value, name, longest=longest)


def check_text(value: str, name: str, *, longest: int) -> str:
    """Refuse what no telephone sends.

    Raises: MalformedError.
    """
    if len(value) > longest:
        raise MalformedError(f"{name} must not be longer than {longest} characters")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise MalformedError(f"{name} must hold neither NUL nor lone surrogates")
    return value


def _no_duplicates(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedError("the body holds a key twice")
    return found


def _no_constants(_name: str) -> NoReturn:
    raise MalformedError("the body holds a number that JSON does not have")
