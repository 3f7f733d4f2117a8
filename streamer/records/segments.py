"""Segments of the tickets, as `streamer segments fit` writes them: read again, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from streamer.records.hashed import check_unchanged, hashed_json, version_of
from streamer.records.reading import made

GENERAL = -1
"""The place of no segment: the ticket is served like one that nobody sorted."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Tickets that lie around one centroid.

    `number` and `name` stay the same from version to version while the segment is found again; a
    number is never given twice. `words` are the typical ones now. `size` tickets were nearest to
    `centroid` when it was found, 99 % of them no further than `far`.
    """

    number: int
    name: str
    words: tuple[str, ...]
    size: int
    far: float
    centroid: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FitRecipe:
    """Everything that decides what is found: equal recipes give equal segments.

    `asked` is the number of segments that was asked for, None where it was chosen. `tickets` is a
    hash of ids and texts, `encoder` and `code` hashes of what embedded and clustered them.
    `previous` is the version whose names are carried on.
    """

    seed: int
    asked: int | None
    rows: int
    tickets: str
    encoder: str
    code: str
    previous: str | None


@dataclass(frozen=True, slots=True)
class Segmentation:
    """All segments of a version, the recipe they were found by, and the number to give next."""

    recipe: FitRecipe
    segments: tuple[Segment, ...]
    next_number: int

    @property
    def version(self) -> str:
        """A hash of all that it says."""
        return version_of(self)

    def to_json(self) -> bytes:
        return hashed_json(self)

    @classmethod
    def from_json(cls, value: bytes) -> "Segmentation":
        """Raises `ValueError`, `TypeError` or `KeyError` when the value is none, or was changed."""
        raw: dict[str, Any] = orjson.loads(value)
        segmentation = cls(
            made(FitRecipe, raw["recipe"]),
            tuple(_segment(segment) for segment in raw["segments"]),
            raw["next_number"],
        )
        check_unchanged(segmentation, raw["version"])
        return segmentation


def _segment(raw: Mapping[str, Any]) -> Segment:
    lists = {"words": tuple(raw["words"]), "centroid": tuple(raw["centroid"])}
    return made(Segment, {**raw, **lists})
