"""JSON pointers (RFC 6901) into a ticket's fields."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import methodcaller
from typing import Any

# A dict first: the check against an abstract class costs more than the look-up.
OBJECTS = (dict, Mapping)


def find(fields: Any, pointer: str) -> Any:
    """The value behind a JSON pointer, or None.

    Beyond RFC 6901, a name at which there is a list stands for that field of each of its elements:
    the values are given in a list, without those that aren't there.
    """
    return _find(fields, _steps(pointer))


def finder(pointer: str) -> Callable[[Mapping[str, Any]], Any]:
    """`find` for one pointer, many times."""
    steps = _steps(pointer)
    # Nearly every pointer names a field of the record itself.
    return methodcaller("get", *steps) if len(steps) == 1 else partial(_find, steps=steps)


def kind(value: Any) -> str:
    """What a pointer met, in JSON's words and without the value."""
    if isinstance(value, str):
        return "a text" if value else "an empty text"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, OBJECTS):
        return "an object"
    return "nothing" if value is None else "a list"


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _find(fields: Any, steps: Sequence[str]) -> Any:
    for depth, step in enumerate(steps):
        if isinstance(fields, OBJECTS):
            fields = fields.get(step)
        elif not isinstance(fields, list):
            return None
        elif not (step.isascii() and step.isdecimal()):
            return _each(fields, steps[depth:])
        else:
            fields = fields[int(step)] if len(step) < 10 and int(step) < len(fields) else None
    return fields


def _each(elements: Sequence[Any], steps: Sequence[str]) -> list[Any] | None:
    parts = [_find(element, steps) for element in elements if isinstance(element, OBJECTS)]
    return [part for part in parts if part is not None] or None
