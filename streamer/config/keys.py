"""Which keys there are at a path of a document: to say what was probably meant."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel


def keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys of the block at `path`, as they are written."""
    block, steps = model, iter(path)
    for step in steps:
        for key, field in block.model_fields.items():
            if step == (field.alias or key):
                block = next(_blocks(field.annotation), block)
                if _has_several(field.annotation):
                    next(steps, None)
    return [field.alias or key for key, field in block.model_fields.items()]


def _blocks(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _blocks(part)


def _has_several(annotation: Any) -> bool:
    """Whether a name or a number stands between the key and its blocks."""
    return get_origin(annotation) in (dict, tuple) or any(map(_has_several, get_args(annotation)))
