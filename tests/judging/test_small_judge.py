"""The small judge: trained from scratch, and asked by vLLM in the very form that it learnt."""

from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ConfigError
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.llm.language import LanguageJudge
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import Prompt
from streamer.learn.data.examples import Examples
from streamer.learn.judge.small.shape import Shape
from streamer.learn.judge.small.training import SmallJudgeTrainer
from streamer.learn.judge.small.training_loop import TrainingLoop
from streamer.records.labelset import LabelSet

THINGS = {
    "shipping": ("parcel", "courier", "delivery", "package"),
    "billing": ("invoice", "charge", "payment", "refund"),
}
MOODS = {"calm": ("please", "thank you", "kindly"), "angry": ("awful", "at once", "disgrace")}
SHAPE = Shape(tokens=400, width=32, layers=2, heads=1, inner=64)
TRAINING_LOOP = TrainingLoop(epochs=12, batch=16)


def told(task: str, labels: tuple[str, ...]) -> Prompt:
    lines = tuple(f"tickets that are {name}" for name in labels)
    return Prompt(task, LabelSet(labels), f"You label tickets by {task}.", lines)


PROMPTS = (told("topic", tuple(THINGS)), told("mood", tuple(MOODS)))


def tickets(seed: int, rows: int) -> tuple[Examples, Examples]:
    """The same texts with their labels for both tasks."""
    draw = np.random.default_rng(seed)
    texts, topics, moods = [], [], []
    for number in range(rows):
        topic, mood = draw.choice(list(THINGS)), draw.choice(list(MOODS))
        thing, word = draw.choice(THINGS[topic]), draw.choice(MOODS[mood])
        texts.append(f"About the {thing} of case {number}: {word}.")
        topics.append(str(topic))
        moods.append(str(mood))
    return Examples(tuple(texts), tuple(topics)), Examples(tuple(texts), tuple(moods))


def silent(done: int, total: int) -> None:
    assert 0 < done <= total


def trained(folder: Path, *, seed: int = 1, rows: int = 600, epochs: int = 12):
    trainer = SmallJudgeTrainer(folder / "model", 64, SHAPE, TrainingLoop(epochs=epochs, batch=16))
    subjects = list(zip(PROMPTS, tickets(5, rows), strict=True))
    return trainer.train(subjects, seed=seed, progress=silent)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("small")
    manifests = trained(made)
    assert {task: one.held_out.rows > 30 for task, one in manifests.items()} == {
        "topic": True,
        "mood": True,
    }
    return made


async def test_it_learns_both_tasks_and_vllm_gives_the_same_answers(folder: Path) -> None:
    held_out = tickets(77, 200)
    judge = LanguageJudge.load(
        folder / "model",
        {prompt.task: (prompt,) for prompt in PROMPTS},
        Form(max_ticket_tokens=64),
        settings=EngineSettings(precision="float32"),
    )
    await judge.start()
    try:
        for prompt, examples in zip(PROMPTS, held_out, strict=True):
            found = await judge.score(prompt.task, prompt.label_set.version, examples.texts)
            gold = [prompt.label_set.index[label] for label in examples.labels]
            assert (found.probabilities.argmax(axis=1) == gold).mean() > 0.9
            assert found.coverage is not None
            assert found.coverage.min() > 0.9
    finally:
        await judge.stop()


def test_what_was_made_of_the_same_is_kept(folder: Path) -> None:
    before = trained(folder)
    assert sorted(path.name for path in (folder / "model").iterdir()) == ["1"]
    assert set(before) == {"topic", "mood"}


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        trained(tmp_path / name, seed=seed, rows=60, epochs=1)
        found.append((tmp_path / name / "model/1/model.safetensors").read_bytes())
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_more_labels_than_codes_are_refused(tmp_path: Path) -> None:
    labels = tuple(f"label_{number}" for number in range(200))
    examples = Examples(tuple(f"ticket {n}" for n in range(2000)), labels * 10)
    trainer = SmallJudgeTrainer(tmp_path / "model", 64, SHAPE, TRAINING_LOOP)
    with pytest.raises(ConfigError, match="128"):
        trainer.train([(told("topic", labels), examples)], seed=1, progress=silent)
