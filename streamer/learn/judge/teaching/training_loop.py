"""Teaches a causal model the code of the right label after each ticket."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.learn.judge.teaching.base import learnt
from streamer.learn.judge.teaching.checkpoint import Checkpoint
from streamer.learn.judge.teaching.training_set import TrainingExample

Progress = Callable[[int, int], None]
"""Called with how many batches are done, and how many there are."""

Rows = NDArray[np.int64]

# So many tokens go through the model at once, or one ticket: what all of its layers that learn keep
# of a token until the way back is a hundred times the token's own state.
_TOKENS = 2048
# Widths are multiples of it: for each shape kernels are made and kept, some megabytes of them.
_WIDTH = 8
# So many times in all it is kept how far teaching has come.
_KEPT = 20
_WARM_UP = 0.05


@dataclass(frozen=True, slots=True)
class TrainingLoop:
    """`epochs` times all tickets, `batch` of one task at once.

    The loss is the cross-entropy of the answer over the whole vocabulary, so that the labels get
    all of the probability. The rate rises over the first twentieth to `rate` and falls to nothing
    along a cosine. Matrices are multiplied in bfloat16 where `half`.
    """

    epochs: int
    batch: int = 32
    rate: float = 1e-4
    decay: float = 0.01
    half: bool = False

    def teach(
        self,
        network: Any,
        examples: Sequence[TrainingExample],
        seed: int,
        checkpoint: Checkpoint,
        progress: Progress,
    ) -> None:
        """Change those of the network's weights that learn, from where `checkpoint` stands.

        It stays as it is loaded, for evaluation: nothing is dropped by chance, so that who goes on
        from a checkpoint ends with the same weights.
        """
        import torch

        draw = np.random.default_rng(seed)
        steps = [step for _ in range(self.epochs) for step in self._epoch(examples, draw)]
        parameters = learnt(network)
        optimiser = torch.optim.AdamW(
            parameters.values(),
            lr=self.rate,
            weight_decay=self.decay,
            betas=(0.9, 0.95),
            fused=True,
        )
        done = checkpoint.load(parameters, optimiser)
        for number, (example, rows) in enumerate(steps[done:], done + 1):
            optimiser.param_groups[0]["lr"] = self.rate * _pace(number / len(steps))
            optimiser.zero_grad()
            self._learn(network, example, rows)
            torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
            optimiser.step()
            if number % -(-len(steps) // _KEPT) == 0:
                checkpoint.save(number, parameters, optimiser)
            progress(number, len(steps))

    def _epoch(
        self, examples: Sequence[TrainingExample], draw: np.random.Generator
    ) -> list[tuple[TrainingExample, Rows]]:
        """All tickets once, in batches of one task and of like lengths, the batches mixed."""
        batches = [
            (example, rows) for example in examples for rows in _alike(example, self.batch, draw)
        ]
        return [batches[index] for index in draw.permutation(len(batches))]

    def _learn(self, network: Any, example: TrainingExample, rows: Rows) -> None:
        """Add the gradient of the mean loss over `rows` to the parameters that learn."""
        import torch
        from torch.nn.functional import cross_entropy

        answers = torch.tensor(example.answers)[torch.from_numpy(example.gold)]
        for part in _parts(example, rows):
            with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
                scores = _scores(network, example, part)
            loss = cross_entropy(scores.float(), answers[part], reduction="sum")
            (loss / len(rows)).backward()

    def probabilities(self, network: Any, example: TrainingExample) -> NDArray[np.float32]:
        """float32 [N, K], each row summing to 1, over the answers alone."""
        import torch

        shares = np.empty((len(example.tickets), len(example.answers)), np.float32)
        for rows in _parts(example, np.arange(len(example.tickets))):
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.half):
                scores = _scores(network, example, rows)[:, torch.tensor(example.answers)]
            shares[rows] = torch.softmax(scores.float(), dim=1).numpy()
        return shares


def _pace(done: float) -> float:
    """What share of the rate is learnt by where a share of the steps is `done`."""
    if done < _WARM_UP:
        return done / _WARM_UP
    return (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))) / 2


def _scores(network: Any, example: TrainingExample, rows: Rows) -> Any:
    """Scores [B, vocabulary] of what comes after these tickets."""
    import torch

    ids, ends = _padded([[*example.tickets[row], *example.suffix] for row in rows])
    states = _read(network.get_decoder(), example.prefix, ids)
    last = states[torch.arange(len(rows)), torch.from_numpy(ends)]
    return network.get_output_embeddings()(last)


def _read(decoder: Any, prefix: Sequence[int], ids: Any) -> Any:
    """States [B, L, width] of what follows the prefix, which is read once for all of them."""
    import torch
    from transformers import DynamicCache

    shared = decoder(torch.tensor([prefix]), past_key_values=DynamicCache(), use_cache=True)
    cache = DynamicCache()
    for number, layer in enumerate(shared.past_key_values.layers):
        parts = [part.expand(len(ids), -1, -1, -1) for part in (layer.keys, layer.values)]
        cache.update(*parts, number)
    return decoder(ids, past_key_values=cache, use_cache=True).last_hidden_state


def _alike(example: TrainingExample, size: int, draw: np.random.Generator) -> Iterator[Rows]:
    lengths = np.array([len(ticket) for ticket in example.tickets])
    # Not quite by length: the same tickets should not meet in every epoch.
    order = np.argsort(lengths * draw.uniform(0.8, 1.25, len(lengths)))
    for first in range(0, len(order), size):
        yield order[first : first + size]


def _parts(example: TrainingExample, rows: Rows) -> Iterator[Rows]:
    """The rows by their lengths, so many at once as can go through the model."""
    lengths = np.array([len(example.tickets[row]) + len(example.suffix) for row in rows])
    order = np.argsort(lengths, kind="stable")
    first = 0
    for last in range(1, len(rows) + 1):
        if last == len(rows) or lengths[order[last]] * (last + 1 - first) > _TOKENS:
            yield rows[order[first:last]]
            first = last


def _padded(tickets: Sequence[Sequence[int]]) -> tuple[Any, Rows]:
    """Ids [B, L], and the index [B] of each last one: nothing looks at what comes behind."""
    import torch

    longest = max(map(len, tickets))
    ids = torch.zeros((len(tickets), -(-longest // _WIDTH) * _WIDTH), dtype=torch.int64)
    for row, ticket in enumerate(tickets):
        ids[row, : len(ticket)] = torch.tensor(ticket)
    return ids, np.array([len(ticket) - 1 for ticket in tickets])
