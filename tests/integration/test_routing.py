"""Segments on real Kafka and Triton: switched on, to another version, and off again."""

from collections import Counter
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path

import pytest
import yaml

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label, Rule
from streamer.records.labelset import LabelSet
from streamer.records.routing import RouteRecord, Routing, TaskRoutes
from tests.accounting import whole
from tests.conftest import ECHO_LABELS
from tests.routed import word_gate, write_routing, write_segments
from tests.stage import Stage, streamer, ticket

EACH = 60
ALONE = RouteRecord(("echo_c",), Rule("majority", 1, 1), {})
JUDGE = RouteRecord((), Rule("judge", 0, 0), {})
WORDS = ("alpha", "beta", "hello")


def written(folder: Path, **ways: RouteRecord) -> Routing:
    """A version with these ways, by the numbers of their segments."""
    own = {name.removeprefix("s"): way for name, way in ways.items()}
    routes = TaskRoutes(LabelSet(ECHO_LABELS).version, {}, 0.1, own)
    write_segments(folder, {4: 60, 7: 40})
    return write_routing(folder, word_gate(), (4, 7), {"intent": routes})


@pytest.fixture
async def stage(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> AsyncIterator[Stage]:
    with Stage(tmp_path, kafka, triton_echo.url, {"audit": {"share": 0}}) as made:
        await made.make_topics()
        yield made


def serve(stage: Stage, segments: Path | None) -> None:
    stage.configuration["tasks"]["intent"]["segments"] = None if segments is None else str(segments)
    stage.config.write_text(yaml.safe_dump(stage.configuration))


async def played(stage: Stage, first: int) -> tuple[dict[str, Label], dict[str, JudgeRequest]]:
    """What became of EACH more tickets, by a classify that is started and stopped for them."""
    service = stage.service()
    await service.started()
    numbers = range(first, first + EACH)
    texts = [f"{word} #label={n % 4}" for n, word in zip(numbers, cycle(WORDS), strict=False)]
    await stage.feed(ticket(n, text) for n, text in zip(numbers, texts, strict=True))
    await stage.accounted(first + EACH)
    assert await service.stopped() == 0
    mine = {f"t{number}" for number in numbers}
    topics = stage.topics
    labels = [Label.from_json(r.value) async for r in whole(stage.bootstrap, topics.labels)]
    asked = [JudgeRequest.from_json(r.value) async for r in whole(stage.bootstrap, topics.judge)]
    published = {one.ticket_id: one for one in labels if one.ticket_id in mine}
    deferred = {one.ticket.id: one for one in asked if one.ticket.id in mine}
    assert Counter([*published, *deferred]) == Counter(mine)
    return published, deferred


async def test_segments_are_switched_on_and_to_another_version_and_off(
    stage: Stage, tmp_path: Path
) -> None:
    one = written(tmp_path / "segments" / "1", s4=ALONE, s7=JUDGE)
    two = written(tmp_path / "segments" / "2", s4=ALONE)
    assert one.version != two.version

    plain, deferred = await played(stage, 0)
    assert not deferred
    assert all(label.segment is None for label in plain.values())

    serve(stage, tmp_path / "segments" / "1")
    assert streamer("check", "--config", str(stage.config)).returncode == 0
    routed, deferred = await played(stage, EACH)
    assert len(deferred) == EACH // 3
    assert {(one.segment.number, one.segment.version) for one in deferred.values()} == {
        (7, one.version)
    }
    shares = Counter(label.segment.number for label in routed.values())
    assert shares == {4: EACH // 3, None: EACH // 3}
    alone = [label for label in routed.values() if label.segment.number == 4]
    assert all([vote.worker for vote in label.votes] == ["echo_c"] for label in alone)

    serve(stage, tmp_path / "segments" / "2")
    again, deferred = await played(stage, 2 * EACH)
    assert not deferred
    assert {label.segment.version for label in again.values()} == {two.version}

    serve(stage, None)
    off, deferred = await played(stage, 3 * EACH)
    assert not deferred
    assert all(label.segment is None for label in off.values())
    assert Counter(label.label for label in off.values()) == Counter(
        label.label for label in plain.values()
    )


async def test_a_folder_that_does_not_belong_to_the_task_is_refused(
    stage: Stage, tmp_path: Path
) -> None:
    strange = RouteRecord(("somebody",), Rule("majority", 1, 1), {})
    written(tmp_path / "segments" / "1", s4=strange)
    serve(stage, tmp_path / "segments" / "1")
    done = streamer("check", "--config", str(stage.config))
    assert done.returncode == 2
    assert "workers somebody" in done.stderr
    model = tmp_path / "segments" / "1" / "model.npz"
    written(tmp_path / "segments" / "1", s4=ALONE)
    model.write_bytes(model.read_bytes()[:-1])
    done = streamer("check", "--config", str(stage.config))
    assert done.returncode == 2
    assert "is not the file that belongs to" in done.stderr
