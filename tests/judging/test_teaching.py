"""Teaching a language model: what of it learns, how it goes on, and that vLLM serves the same."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
import torch
from safetensors.numpy import load_file

from streamer.errors import ConfigError
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.language import LanguageJudge
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import load_prompts, prompts_folder
from streamer.learn.artifacts.manifest import Manifest
from streamer.learn.data.examples import Examples
from streamer.learn.judge.order import JudgeJob, Teaching, TrainingOrder
from streamer.learn.judge.teaching import training_loop
from streamer.learn.judge.teaching.base import Base
from streamer.learn.judge.teaching.training import JudgeTeacher
from streamer.learn.judge.teaching.training_loop import TrainingLoop
from streamer.learn.judge.teaching.training_set import TrainingExample
from streamer.records.labelset import LabelSet
from tests.judging.tiny import save_model

THINGS = {
    "shipping": ("parcel", "courier", "delivery", "package"),
    "billing": ("invoice", "charge", "payment", "refund"),
}
MOODS = {"calm": ("please", "thank you", "kindly"), "angry": ("awful", "at once", "disgrace")}
LABELS = {"topic": LabelSet(tuple(THINGS)), "mood": LabelSet(tuple(MOODS))}
LAYERS = 2
LOOP = TrainingLoop(epochs=8, batch=16, rate=3e-3)


def tickets(seed: int, rows: int) -> dict[str, Examples]:
    """The same texts with their labels for both tasks."""
    draw = np.random.default_rng(seed)
    texts, topics, moods = [], [], []
    for number in range(rows):
        topic, mood = draw.choice(list(THINGS)), draw.choice(list(MOODS))
        thing, word = draw.choice(THINGS[topic]), draw.choice(MOODS[mood])
        texts.append(f"About the {thing} of case {number}: {word}.")
        topics.append(str(topic))
        moods.append(str(mood))
    both = {"topic": topics, "mood": moods}
    return {task: Examples(tuple(texts), tuple(labels)) for task, labels in both.items()}


def teacher_of(base: Path, folder: Path, loop: TrainingLoop) -> JudgeTeacher:
    return JudgeTeacher(
        base=Base.at(base, LAYERS),
        folder=folder / "model",
        kept=folder / "kept",
        loop=loop,
        max_ticket_tokens=64,
    )


class Cut(Exception):
    """Ends a teaching as a kill would."""


def teach(
    base: Path, folder: Path, *, loop: TrainingLoop = LOOP, rows: int = 240, cut_at: int = 0
) -> tuple[dict[str, Manifest], list[int]]:
    """Both tasks, into `<folder>/model`, and which steps it took; ended before step `cut_at`."""
    steps: list[int] = []

    def progress(done: int, total: int) -> None:
        assert 0 < done <= total
        steps.append(done)
        if done + 1 == cut_at:
            raise Cut

    teacher = teacher_of(base, folder, loop)
    subjects = [(task, LABELS[task], examples) for task, examples in tickets(5, rows).items()]
    return teacher.train(subjects, seed=1, progress=progress), steps


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.iterdir() if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """For so small a model, threads that wait for each other are most of the work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "tiny"
    save_model(folder, layers=3)
    return folder


@pytest.fixture(scope="module")
def made(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("taught")
    before = contents(base)
    manifests, _ = teach(base, folder)
    assert contents(base) == before
    digest = ModelFolder.at(base).digest
    for manifest in manifests.values():
        assert manifest.recipe.base == digest
        assert manifest.held_out.rows > 15
        assert manifest.held_out.accuracy > 0.9
    return folder


async def test_vllm_serves_what_was_taught_with_the_teachers_own_probabilities(made: Path) -> None:
    model = made / "model"
    prompts = load_prompts(prompts_folder(model, made / "none"), LABELS)
    judge = LanguageJudge.load(
        model,
        prompts,
        # None of these may change how it is asked: it knows one way alone.
        Form(codes="names", contextual=True, max_ticket_tokens=64),
        settings=EngineSettings(precision="float32"),
    )
    await judge.start()
    try:
        for task, examples in tickets(77, 100).items():
            found = await judge.score(task, LABELS[task].version, examples.texts)
            told = TrainingExample.of(Chat.at(model / "1"), prompts[task][0], examples, 64)
            network = Base.at(model / "1", LAYERS).network()
            own = LOOP.probabilities(network, told)
            print(task, "largest difference", np.abs(found.probabilities - own).max())
            np.testing.assert_allclose(found.probabilities, own, atol=1e-3)
            assert (own.argmax(axis=1) == told.gold).mean() > 0.9
            assert found.coverage is not None
            assert found.coverage.min() > 0.5
    finally:
        await judge.stop()


def test_only_the_last_layers_and_the_last_norm_change(base: Path, made: Path) -> None:
    before, after = (
        load_file(folder / "model.safetensors") for folder in (base, made / "model" / "1")
    )
    assert before.keys() == after.keys()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    last = ("model.layers.1.", "model.layers.2.", "model.norm.")
    assert changed == {name for name in before if name.startswith(last)}


def test_a_teaching_that_was_killed_goes_on_and_ends_as_one_that_was_not(
    base: Path, tmp_path: Path
) -> None:
    short = replace(LOOP, epochs=2)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    _, every = teach(base, whole, loop=short, rows=120)
    with pytest.raises(Cut):
        teach(base, cut, loop=short, rows=120, cut_at=len(every) // 2)
    assert not (cut / "model" / "1").exists()
    _, rest = teach(base, cut, loop=short, rows=120)
    assert 1 < rest[0] <= len(every) // 2
    assert contents(whole / "model/1") == contents(cut / "model/1")
    assert list((cut / "kept").iterdir()) == []


def test_what_was_taught_of_the_same_is_kept_and_another_base_is_another_model(
    base: Path, made: Path, tmp_path: Path
) -> None:
    again, steps = teach(base, made)
    assert set(again) == set(LABELS)
    assert steps == []
    other = shutil.copytree(base, tmp_path / "other")
    (other / "config.json").write_text(f"{(base / 'config.json').read_text()}\n")
    with pytest.raises(Cut):
        teach(other, made, cut_at=2)


def test_many_short_tickets_or_one_long_one_go_through_the_model_at_once() -> None:
    lengths = [3000, 5, 700, 700, 700, 5]
    told = TrainingExample((1,), tuple((2,) * n for n in lengths), (3,), (4, 5), np.zeros(6, int))
    parts = [sorted(part.tolist()) for part in training_loop._parts(told, np.arange(6))]
    assert parts == [[1, 5], [2, 3], [4], [0]]


def test_tickets_of_many_lengths_go_through_the_model_in_few_shapes() -> None:
    ids, ends = training_loop._padded([(7,) * length for length in (3, 9)])
    assert ids.shape == (2, 16)
    assert ids.sum(dim=1).tolist() == [21, 63]
    assert ends.tolist() == [2, 8]
    assert {training_loop._padded([(7,) * n])[0].shape[1] for n in range(1, 97)} == {
        *range(8, 97, 8)
    }


def test_a_judge_in_the_bases_own_folder_is_refused(base: Path) -> None:
    before = contents(base)
    with pytest.raises(ConfigError, match="own folder"):
        teach(base, base)
    assert contents(base) == before


def test_more_labels_than_codes_are_refused(base: Path, tmp_path: Path) -> None:
    labels = LabelSet(tuple(f"label_{number}" for number in range(200)))
    examples = Examples(tuple(f"ticket {n}" for n in range(400)), labels.labels * 2)
    teacher = teacher_of(base, tmp_path, LOOP)
    with pytest.raises(ConfigError, match="128 at most"):
        teacher.train([("topic", labels, examples)], seed=1, progress=lambda done, total: None)


def test_a_model_of_another_make_is_refused(base: Path, tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    other = shutil.copytree(base, tmp_path / "other")
    GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=8, n_layer=1, n_head=1)).save_pretrained(other)
    with pytest.raises(ConfigError, match="GPT2LMHeadModel"):
        Base.at(other, 1).network()


def test_more_layers_than_there_are_are_refused(base: Path) -> None:
    with pytest.raises(ConfigError, match="has 3 layers"):
        Base.at(base, 4).network()


def test_an_order_by_stdin_teaches_and_tells_how_far_it_is(base: Path, tmp_path: Path) -> None:
    examples = tickets(5, 60)["topic"]
    rows = zip(examples.texts, examples.labels, strict=True)
    file = tmp_path / "topic.csv"
    file.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    job = JudgeJob("topic", tuple(THINGS), str(file), ("text",), "label")
    order = TrainingOrder(
        (job,), str(tmp_path / "m"), str(tmp_path / "k"), 5, Teaching(str(base), LAYERS)
    )
    command = [sys.executable, "-m", "streamer.learn.judge"]
    done = subprocess.run(command, input=order.to_json(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    events = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert [event["done"] for event in events[:-1]] == [*range(1, len(events))]
    assert events[-1]["event"] == "trained"
    assert events[-1]["manifest"]["recipe"]["base"] == ModelFolder.at(base).digest
