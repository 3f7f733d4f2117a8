"""How a record that somebody wrote is read: checked field by field, as its dataclass says."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

Convert = Callable[[Any], Any]

_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
    dict: "an object",
    list: "a list",
    tuple: "a list",
}


class FieldError(TypeError, ValueError):
    """A record has a field that is not there or is something else than its type says.

    `path` names it with dots, empty for the record itself; the value is never told.
    """

    def __init__(self, why: str, *path: str) -> None:
        super().__init__(f"{'.'.join(path)} {why}" if path else why)
        self.why = why
        self.path = path

    def below(self, step: object) -> "FieldError":
        """The same of what holds this record in its field `step`."""
        return FieldError(self.why, str(step), *self.path)


def made(kind: Callable[..., T], raw: Mapping[str, Any]) -> T:
    """The dataclass `kind` from a decoded JSON object, with all that is nested in it.

    What this release doesn't know is left out. Raises `FieldError`, which is a `ValueError`, where
    a field without a default is missing or anything is of another type.
    """
    record: T = _reader(kind)(raw)
    return record


@dataclass(frozen=True, slots=True)
class _Field:
    """What a type hint asks of a value: to be of some `types`, or that `convert` makes something of
    it. Without either anything will do.
    """

    types: tuple[type, ...] = ()
    convert: Convert | None = None
    optional: bool = False

    def read(self, value: Any, step: object) -> Any:
        """The value, made; raises `FieldError` that names it by `step`."""
        if self.optional and value is None:
            return None
        if self.convert is None:
            if self.types and type(value) not in self.types:
                raise self.refusal(value, str(step))
            return value
        try:
            return self.convert(value)
        except FieldError as error:
            raise error.below(step) from None

    def refusal(self, value: Any, name: str) -> FieldError:
        return FieldError(f"should be {_WORDS[self.types[0]]}, and is {_word(value)}", name)


@cache
def _reader(kind: Any) -> Convert:
    return _Readers().of(kind)


class _Readers:
    """Makes a function for each dataclass that reads it as if it had been written by hand.

    One that looks the types up for every record takes half as long again as to make the record.
    """

    def __init__(self) -> None:
        self._made: dict[Any, Convert] = {}

    def of(self, kind: Any) -> Convert:
        if kind not in self._made:
            # A record may hold others of its own kind.
            self._made[kind] = lambda raw: convert(raw)
            convert = self._made[kind] = self._compiled(kind)
        return self._made[kind]

    def _compiled(self, kind: Any) -> Convert:
        hints = get_type_hints(kind)
        mine = [field for field in fields(kind) if field.init]
        asked = {field.name: self._field(hints[field.name]) for field in mine}
        names: dict[str, Any] = {
            "kind": kind,
            "asked": asked,
            "FieldError": FieldError,
            "refuse": _refuse,
            "defaults": {field.name: _default(field) for field in mine if not _needed(field)},
            **{f"convert_{name}": field.convert for name, field in asked.items()},
        }
        exec("\n".join(_source(mine, asked)), names)
        read: Convert = names["read"]
        return read

    def _field(self, hint: Any) -> _Field:
        options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        optional, (option, *others) = NoneType in options, [o for o in options if o is not NoneType]
        if others or option is Any:
            return _Field()
        convert = self._convert(option)
        if convert is not None:
            return _Field(convert=convert, optional=optional)
        if get_origin(option) is Literal:
            # A later release may know more values, so these are no bounds.
            option = type(get_args(option)[0])
        # JSON has one kind of numbers: 1 may stand for 1.0.
        return _Field((float, int) if option is float else (option,), optional=optional)

    def _convert(self, hint: Any) -> Convert | None:
        origin, inner = get_origin(hint), get_args(hint)
        if is_dataclass(hint):
            return self.of(hint)
        if origin is tuple and inner[-1] is Ellipsis:
            return partial(_list, self._field(inner[0]))
        if origin is tuple:
            return partial(_row, [self._field(part) for part in inner])
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return partial(_object, self._field(inner[1]))
        return None


def _needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _default(field: Field[Any]) -> Callable[[], Any]:
    if field.default_factory is not MISSING:
        return field.default_factory
    return lambda: field.default


def _source(mine: Sequence[Field[Any]], asked: Mapping[str, _Field]) -> Iterator[str]:
    """The lines of `read`, which takes a decoded object and gives the record."""
    yield "def read(raw):"
    yield " if raw.__class__ is not dict:"
    yield "  return raw if raw.__class__ is kind else refuse(raw)"
    yield " try:"
    for field in mine:
        name = field.name
        other = "" if _needed(field) else f" if {name!r} in raw else defaults[{name!r}]()"
        yield f"  _{name} = raw[{name!r}]{other}"
    yield " except KeyError as error:"
    yield "  raise FieldError('is missing', error.args[0]) from None"
    for name, needed in asked.items():
        yield from _checked(name, needed)
    given = ", ".join(f"{name}=_{name}" for name in asked)
    yield f" return kind({given})"


def _checked(name: str, field: _Field) -> Iterator[str]:
    present = f"_{name} is not None" if field.optional else "True"
    if field.convert is not None:
        yield f" if {present}:"
        yield "  try:"
        yield f"   _{name} = convert_{name}(_{name})"
        yield "  except FieldError as error:"
        yield f"   raise error.below({name!r}) from None"
    if field.types:
        wrong = " and ".join(f"_{name}.__class__ is not {kind.__name__}" for kind in field.types)
        yield f" if {present} and {wrong}:"
        yield f"  raise asked[{name!r}].refusal(_{name}, {name!r})"


def _refuse(raw: Any) -> NoReturn:
    raise FieldError(f"should be an object, and is {_word(raw)}")


def _list(element: _Field, raw: Any) -> tuple[Any, ...]:
    if not isinstance(raw, list | tuple):
        raise FieldError(f"should be a list, and is {_word(raw)}")
    if element.types and set(map(type, raw)) <= {*element.types}:
        return tuple(raw)
    return tuple([element.read(value, index) for index, value in enumerate(raw)])


def _row(elements: Sequence[_Field], raw: Any) -> tuple[Any, ...]:
    if not isinstance(raw, list | tuple) or len(raw) != len(elements):
        raise FieldError(f"should be a list of {len(elements)}, and is {_word(raw)}")
    parts = zip(elements, raw, strict=True)
    return tuple([element.read(value, index) for index, (element, value) in enumerate(parts)])


def _object(value: _Field, raw: Any) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise FieldError(f"should be an object, and is {_word(raw)}")
    if value == _ANYTHING:
        return raw
    return {name: value.read(part, name) for name, part in raw.items()}


def _word(value: Any) -> str:
    return _WORDS.get(type(value), type(value).__name__)


_ANYTHING = _Field()
