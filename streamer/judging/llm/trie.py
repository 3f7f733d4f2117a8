"""Label names as sequences of tokens, and the scores of whole names.

The probability of a name is the product over its tokens of what the model gives each after those
before it, ended by the token that ends an answer. Without that end, a name that another one begins
with would be as likely as both together. All factors are of the model's whole vocabulary, and only
the products are normalised, once, over the labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError

Scores = NDArray[np.float64]

# What is less likely than this, against all labels found so far, is not looked into: its share of
# the probability is under the sum of all such branches, far below what a rounded vector shows.
_NEGLIGIBLE = float(np.log(1e-9))


@dataclass(frozen=True, slots=True)
class Node:
    """A beginning of names: its tokens, and the tokens that may follow, ends included.

    `leads_to` says for each of those which node comes next, or, as -1 - label, which label it ends.
    `labels` counts the labels under it.
    """

    path: tuple[int, ...]
    tokens: tuple[int, ...]
    leads_to: tuple[int, ...]
    labels: int


@dataclass(frozen=True, slots=True)
class Trie:
    """K names; nodes by their depth, the root alone first."""

    nodes: tuple[Node, ...]
    levels: tuple[tuple[int, ...], ...]
    count: int

    @classmethod
    def of(cls, names: Sequence[tuple[int, ...]], end: int) -> "Trie":
        """From each name's tokens, to which `end` is added.

        Raises `ConfigError` where two are the same, or one is empty or holds `end`.
        """
        if len(set(names)) < len(names) or not all(names):
            raise ConfigError(
                "two labels are the same to the model's tokenizer, or one is nothing to it: "
                "rename one, or set judge.codes to letters"
            )
        if any(end in name for name in names):
            raise ConfigError("a label holds the token that ends the model's answers: rename it")
        whole = [(*name, end) for name in names]
        paths = sorted({name[:depth] for name in whole for depth in range(len(name))}, key=len)
        index = {path: number for number, path in enumerate(paths)}
        ended = {name: -1 - label for label, name in enumerate(whole)}
        follow: dict[tuple[int, ...], dict[int, int]] = {path: {} for path in paths}
        beneath = dict.fromkeys(paths, 0)
        for name in whole:
            for depth in range(len(name)):
                longer = name[: depth + 1]
                beneath[name[:depth]] += 1
                leads_to = index[longer] if longer in index else ended[longer]
                follow[name[:depth]][name[depth]] = leads_to
        nodes = tuple(
            Node(path, tuple(follow[path]), tuple(follow[path].values()), beneath[path])
            for path in paths
        )
        deepest = max(map(len, paths))
        levels = tuple(
            tuple(number for number, path in enumerate(paths) if len(path) == depth)
            for depth in range(deepest + 1)
        )
        return cls(nodes, levels, len(names))


class Walk:
    """One ticket's way through a trie, level by level: ask what `open` names, and `tell` it."""

    def __init__(self, trie: Trie) -> None:
        self._trie = trie
        self._reached = np.full(len(trie.nodes), -np.inf)
        self._reached[0] = 0.0
        self._told = np.zeros(len(trie.nodes), bool)
        self._labels = np.full(trie.count, -np.inf)

    def open(self, level: int) -> list[int]:
        """The nodes of a level that may matter; those above it must have been told."""
        told = np.logaddexp.reduce(self._labels)
        least = -np.inf if told == -np.inf else told + _NEGLIGIBLE
        return [number for number in self._trie.levels[level] if self._reached[number] > least]

    def tell(self, number: int, scores: Scores) -> None:
        """The log-probabilities [tokens] of what may follow a node."""
        node = self._trie.nodes[number]
        self._told[number] = True
        for target, score in zip(node.leads_to, scores, strict=True):
            total = self._reached[number] + score
            if target < 0:
                self._labels[-1 - target] = total
            else:
                self._reached[target] = total

    def scores(self) -> Scores:
        """Log-probabilities [K] of the whole names; they need not sum to 1.

        Where a branch was not looked into, its labels share what reached it: an upper bound.
        """
        scores = self._labels.copy()
        for number, node in enumerate(self._trie.nodes):
            if not self._told[number]:
                share = self._reached[number] - np.log(node.labels)
                for label in self._under(node):
                    if scores[label] == -np.inf:
                        scores[label] = share
        return scores

    def _under(self, node: Node) -> list[int]:
        labels = []
        for target in node.leads_to:
            if target < 0:
                labels.append(-1 - target)
            else:
                labels += self._under(self._trie.nodes[target])
        return labels
