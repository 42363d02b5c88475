"""The annotated types of a dataclass's fields, checked when a value is made; Python itself checks none."""

import reprlib
import types
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from mnist_models.errors import InvalidInput, unknown_name

WORDS: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    types.NoneType: "None",
}


def check_fields(value: Any, title: str) -> None:
    """Raise InvalidInput for the first field of a dataclass that is not of its type, with what is allowed.

    A name that is not among those of a `Literal` is refused with the nearest ones.
    """
    for name, kind in _types(type(value)).items():
        given = getattr(value, name)
        if _fits(given, kind):
            continue
        if get_origin(kind) is Literal and isinstance(given, str):
            raise unknown_name(f"{title}: {name}", given, get_args(kind))
        raise InvalidInput(f"{title}: {name} must be {_words(kind)}, not {reprlib.repr(given)}.")


def _types(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}


def _fits(value: Any, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Literal:
        return value in get_args(kind)
    if origin in (types.UnionType, Union):
        return any(_fits(value, each) for each in get_args(kind))
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(each, get_args(kind)[0]) for each in value)
    if origin is Callable:
        return callable(value)
    if kind in (int, float):
        return isinstance(value, (int, float) if kind is float else int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _words(kind: Any) -> str:
    origin = get_origin(kind)
    if origin is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if origin in (types.UnionType, Union):
        return " or ".join(_words(each) for each in get_args(kind))
    if origin is tuple:
        return f"a tuple, each of it {_words(get_args(kind)[0])}"
    if origin is Callable:
        return "a function"
    return WORDS.get(kind, f"of the type {getattr(kind, '__name__', kind)}")
