"""Whether one schema may follow another within a major version: docs/contract.md as code."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """What readers of `old` or of `new` could not bear, each with its place.

    Both ways: an old reader gets new records, and a new reader those that are still on the topics.
    """
    return list(Comparison(old, new).differences(old, new, "$"))


class Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old.get("$defs", {}), new.get("$defs", {})
        self._seen: set[tuple[str, str]] = set()

    def differences(self, old: Any, new: Any, at: str) -> Iterator[str]:
        refs = (old.get("$ref", ""), new.get("$ref", ""))
        if all(refs) and refs in self._seen:
            return
        self._seen.add(refs)
        old, new = _followed(old, self._old), _followed(new, self._new)
        for key in ("type", "const"):
            if old.get(key) != new.get(key):
                yield f"{at}: {key} was {old.get(key)}, is {new.get(key)}"
        for value in old.get("examples", ()):
            if value not in new.get("examples", ()):
                yield f"{at}: the value {value!r} is gone"
        yield from self._fields(old, new, at)
        yield from self._inner(old, new, at)

    def _fields(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            if name not in now:
                yield f"{at}.{name}: is gone"
            else:
                yield from self.differences(before[name], now[name], f"{at}.{name}")
        yield from (f"{at}.{name}: may be left out" for name in sorted(needed - needs))
        yield from (f"{at}.{name}: has no default" for name in sorted(needs - needed))

    def _inner(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        mine, other = old.get("anyOf", []), new.get("anyOf", [])
        if len(mine) != len(other):
            yield f"{at}: was one of {len(mine)} kinds, is one of {len(other)}"
        for one, another in zip(mine, other, strict=False):
            yield from self.differences(one, another, at)
        for key in ("items", "additionalProperties"):
            one, another = old.get(key), new.get(key)
            if isinstance(one, dict) and isinstance(another, dict):
                yield from self.differences(one, another, f"{at}[]")
            elif one != another:
                yield f"{at}: {key} was {one}, is {another}"


def _followed(node: Schema, definitions: Schema) -> Schema:
    ref = node.get("$ref")
    return definitions[ref.rpartition("/")[2]] if ref else node
