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
from streamer.learn.segments.sample import Material
from streamer.learn.segments.words import typical_words
from streamer.records.segments import FitRecipe, Segment, Segmentation

FAR = 0.99
_NAMED_BY = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A segmentation, the place [N] of every ticket in it, and its distance [N] to the centroid.

    `carried` are the numbers that the version before had, too; `gone` the names that it had alone.
    """

    segmentation: Segmentation
    places: Labels
    distances: np.ndarray[tuple[int], np.dtype[np.float64]]
    tried: tuple[Tried, ...]
    carried: frozenset[int]
    gone: tuple[str, ...]


def find(
    material: Material,
    embeddings: Embeddings,
    encoder: str,
    *,
    seed: int,
    size: int | None = None,
    previous: Segmentation | None = None,
) -> Found:
    """Cluster, name, and carry on the numbers and names of `previous`.

    Segments are in the order of their numbers. Raises `ConfigError` for too few tickets, or for a
    previous version of another encoder, whose centroids lie in another space.
    """
    _check(material, size, encoder, previous)
    before = previous.segments if previous else ()
    clusters = cluster(embeddings, seed, size)
    count = len(clusters.centroids)
    same = matched(clusters.centroids, before)
    numbers = _numbers(count, same, previous.next_number if previous else 1)
    order = np.argsort(numbers)
    centroids = clusters.centroids[order]
    said = Nearest.of(embeddings, centroids)
    typical = typical_words(material.texts, said.places, count)
    names = _names([same.get(int(at)) for at in order], typical, sorted(numbers), before)
    segments = tuple(
        _segment(number, name, listed, said, place, centroids[place])
        for place, (number, name, listed) in enumerate(
            zip(sorted(numbers), names, typical, strict=True)
        )
    )
    recipe = FitRecipe(
        seed, size, len(material), material.sha256, encoder, _code(),
        previous.version if previous else None,
    )  # fmt: skip
    following = max([*numbers, (previous.next_number if previous else 1) - 1]) + 1
    carried = frozenset(segment.number for segment in same.values())
    return Found(
        Segmentation(recipe, segments, following),
        said.places,
        said.distances,
        clusters.tried,
        carried,
        tuple(segment.name for segment in before if segment.number not in carried),
    )


def _check(
    material: Material, size: int | None, encoder: str, previous: Segmentation | None
) -> None:
    if len(material) < max(LEAST * 2, size or 0):
        raise ConfigError(
            f"{len(material)} tickets with a text are too few to find segments in (at least"
            f" {max(LEAST * 2, size or 0)}): give the file that has the tickets of this log, or"
            " export more of the log"
        )
    if previous is not None and previous.recipe.encoder != encoder:
        raise ConfigError(
            "the version before was made with another encoder, and segments of the two can't be"
            " told to be the same: name another folder with --out"
        )


def _numbers(count: int, same: Mapping[int, Segment], following: int) -> list[int]:
    found = []
    for place in range(count):
        number = same[place].number if place in same else following
        following += place not in same
        found.append(number)
    return found


def _names(
    carried: Sequence[Segment | None],
    typical: Sequence[tuple[str, ...]],
    numbers: Sequence[int],
    before: Sequence[Segment],
) -> list[str]:
    """The old names, and for what is new its words, with its number where that says too little."""
    taken = {segment.name for segment in before}
    found = []
    for old, listed, number in zip(carried, typical, numbers, strict=True):
        name = old.name if old else " ".join(listed[:_NAMED_BY]) or f"segment {number}"
        if not old and name in taken:
            name = f"{name} {number}"
        taken.add(name)
        found.append(name)
    return found


def _segment(
    number: int, name: str, listed: tuple[str, ...], said: Nearest, place: int, centroid: Embeddings
) -> Segment:
    mine = said.distances[said.places == place]
    far = float(np.quantile(mine, FAR)) if len(mine) else 0.0
    return Segment(number, name, listed, len(mine), far, tuple(map(float, centroid)))


def _code() -> str:
    modules = [sys.modules[__name__], clustering, matching, words]
    sources = [Path(str(module.__file__)).read_bytes() for module in modules]
    return sha256(b"\0".join(sources)).hexdigest()[:16]
