"""A new worker version on real Kafka and Triton: pinned, shadowed, promoted, rolled back."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from streamer.dev.kafka import Kafka
from streamer.learn.artifacts.repository import write_model
from streamer.records.label import Label
from streamer.records.log import BallotLog, log_from_json
from tests.accounting import whole
from tests.conftest import ECHO_LABELS, ECHO_MODELS, own_triton
from tests.stage import Stage, agreed

EACH = 40


@pytest.fixture
async def stage(tmp_path: Path, kafka: Kafka) -> AsyncIterator[Stage]:
    models = tmp_path / "models"
    for name in ECHO_MODELS:
        write_model(models, name, "echo", ECHO_LABELS, served=2)
    (models / ECHO_MODELS[0] / "2").mkdir()
    with (
        own_triton(tmp_path / "state", models) as triton,
        Stage(tmp_path, kafka, triton.url, {"audit": {"share": 0}}) as made,
    ):
        await made.make_topics()
        yield made


def serve(stage: Stage, **worker: object) -> None:
    """Write the configuration in which the first worker has these values."""
    first = {"model": ECHO_MODELS[0], **worker}
    stage.configuration["tasks"]["intent"]["workers"] = [first, *ECHO_MODELS[1:]]
    stage.config.write_text(yaml.safe_dump(stage.configuration))


async def played(stage: Stage, first: int) -> list[Label]:
    """Labels of EACH more tickets, by a classify that is started and stopped for them."""
    service = stage.service()
    await service.started()
    await stage.feed(map(agreed, range(first, first + EACH)))
    await stage.accounted(first + EACH)
    assert await service.stopped() == 0
    labels = [Label.from_json(r.value) async for r in whole(stage.bootstrap, stage.topics.labels)]
    mine = {f"t{number}" for number in range(first, first + EACH)}
    found = [label for label in labels if label.ticket_id in mine]
    assert Counter(label.ticket_id for label in found) == Counter(mine)
    return found


def versions(labels: list[Label]) -> set[str | None]:
    return {vote.version for label in labels for vote in label.votes if vote.worker == "echo_a"}


async def test_a_version_goes_from_shadow_to_service_and_back(stage: Stage) -> None:
    serve(stage, version="1")
    assert versions(await played(stage, 0)) == {"1"}
    serve(stage, version="1", shadow={"version": "2", "share": 0.5, "deadline": 5})
    assert versions(await played(stage, EACH)) == {"1"}
    logs = [log_from_json(r.value) async for r in whole(stage.bootstrap, stage.topics.log)]
    ballots = [log for log in logs if isinstance(log, BallotLog)]
    shadowed = {log.ticket_id: log.shadows for log in ballots if log.shadows}
    assert 0 < len(shadowed) < EACH
    assert {vote.version for votes in shadowed.values() for vote in votes} == {"2"}
    serve(stage, version="2")
    assert versions(await played(stage, 2 * EACH)) == {"2"}
    serve(stage, version="1")
    assert versions(await played(stage, 3 * EACH)) == {"1"}
