"""The folder of a version of the segments, as far as it is read by more than who wrote it."""

from pathlib import Path

from streamer.errors import ConfigError, in_words
from streamer.records.segments import Segmentation

SEGMENTS_FILE = "segments.json"


def read_segments(version: Path) -> Segmentation:
    """The segments of a version; raises `ConfigError` where its folder can't be read."""
    path = version / SEGMENTS_FILE
    try:
        return Segmentation.from_json(path.read_bytes())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"{path}: can't be read as segments ({in_words(error)}); restore it, or delete the"
            " version's folder and fit again"
        ) from None
