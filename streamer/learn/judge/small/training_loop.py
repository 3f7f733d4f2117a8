"""Teaches a causal model: the code of the right label after each ticket."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.learn.judge.small.training_set import TrainingExample

Progress = Callable[[int, int], None]
"""Called with how many batches are done, and how many there are."""

_ASKED_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class TrainingLoop:
    """`epochs` times all tickets, `batch` of one task at once.

    The loss is the cross-entropy of the answer over the whole vocabulary, so that the labels get
    all of the probability. A share `forgotten` of a ticket's tokens is left out each time it is
    read: a few thousand tickets would be learnt by heart. The rate rises over the first twentieth
    to `rate` and falls to nothing along a cosine.
    """

    epochs: int = 6
    batch: int = 32
    rate: float = 3e-3
    decay: float = 0.1
    forgotten: float = 0.2

    def teach(
        self, network: Any, examples: Sequence[TrainingExample], seed: int, progress: Progress
    ) -> None:
        """Change the network's weights."""
        import torch

        draw = np.random.default_rng(seed)
        steps = [step for _ in range(self.epochs) for step in self._epoch(examples, draw)]
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=self.rate, weight_decay=self.decay, betas=(0.9, 0.95)
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.rate, total_steps=len(steps), pct_start=0.05
        )
        network.train()
        for number, (example, rows) in enumerate(steps, 1):
            optimiser.zero_grad()
            self._loss(network, example, rows, draw).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            progress(number, len(steps))
        network.eval()

    def _epoch(
        self, examples: Sequence[TrainingExample], draw: np.random.Generator
    ) -> list[tuple[TrainingExample, NDArray[np.int64]]]:
        """All tickets once, in batches of one task and of like lengths, the batches mixed."""
        batches = [
            (example, rows) for example in examples for rows in _alike(example, self.batch, draw)
        ]
        return [batches[index] for index in draw.permutation(len(batches))]

    def _loss(
        self,
        network: Any,
        example: TrainingExample,
        rows: NDArray[np.int64],
        draw: np.random.Generator,
    ) -> Any:
        import torch
        from torch.nn.functional import cross_entropy

        tickets = [_thinned(example.tickets[row], self.forgotten, draw) for row in rows]
        ids, ends = _padded([[*ticket, *example.suffix] for ticket in tickets])
        states = _read(network, example.prefix, ids)
        answers = torch.tensor(example.answers)[torch.from_numpy(example.gold[rows])]
        last = states[torch.arange(len(rows)), torch.from_numpy(ends)]
        return cross_entropy(network.lm_head(last), answers)


def probabilities(network: Any, example: TrainingExample) -> NDArray[np.float32]:
    """float32 [N, K], each row summing to 1, over the answers alone."""
    import torch

    shares = np.empty((len(example.tickets), len(example.answers)), np.float32)
    order = np.argsort([len(ticket) for ticket in example.tickets], kind="stable")
    with torch.inference_mode():
        for first in range(0, len(order), _ASKED_AT_ONCE):
            rows = order[first : first + _ASKED_AT_ONCE]
            ids, ends = _padded([[*example.tickets[row], *example.suffix] for row in rows])
            states = _read(network, example.prefix, ids)
            last = states[torch.arange(len(rows)), torch.from_numpy(ends)]
            scores = network.lm_head(last)[:, torch.tensor(example.answers)]
            shares[rows] = torch.softmax(scores, dim=1).numpy()
    return shares


def _read(network: Any, prefix: Sequence[int], ids: Any) -> Any:
    """States [B, L, width] of what follows the prefix, which is read once for all of them."""
    import torch
    from transformers import DynamicCache

    shared = network.model(torch.tensor([prefix]), past_key_values=DynamicCache(), use_cache=True)
    cache = DynamicCache()
    for number, layer in enumerate(shared.past_key_values.layers):
        parts = [part.expand(len(ids), -1, -1, -1) for part in (layer.keys, layer.values)]
        cache.update(*parts, number)
    return network.model(ids, past_key_values=cache, use_cache=True).last_hidden_state


def _alike(
    example: TrainingExample, size: int, draw: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    lengths = np.array([len(ticket) for ticket in example.tickets])
    # Not quite by length: the same tickets should not meet in every epoch.
    order = np.argsort(lengths * draw.uniform(0.8, 1.25, len(lengths)))
    for first in range(0, len(order), size):
        yield order[first : first + size]


def _thinned(ticket: Sequence[int], share: float, draw: np.random.Generator) -> list[int]:
    kept = draw.random(len(ticket)) >= share
    return [token for token, wanted in zip(ticket, kept, strict=True) if wanted]


def _padded(tickets: Sequence[Sequence[int]]) -> tuple[Any, NDArray[np.int64]]:
    """Ids [B, L], and the index [B] of each last one: nothing looks at what comes behind."""
    import torch

    ids = torch.zeros((len(tickets), max(map(len, tickets))), dtype=torch.int64)
    for row, ticket in enumerate(tickets):
        ids[row, : len(ticket)] = torch.tensor(ticket)
    return ids, np.array([len(ticket) - 1 for ticket in tickets])
