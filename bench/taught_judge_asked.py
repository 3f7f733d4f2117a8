"""The judge's side of `taught_judge`, in its environment: probabilities of tickets."""

import argparse
import asyncio
from pathlib import Path

import numpy as np

from streamer.config import Settings, load
from streamer.judging import loading
from streamer.learn.data.examples import Examples, is_held_back, read_examples


async def ask(settings: Settings, task: str) -> dict[str, np.ndarray]:
    """Arrays by name, of the test tickets and of those held back from training."""
    judge = loading.load(settings)
    held, test = _examples(settings, task)
    label_set = settings.label_sets[task]
    await judge.start()
    try:
        scores = await judge.score(task, label_set.version, test.texts)
        assert scores.coverage is not None
        return {
            "test": scores.probabilities,
            "coverage": scores.coverage,
            "gold": _gold(test, label_set.index),
            "held": (await judge.score(task, label_set.version, held.texts)).probabilities,
            "held_gold": _gold(held, label_set.index),
        }
    finally:
        await judge.stop()


def _gold(examples: Examples, index: dict[str, int]) -> np.ndarray:
    return np.array([index[label] for label in examples.labels])


def _examples(settings: Settings, task: str) -> tuple[Examples, Examples]:
    """Those held back from training, and those of the test file."""
    data = settings.tasks[task].data
    assert data is not None
    assert data.test is not None
    whole, test = (
        read_examples(settings.path(file), text=settings.example_text(data), label=data.label)
        for file in (data.train, data.test)
    )
    kept = [at for at, text in enumerate(whole.texts) if is_held_back(text, data.held_back)]
    held = Examples(tuple(whole.texts[at] for at in kept), tuple(whole.labels[at] for at in kept))
    return held, test


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("task")
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    arrays = asyncio.run(ask(load(given.config), given.task))
    with given.out.open("wb") as out:
        np.savez(out, **arrays)


if __name__ == "__main__":
    main()
