"""Words of the command line that mean more than a text."""

import argparse
import difflib
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from streamer.records.labelset import unfit


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The choice that was probably meant, as the end of a sentence; empty where none is near."""
    folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    return f"; did you mean {folded[near[0]]}?" if near else ""


def no_such_task(name: str, tasks: Iterable[str]) -> str:
    """What to say of a task's name that is not configured."""
    known = list(tasks)
    meant = did_you_mean(name, known) or f": use one of {', '.join(known)}"
    return f"no task {name!r}{meant}"


def pair(text: str) -> tuple[str, str]:
    """A key and its value, such as kafka.group=mine."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE, such as kafka.group=mine")
    return key, value


def moment(text: str) -> Any:
    """Where to begin reading: earliest, latest or a time."""
    from streamer.config.kafka import start

    try:
        return start(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def share(text: str) -> float:
    """A share such as 15% or 0.15."""
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no share, such as 15% or 0.15") from None


def amount(text: str) -> tuple[str, float]:
    """A model's name and a number, such as judge=0.2."""
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, as judge=0.2") from None


def model_version(text: str) -> tuple[str, str]:
    """A model's name and the number of a version, such as intent_word=2."""
    name, _, version = text.partition("=")
    if not name or not re.fullmatch(r"[1-9][0-9]{0,8}", version):
        raise argparse.ArgumentTypeError(f"{text!r} is not MODEL=VERSION, such as intent_word=2")
    return name, version


def labels(text: str) -> tuple[str, ...]:
    """A label set such as billing,bug,question."""
    found = _names(text)
    if len(found) < 2:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no label set: give two or more different names, such as bug,question"
        )
    if why := unfit(found):
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is no label set: {why}")
    return found


def task(text: str) -> str:
    """A task's name, such as intent."""
    from streamer.config.names import name

    return _fit(name, text, "task's name")


def model(text: str) -> str:
    """A model's name in Triton, such as intent_word."""
    from streamer.config.names import name

    return _fit(name, text, "model's name")


def pointer(text: str) -> str:
    """A JSON pointer, such as /ticket/id."""
    from streamer.config.names import pointer

    return _fit(pointer, text, "JSON pointer")


def pointers(text: str) -> tuple[str, ...]:
    """JSON pointers such as /subject,/body."""
    return tuple(map(pointer, _names(text) or [text]))


def _fit(kind: Callable[[str], str], text: str, what: str) -> str:
    try:
        return kind(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no {what}: {error}") from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def span(text: str) -> timedelta:
    """A stretch of time such as 90m, 24h or 7d."""
    number, unit = text[:-1], text[-1:]
    if not re.fullmatch(r"\d{1,5}", number) or unit not in _UNITS or not int(number):
        raise argparse.ArgumentTypeError(f"{text!r} is no stretch of time, such as 90m, 24h or 7d")
    return timedelta(seconds=int(number) * _UNITS[unit])


def when(text: str) -> datetime:
    """A time such as 2026-01-31T08:00:00Z, or a stretch before now such as 24h."""
    found = None if text in ("earliest", "latest") else _moment_or_none(text)
    if isinstance(found, datetime):
        return found
    try:
        return datetime.now(UTC) - span(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time, such as 2026-01-31T08:00:00Z, or 24h for a day ago"
        ) from None


def since(text: str) -> datetime | Literal["earliest"]:
    """As `when`, or all that there is."""
    return "earliest" if text == "earliest" else when(text)


def letter(text: str) -> tuple[int, int]:
    """A place on the dead letter topic, such as 3:812."""
    if not re.fullmatch(r"\d{1,9}:\d{1,18}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not PARTITION:OFFSET, such as 3:812")
    partition, _, offset = text.partition(":")
    return int(partition), int(offset)


def positive(text: str) -> float:
    """A number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def count(text: str) -> int:
    """A whole number from 0 on."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def at_least_one(text: str) -> int:
    """A whole number from 1 on."""
    if not (number := count(text)):
        raise argparse.ArgumentTypeError("0 is too few: give a whole number from 1 on")
    return number


def _moment_or_none(text: str) -> Any:
    try:
        return moment(text)
    except argparse.ArgumentTypeError:
        return None
