"""From tickets and their embeddings to named segments."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from streamer.errors import ConfigError
from streamer.learn.measures.scores import Labels
from streamer.learn.segments import clustering, matching, words
from streamer.learn.segments.clustering import LEAST, Tried, cluster
from streamer.learn.segments.matching import matched
from streamer.learn.segments.nearest import Embeddings, Nearest
from streamer.learn.segments.sample import SegmentSample
from streamer.learn.segments.words import typical_words
from streamer.records.segments import FitRecipe, Segment, Segmentation

FAR = 0.99
_NAMED_BY = 3


@dataclass(frozen=True, slots=True)
class FoundSegments:
    """A segmentation, the segment id [N] of every ticket, and its distance [N] to the centroid.

    `carried` are the numbers that the version before had, too; `gone` the names that it had alone.
    """

    segmentation: Segmentation
    segment_ids: Labels
    distances: np.ndarray[tuple[int], np.dtype[np.float64]]
    tried: tuple[Tried, ...]
    carried: frozenset[int]
    gone: tuple[str, ...]


def find(
    sample: SegmentSample,
    embeddings: Embeddings,
    encoder: str,
    *,
    seed: int,
    size: int | None = None,
    previous: Segmentation | None = None,
) -> FoundSegments:
    """Cluster, name, and carry on the numbers and names of `previous`.

    Segments are in the order of their numbers. Raises `ConfigError` for too few tickets, or for a
    previous version of another encoder, whose centroids lie in another space.
    """
    _check(sample, size, encoder, previous)
    before = previous.segments if previous else ()
    clusters = cluster(embeddings, seed, size)
    clusters_found = len(clusters.centroids)
    same = matched(clusters.centroids, before)
    numbers = _numbers(clusters_found, same, previous.next_number if previous else 1)
    order = np.argsort(numbers)
    centroids = clusters.centroids[order]
    nearest = Nearest.of(embeddings, centroids)
    typical = typical_words(sample.texts, nearest.segment_ids, clusters_found)
    names = _names([same.get(int(index)) for index in order], typical, sorted(numbers), before)
    segments = tuple(
        _segment(number, name, listed, nearest, segment_id, centroids[segment_id])
        for segment_id, (number, name, listed) in enumerate(
            zip(sorted(numbers), names, typical, strict=True)
        )
    )
    recipe = FitRecipe(
        seed, size, len(sample), sample.sha256, encoder, _code(),
        previous.version if previous else None,
    )  # fmt: skip
    following = max([*numbers, (previous.next_number if previous else 1) - 1]) + 1
    carried = frozenset(segment.number for segment in same.values())
    return FoundSegments(
        Segmentation(recipe, segments, following),
        nearest.segment_ids,
        nearest.distances,
        clusters.tried,
        carried,
        tuple(segment.name for segment in before if segment.number not in carried),
    )


def _check(
    sample: SegmentSample, size: int | None, encoder: str, previous: Segmentation | None
) -> None:
    if len(sample) < max(LEAST * 2, size or 0):
        raise ConfigError(
            f"{len(sample)} tickets with a text are too few to find segments in (at least"
            f" {max(LEAST * 2, size or 0)}): give the file that has the tickets of this log, or"
            " export more of the log"
        )
    if previous is not None and previous.recipe.encoder != encoder:
        raise ConfigError(
            "the version before was made with another encoder, and segments of the two can't be"
            " told to be the same: name another folder with --out"
        )


def _numbers(size: int, same: Mapping[int, Segment], following: int) -> list[int]:
    numbers = []
    for index in range(size):
        number = same[index].number if index in same else following
        following += index not in same
        numbers.append(number)
    return numbers


def _names(
    carried: Sequence[Segment | None],
    typical: Sequence[tuple[str, ...]],
    numbers: Sequence[int],
    before: Sequence[Segment],
) -> list[str]:
    """The old names, and for what is new its words, with its number where that says too little."""
    taken = {segment.name for segment in before}
    names = []
    for old, listed, number in zip(carried, typical, numbers, strict=True):
        name = old.name if old else " ".join(listed[:_NAMED_BY]) or f"segment {number}"
        if not old and name in taken:
            name = f"{name} {number}"
        taken.add(name)
        names.append(name)
    return names


def _segment(
    number: int,
    name: str,
    listed: tuple[str, ...],
    nearest: Nearest,
    segment_id: int,
    centroid: Embeddings,
) -> Segment:
    mine = nearest.distances[nearest.segment_ids == segment_id]
    far = float(np.quantile(mine, FAR)) if len(mine) else 0.0
    return Segment(number, name, listed, len(mine), far, tuple(map(float, centroid)))


def _code() -> str:
    modules = [sys.modules[__name__], clustering, matching, words]
    sources = [Path(str(module.__file__)).read_bytes() for module in modules]
    return sha256(b"\0".join(sources)).hexdigest()[:16]
