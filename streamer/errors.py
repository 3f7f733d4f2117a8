"""Errors, sorted by whose fault they are. Every message ends with what to do next."""

import json
import os

DEFECTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What code raises that is wrong, or that was given something odd: never what comes of a lack of
memory or disk, of the network, or of being stopped."""


def in_words(error: Exception) -> str:
    """Why a file can't be read, for a sentence: without Python's names and numbers."""
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    if isinstance(error, json.JSONDecodeError):
        return "it is cut off, or no JSON"
    if isinstance(error, KeyError):
        missing = str(error.args[0])
        # numpy says a whole sentence.
        return missing if " " in missing else f"it lacks {missing!r}"
    if isinstance(error, TypeError | AttributeError):
        return "its fields are not those of this release"
    return str(error) or type(error).__name__


class StreamerError(Exception):
    """Base of all errors that this package raises on purpose."""


class ConfigError(StreamerError):
    """The configuration, or what it points at, is wrong: the process exits with code 2."""


class TicketError(StreamerError):
    """One input record can't be processed: it becomes a dead letter, the stream goes on."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Unavailable(StreamerError):
    """Raised by a decoder of the user's: it can't read anything now, for no fault of the record.

    The stream is held and the same record tried again, until the decoder can.
    """


class ModelError(StreamerError):
    """A worker or the judge failed or answered nonsense."""


class OutsideFault(StreamerError):
    """Ends the process for no fault of the record that is worked on: it is not blamed for it."""


class BrokerError(OutsideFault):
    """Kafka failed, or holds something other than expected: the process stops uncommitted."""


class HandlerError(StreamerError):
    """A handler broke its contract with the engine: a defect in this package."""
