"""The loop on real Kafka and Triton: tried, judged, promoted and rolled back by one file alone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import yaml

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from streamer.learn.artifacts.repository import write_model
from streamer.records.label import After, Label
from streamer.records.log import BallotLog, VerdictLog, log_from_json, log_json
from tests.accounting import whole
from tests.conftest import ECHO_LABELS, ECHO_MODELS, own_triton
from tests.stage import Stage, Wire, streamer, ticket

EACH = 300
WORKER = ECHO_MODELS[0]
TASK = "intent"


@dataclass(frozen=True)
class World:
    """A stage whose configuration is written once, and the Triton that it asks."""

    stage: Stage
    triton: Triton
    models: Path
    learned: Path
    log: Path

    def learn(self, *words: str) -> str:
        done = streamer("learn", *words, "--config", str(self.stage.config))
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def played(self, first: int) -> set[str | None]:
        """Versions of the worker that voted on EACH more tickets, by a classify of their own."""
        stage, service = self.stage, self.stage.service()
        await service.started()
        await stage.feed(map(said, range(first, first + EACH)))
        await stage.accounted(first + EACH)
        assert await service.stopped() == 0
        mine = {f"t{number}" for number in range(first, first + EACH)}
        labels = [
            Label.from_json(record.value)
            async for record in whole(stage.bootstrap, stage.topics.labels)
        ]
        votes = [vote for one in labels if one.ticket_id in mine for vote in one.votes]
        return {vote.version for vote in votes if vote.worker == WORKER}

    async def judged(self) -> None:
        """Verdicts on all ballots, as a judge would log them that names the truth.

        The judge's GPU is not what is tried here, so its records are written in its place.
        """
        stage = self.stage
        logs = [log_from_json(one.value) async for one in whole(stage.bootstrap, stage.topics.log)]
        verdicts = [verdict(log) for log in logs if isinstance(log, BallotLog)]
        await stage.feed(
            [(one.ticket_id.encode(), log_json(one)) for one in verdicts], topic=stage.topics.log
        )
        done = streamer("log", "export", str(self.log), "--config", str(stage.config))
        assert done.returncode == 0, done.stderr


def said(number: int) -> Wire:
    """In every third ticket version 1 of the worker names another label, and a second one does."""
    truth, other = number % 4, (number + 1) % 4
    wrong = f"#{WORKER}.1={other} #{ECHO_MODELS[2]}={other}"
    return ticket(number, f"#label={truth} {wrong if number % 3 == 0 else ''}")


def verdict(ballot: BallotLog) -> VerdictLog:
    truth = int(ballot.ticket_id.removeprefix("t")) % 4
    vector = tuple(0.97 if code == truth else 0.01 for code in range(4))
    known = (ballot.decision_id, ballot.ticket_id, ballot.task, ballot.label_set, ballot.at)
    return VerdictLog(
        *known, "audit", True, "7", vector, ballot.candidate, After("v3", 0.0), None, None
    )


@pytest.fixture
async def world(tmp_path: Path, kafka: Kafka) -> AsyncIterator[World]:
    models = tmp_path / "models_repo"
    for name in ECHO_MODELS:
        write_model(models, name, "echo", ECHO_LABELS)
    with own_triton(tmp_path / "state", models) as triton:
        blocks = {"audit": {"share": 1}}
        with Stage(tmp_path, kafka, triton.url, blocks) as stage:
            await stage.make_topics()
            stage.configuration["learned"] = "learned.json"
            stage.config.write_text(yaml.safe_dump(stage.configuration))
            files = (models, tmp_path / "learned.json", tmp_path / "log.parquet")
            yield World(stage, triton, *files)


async def test_a_better_version_is_found_promoted_and_rolled_back(world: World) -> None:
    stage = world.stage
    assert await world.played(0) == {"1"}
    assert not world.learned.exists()

    # A second version lies in the repository; nothing but the file changes from here on.
    (world.models / WORKER / "2").mkdir()
    written = stage.config.read_bytes()
    await world.judged()
    world.learn("start", str(world.log), "--worker", f"{WORKER}=2", "--share", "100%")
    world.triton.load(WORKER)
    assert await world.played(EACH) == {"1"}

    await world.judged()
    (found,) = map(orjson.loads, world.learn("judge", str(world.log), "--json").splitlines())
    test = found["workers"][0]["test"]
    assert (found["verdict"], test["of"], test["gained"], test["lost"]) == ("better", EACH, 100, 0)
    before, after = found["vote"]["agreement"]
    assert (before["hits"], after["hits"]) == (EACH - 100, EACH)

    world.learn("promote", str(world.log))
    assert await world.played(2 * EACH) == {"2"}
    world.learn("rollback")
    assert await world.played(3 * EACH) == {"1"}
    assert stage.config.read_bytes() == written
    (status,) = map(orjson.loads, world.learn("status", "--json").splitlines())
    assert [one["kind"] for one in status["history"]] == ["trial", "promoted", "rolled_back"]
