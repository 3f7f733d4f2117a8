"""Words of the command line that mean more than a text."""

import argparse
from typing import Any


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
