"""Models with heads of their own on the real engine, beside transformers' own softmax."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import torch
from prometheus_client.parser import text_string_to_metric_families
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from streamer.errors import ConfigError, TicketError
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.sequence.sequence import SequenceJudge
from streamer.judging.usage import counted
from streamer.observe.metrics import Metrics
from streamer.records.labelset import LabelSet
from tests.judging.tiny import SPOILT, save_classifier, save_model, spoil

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOPIC = LabelSet(("account", "billing", "shipping", "technical"))
TONE = LabelSet(("negative", "neutral", "positive"))
TASKS = {"topic": TOPIC, "tone": TONE}
TEXTS = (
    "Please return my money for the invoice.",
    "The app crashes when I open the report.",
    "what does <|im_end|> mean",
)


@dataclass(frozen=True, slots=True)
class Running:
    judge: SequenceJudge
    models: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    models = tmp_path_factory.mktemp("models")
    # Each in another order than its task has.
    save_classifier(models / "topic" / "1", "bert", TOPIC.labels[::-1])
    save_classifier(models / "tone", "qwen3", ("positive", "negative", "neutral"))
    spoil(models / "tone")
    settings = EngineSettings(precision="float32")
    judge = SequenceJudge.load(models, TASKS, settings=settings)
    await judge.start()
    yield Running(judge, models)
    await judge.stop()


def truth(folder: Path, labels: LabelSet, text: str) -> np.ndarray:
    """Probabilities in the order of the labels, as transformers has them."""
    tokenizer = AutoTokenizer.from_pretrained(str(folder), split_special_tokens=True)
    model = AutoModelForSequenceClassification.from_pretrained(str(folder), dtype=torch.float32)
    ids = tokenizer(text, return_tensors="pt").input_ids
    with torch.inference_mode():
        found = torch.softmax(model.eval()(ids).logits[0].double(), dim=-1).numpy()
    return found[[model.config.label2id[label] for label in labels.labels]]


@pytest.mark.parametrize(("task", "folder"), [("topic", "topic/1"), ("tone", "tone")])
async def test_probabilities_are_the_softmax_in_the_order_of_the_labels(
    running: Running, task: str, folder: str
) -> None:
    labels = TASKS[task]
    wanted = np.array([truth(running.models / folder, labels, text) for text in TEXTS])
    for texts, want in ((TEXTS[:1], wanted[:1]), (TEXTS * 5, np.tile(wanted, (5, 1)))):
        found = await running.judge.score(task, labels.version, texts)
        worst = np.abs(found.probabilities - want).max()
        print(f"{task}: p differs by {worst:.1e} at most")
        assert worst < 1e-3
    # A model that says the same of all would prove nothing.
    assert np.ptp(wanted, axis=0).max() > 0.01


async def test_long_and_empty_tickets_have_answers_too(running: Running) -> None:
    for task, labels in TASKS.items():
        found = await running.judge.score(task, labels.version, ["", "parcel " * 5000])
        assert found.truncated.tolist() == [False, True]
        assert found.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


async def test_what_a_model_has_no_number_for_spoils_no_other_ticket(running: Running) -> None:
    before = await running.judge.score("tone", TONE.version, TEXTS)
    for number in range(3):
        with pytest.raises(TicketError, match="no_probabilities"):
            await running.judge.score("tone", TONE.version, [f"{SPOILT} {number}"])
        after = await running.judge.score("tone", TONE.version, TEXTS)
        assert after.probabilities == pytest.approx(before.probabilities, abs=1e-4)


async def test_each_task_has_its_own_version_and_one_label_set(running: Running) -> None:
    judge = running.judge
    assert judge.label_sets("topic") == (TOPIC,)
    assert judge.label_sets("mood") == ()
    assert judge.version("topic", TOPIC.version) != judge.version("tone", TONE.version)
    with pytest.raises(TicketError, match="no model of task topic"):
        await judge.score("topic", TONE.version, TEXTS)


async def test_the_engine_of_each_task_has_metrics_of_its_own(running: Running) -> None:
    for task, times in (("topic", 2), ("tone", 5)):
        before = prompt_tokens(running.judge)
        with counted() as usage:
            await running.judge.score(task, TASKS[task].version, TEXTS[:1] * times)
        after = prompt_tokens(running.judge)
        more = {number: after[number] - before[number] for number in after}
        number = str(list(TASKS).index(task))
        assert more == {"0": 0, "1": 0} | {number: usage.prompts}
        assert usage.prompts == usage.computed > 5 * times


def prompt_tokens(judge: SequenceJudge) -> dict[str, float]:
    """As the judge's own page of metrics tells them, by engine."""
    metrics = Metrics()
    metrics.watch_model(judge.collect)
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        sample.labels["engine"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "vllm:prompt_tokens_total"
    }


def test_a_model_of_other_labels_or_without_a_head_is_refused(tmp_path: Path) -> None:
    save_classifier(tmp_path / "topic", "bert", TONE.labels)
    with pytest.raises(ConfigError, match="id2label says negative, neutral, positive"):
        SequenceJudge.load(tmp_path, {"topic": TOPIC})
    save_model(tmp_path / "tone")
    with pytest.raises(ConfigError, match="holds Qwen3ForCausalLM"):
        SequenceJudge.load(tmp_path, {"tone": TONE})
    with pytest.raises(ConfigError, match="holds no model"):
        SequenceJudge.load(tmp_path, {"mood": TONE})
