"""The optimistic mode on a real Kafka: a verification waits for the label that it is about."""

from pathlib import Path

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from tests.accounting import whole
from tests.conftest import ECHO_LABELS, ECHO_MODELS
from tests.stage import Stage, agreed, disputed

COUNT = 3000
OPTIMISTIC = {
    "intent": {
        "labels": list(ECHO_LABELS),
        "workers": list(ECHO_MODELS),
        "mode": "optimistic",
    }
}


async def test_no_label_is_verified_before_it_is_published_nor_forgotten_after_a_crash(
    kafka: Kafka, triton_echo: Triton, tmp_path: Path
) -> None:
    with Stage(tmp_path, kafka, triton_echo.url, {"tasks": OPTIMISTIC}) as stage:
        await stage.make_topics()
        service = stage.service(member="one")
        await service.started()
        await stage.feed([(agreed, disputed)[n % 2](n) for n in range(COUNT)])
        service.kill()
        again = stage.service(member="one")
        await again.started()
        await stage.drained()
        assert await again.stopped() == 0
        published: dict[str, int] = {}
        async for record in whole(stage.bootstrap, stage.topics.labels):
            label = Label.from_json(record.value)
            assert (label.revision, label.final) == (0, False)
            published.setdefault(label.decision_id, record.timestamp)
        asked: dict[str, int] = {}
        async for record in whole(stage.bootstrap, stage.topics.judge):
            request = JudgeRequest.from_json(record.value)
            assert (request.purpose, request.revision) == ("verify", 1)
            asked.setdefault(request.decision_id, record.timestamp)
    assert len(published) == COUNT
    assert asked.keys() == published.keys()
    assert all(published[decision] <= at for decision, at in asked.items())
