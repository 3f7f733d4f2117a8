"""K-means with a seed, a number of clusters that is chosen, and how far chance decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from streamer.learn.measures.scores import Labels
from streamer.learn.segments.nearest import Embeddings

SIZES = (2, 3, 4, 5, 6, 8, 10, 12, 16)
"""The numbers of clusters that are tried (we choose)."""

LEAST = 20
"""Tickets per cluster, on average, below which a number of clusters isn't tried (we choose)."""

_SAMPLE = 4000
_SEEDS = 4
_STARTS = 4


@dataclass(frozen=True, slots=True)
class Tried:
    """A number of clusters: its mean silhouette (-1 to 1), and its stability.

    `stability` is the mean adjusted Rand index of all pairs of runs that differ in their seed
    alone: 1 says that chance decides nothing, 0 that it decides everything.
    """

    size: int
    silhouette: float
    stability: float


@dataclass(frozen=True, slots=True)
class Clusters:
    """`cluster_ids` [N] of the tickets among the `centroids` [K, D], and what was `tried`."""

    cluster_ids: Labels
    centroids: Embeddings
    tried: tuple[Tried, ...]


def cluster(embeddings: Embeddings, seed: int, size: int | None = None) -> Clusters:
    """`size` clusters of N embeddings [N, D], or the number with the largest mean silhouette.

    The silhouette (Rousseeuw 1987) and the stability are measured on a sample of 4,000; of equal
    numbers the smaller is taken. The same embeddings and seed give the same centroids. Raises
    `ValueError` for fewer embeddings than clusters.
    """
    # One thread: the order of a sum must not vary.
    with threadpool_limits(1):
        sizes = [size] if size else [each for each in SIZES if each * LEAST <= len(embeddings)]
        tried = tuple(_tried(embeddings, each, seed) for each in sizes if each > 1)
        best = size or max(tried, key=lambda trial: trial.silhouette, default=Tried(1, 0, 1)).size
        best_run = _means(embeddings, best, seed, _STARTS)
    return Clusters(best_run.labels_.astype(np.int64), best_run.cluster_centers_, tried)


def _tried(embeddings: Embeddings, size: int, seed: int) -> Tried:
    rng = np.random.default_rng(seed)
    picks = np.sort(rng.permutation(len(embeddings))[:_SAMPLE])
    sample = embeddings[picks]
    runs = [_means(sample, size, seed + run, 1).labels_ for run in range(_SEEDS)]
    return Tried(size, _silhouette(sample, runs[0]), _stability(runs))


def _silhouette(rows: Embeddings, labels: Labels) -> float:
    several = 1 < len(np.unique(labels)) < len(rows)
    return float(silhouette_score(rows, labels)) if several else -1.0


def _stability(runs: Sequence[Labels]) -> float:
    pairs = [adjusted_rand_score(labels, other) for labels, other in combinations(runs, 2)]
    return float(np.mean(pairs))


def _means(rows: Embeddings, size: int, seed: int, starts: int) -> Any:
    if len(rows) < size:
        raise ValueError(f"{len(rows)} tickets can't make {size} segments")
    return KMeans(size, n_init=starts, random_state=seed).fit(rows)
