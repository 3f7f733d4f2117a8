"""A task gets other labels while tickets flow: real Kafka, real Triton, real vLLM."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer.cli import main
from streamer.dev.kafka import Kafka
from streamer.learn.artifacts.repository import write_model
from streamer.records.dead_letter import DeadLetter
from streamer.records.label import Label
from streamer.records.labelset import LabelSet
from tests.accounting import whole
from tests.conftest import ECHO_LABELS, ECHO_MODELS, own_triton
from tests.language_stage import language_stage
from tests.stage import Service, Stage, disputed, streamer, ticket, until

pytestmark = pytest.mark.slow

EACH = 20
RENEWED = (*ECHO_LABELS[:2], "returns", "technical", "warranty")
NEW_MODELS = tuple(f"{name}_2" for name in ECHO_MODELS)
SETS = {LabelSet(labels).version: labels for labels in (ECHO_LABELS, RENEWED)}


@dataclass(frozen=True)
class Desk:
    """The stage, with a file of the old labels and one of the new."""

    stage: Stage
    old: Path
    new: Path

    def service(self, verb: str, config: Path) -> Service:
        return self.stage.service(verb, "--config", str(config))

    async def classified(self, config: Path, first: int, made: Any) -> None:
        """Let a classify with these labels work through EACH more tickets."""
        service = self.service("classify", config)
        await service.started()
        await self.stage.feed([made(number) for number in range(first, first + EACH)])
        await self.stage.drained()
        assert await service.stopped() == 0

    def renew_prompts(self) -> None:
        """As docs/upgrading.md says: the prompt of before stays beside the new one."""
        prompts = self.old.parent / "prompts"
        (prompts / "intent.yaml").rename(prompts / "intent.previous.yaml")
        assert main(["init", "--prompts", "--out", str(self.new)]) == 0

    async def labels(self, count: int) -> list[Label]:
        """All labels, once there are so many."""
        found: list[Label] = []

        async def there() -> bool:
            nonlocal found
            records = whole(self.stage.bootstrap, self.stage.topics.labels)
            found = [Label.from_json(record.value) async for record in records]
            return len(found) >= count

        await until(there, 120)
        return found

    async def dead(self) -> list[str]:
        records = whole(self.stage.bootstrap, self.stage.topics.dead)
        return [DeadLetter.from_headers(record.headers).reason async for record in records]


def renewed(number: int) -> Any:
    """A ticket on which no two of the new workers agree."""
    return ticket(number, " ".join(f"#{name}={i}" for i, name in enumerate(NEW_MODELS)))


@pytest.fixture
async def desk(tmp_path: Path, kafka: Kafka) -> AsyncIterator[Desk]:
    models = tmp_path / "models"
    for names, labels in ((ECHO_MODELS, ECHO_LABELS), (NEW_MODELS, RENEWED)):
        for name in names:
            write_model(models, name, "echo", labels)
    with own_triton(tmp_path / "state", models) as triton:
        async with language_stage(tmp_path, kafka, triton=triton.url) as stage:
            new = stage.config.with_name("new.yaml")
            changed = {"intent": {"labels": list(RENEWED), "workers": list(NEW_MODELS)}}
            new.write_text(yaml.safe_dump(stage.configuration | {"tasks": changed}))
            yield Desk(stage, stage.config, new)


def check(labels: Sequence[Label], count: int) -> None:
    """One label for each ticket, and each in the label set that it names."""
    assert sorted(label.ticket_id for label in labels) == sorted(f"t{n}" for n in range(count))
    assert all(label.label in SETS[label.label_set] for label in labels)
    assert all(label.source == "judge" for label in labels)


async def test_judges_first_then_classify_mixes_nothing(desk: Desk) -> None:
    # Requests of before, that no judge has read yet.
    await desk.classified(desk.old, 0, disputed)
    desk.renew_prompts()
    await desk.service("judge", desk.new).started()
    await desk.classified(desk.old, EACH, disputed)
    await desk.classified(desk.new, 2 * EACH, renewed)
    labels = await desk.labels(3 * EACH)
    check(labels, 3 * EACH)
    by_set = {label.ticket_id: label.label_set for label in labels}
    new = LabelSet(RENEWED).version
    assert {int(one[1:]) for one, label_set in by_set.items() if label_set == new} == set(
        range(2 * EACH, 3 * EACH)
    )
    assert await desk.dead() == []


async def test_classify_first_loses_nothing_either(desk: Desk) -> None:
    judge = desk.service("judge", desk.old)
    await judge.started()
    await desk.classified(desk.new, 0, renewed)
    await desk.stage.drained(verb="judge")
    assert await desk.dead() == ["unknown_label_set"] * EACH
    assert await judge.stopped() == 0
    desk.renew_prompts()
    await desk.service("judge", desk.new).started()
    words = ["dead", "replay", "--config", str(desk.new), "--reason", "unknown_label_set"]
    replayed = await asyncio.to_thread(streamer, *words)
    assert replayed.returncode == 0, replayed.stderr
    check(await desk.labels(EACH), EACH)
