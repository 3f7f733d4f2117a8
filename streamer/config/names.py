"""The kinds of names that stand in streamer.yaml, each refused by a sentence."""

import re
from typing import Annotated

from pydantic import AfterValidator

_LONGEST = 100
_LONGEST_TOPIC = 249


def pointer(text: str) -> str:
    """A JSON pointer (RFC 6901); raises `ValueError`."""
    if re.fullmatch(r"(/[^/]+)+", text):
        return text
    steps = [step for step in re.split(r"[/.]", text.removeprefix("$")) if step]
    meant = f"; did you mean /{'/'.join(steps)}?" if steps else ", such as /id or /ticket/id"
    raise ValueError(f"a JSON pointer begins with a slash, with a name after each{meant}")


def name(text: str) -> str:
    """The name of a task or a model, which goes into keys, folders and metrics."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise ValueError("use small letters, digits and _, and begin with a letter, as intent_word")
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text)} characters: use {_LONGEST} at most")
    return text


def version(text: str) -> str:
    """The number of a model's version, as Triton counts them."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise ValueError('a version is a whole number from 1 on, in quotes: "2"')
    return text


def topic(text: str) -> str:
    """A name that Kafka takes for a topic."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text) or text in (".", ".."):
        raise ValueError("Kafka takes letters, digits, `.`, `_` and `-` in a topic's name")
    if len(text) > _LONGEST_TOPIC:
        raise ValueError(f"it has {len(text)} characters: Kafka takes {_LONGEST_TOPIC} at most")
    return text


def function(text: str) -> str:
    """The dotted name of a function in a module."""
    if not re.fullmatch(r"[\w.]+[.:]\w+", text):
        raise ValueError("give the dotted name of a function, as my_package.tickets.decode")
    return text


def source(text: str) -> str:
    """The name of an input, which goes into decision ids."""
    if not re.fullmatch(r"[\w.-]+", text):
        raise ValueError("use letters, digits, `.`, `_` and `-`, as helpdesk")
    return text


Pointer = Annotated[str, AfterValidator(pointer)]
Name = Annotated[str, AfterValidator(name)]
Version = Annotated[str, AfterValidator(version)]
TopicName = Annotated[str, AfterValidator(topic)]
FunctionName = Annotated[str, AfterValidator(function)]
SourceName = Annotated[str, AfterValidator(source)]
