"""The file of what was learned: written whole or not at all, and never by hand."""

import os
from pathlib import Path

from streamer.errors import ConfigError, in_words
from streamer.records.learned import Learned


def read_learned(path: Path) -> Learned:
    """What the file says; nothing was learned yet where there is none.

    Raises `ConfigError` where it is damaged, or was edited.
    """
    try:
        return Learned.from_json(path.read_bytes())
    except FileNotFoundError:
        return Learned()
    except OSError as error:
        raise ConfigError(
            f"learned: can't read {path} ({error.strerror}); make it readable, or take the key out"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"learned: {path} can't be used ({in_words(error)}); only `streamer learn` writes it:"
            " restore it from a backup, or move it away, and the configuration alone holds"
        ) from None


def write_learned(path: Path, learned: Learned, before: Learned) -> None:
    """Replace the file, which must still say what it said `before`.

    Raises `ConfigError` where it can't be written, or somebody else wrote it meanwhile.
    """
    if read_learned(path) != before:
        raise ConfigError(f"learned: {path} was written meanwhile; look at it, and try again")
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            file.write(learned.to_json())
            file.flush()
            # A machine that stops now shall find the old file or the new one.
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise ConfigError(
            f"learned: can't write {path}: {error.strerror}; make its folder writable"
        ) from None
