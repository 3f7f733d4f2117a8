"""A judge behind an endpoint as a service: real Kafka, and a server that breaks."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from streamer.cli import main
from streamer.dev.kafka import Kafka
from streamer.records.dead_letter import DeadLetter
from streamer.records.label import Label
from tests.accounting import lag, whole
from tests.conftest import ECHO_LABELS
from tests.judging.endpoint.served import Break, Served
from tests.language_stage import asked
from tests.stage import Service, Stage, Wire, until

TASK = "intent"
REQUESTS = 200
POISON = 117
KINDS: tuple[Break, ...] = ("busy", "error", "garbage", "half", "reset", "hang")


@asynccontextmanager
async def staged(
    folder: Path, kafka: Kafka, served: Served, **endpoint: Any
) -> AsyncIterator[Stage]:
    """With prompts and topics, and this server behind the judge."""
    judge: Mapping[str, Any] = {
        "kind": "endpoint",
        "min_coverage": 0,
        "codes": "letters",
        "endpoint": {"url": served.url, "timeout": 1, **endpoint},
    }
    with Stage(folder, kafka, "127.0.0.1:1", {"judge": judge}) as stage:
        assert main(["init", "--prompts", "--out", str(stage.config)]) == 0
        await stage.make_topics(2)
        yield stage


def text(number: int) -> str:
    return f"a {ECHO_LABELS[number % 4]} ticket, number {number}"


async def fed(stage: Stage, numbers: range, texts: Mapping[int, str] | None = None) -> list[Wire]:
    given = texts or {}
    made = [asked(number, TASK, given.get(number, text(number))) for number in numbers]
    wires: list[Wire] = [(one.ticket.id.encode(), one.to_json()) for one in made]
    await stage.feed(wires, topic=stage.topics.judge)
    return wires


async def labels(stage: Stage) -> dict[str, Label]:
    found = [
        Label.from_json(one.value) async for one in whole(stage.bootstrap, stage.topics.labels)
    ]
    return {label.ticket_id: label for label in found}


async def letters(stage: Stage) -> list[tuple[str, bytes | None]]:
    """Reason and value of each dead letter."""
    return [
        (DeadLetter.from_headers(one.headers).reason, one.value)
        async for one in whole(stage.bootstrap, stage.topics.dead)
    ]


def right(found: Mapping[str, Label], numbers: range | set[int]) -> bool:
    return {key: label.label for key, label in found.items()} == {
        f"t{number}": ECHO_LABELS[number % 4] for number in numbers
    }


async def logged(service: Service, words: str) -> None:
    async def said() -> bool:
        return words in service.log

    await until(said, 60)


async def begun(stage: Stage, count: int) -> None:
    async def some() -> bool:
        return len(await labels(stage)) >= count

    await until(some, 120)


async def test_whatever_breaks_nothing_is_lost_and_only_the_poisoned_ticket_is_set_aside(
    tmp_path: Path, kafka: Kafka
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)

    def refuses(path: str, said: str) -> Break | None:
        return "refuse" if "poison" in said else None

    def breaks(path: str, said: str) -> Break | None:
        return refuses(path, said) or (draw.choice(KINDS) if draw.random() < 0.05 else None)

    async with Served().running() as served, staged(tmp_path, kafka, served) as stage:
        sent = await fed(stage, range(REQUESTS), {POISON: "poison"})
        # From the first ticket on: it is judged as soon as the service stands.
        served.breaks = refuses
        judge = stage.service("judge", member="judge")
        await judge.started(60)
        served.breaks = breaks
        served.takes = 0.05
        await begun(stage, REQUESTS // 10)
        judge.kill()
        assert await lag(stage.bootstrap, f"{stage.group}-judge", stage.topics.judge) > 0
        served.takes = 0
        await judge.started(60)
        await stage.drained(120, "judge")
        assert await judge.stopped() == 0
        assert right(await labels(stage), set(range(REQUESTS)) - {POISON})
        # Again after the kill, where it was not committed.
        assert set(await letters(stage)) == {("refused_by_the_judge", sent[POISON][1])}
        assert served.most_open <= 65


@pytest.mark.slow
async def test_a_ticket_that_takes_the_endpoint_down_is_set_aside_and_no_other(
    tmp_path: Path, kafka: Kafka
) -> None:
    down = iter(())

    def breaks(path: str, said: str) -> Break | None:
        nonlocal down
        if "poison" in said:
            down = iter(range(5))
            return "reset"
        return "error" if next(down, None) is not None else None

    async with Served().running() as served, staged(tmp_path, kafka, served) as stage:
        sent = await fed(stage, range(60), {17: "poison"})
        served.breaks = breaks
        judge = stage.service("judge", member="judge")
        await judge.started(60)
        ends = 0
        while not await _drained_or_ended(stage, judge):
            assert judge.child.returncode == 1, judge.log
            ends += 1
            assert ends <= 3, judge.log
            judge.start()
        assert await judge.stopped() == 0
        assert await letters(stage) == [("killed_the_judge", sent[17][1])]
        assert right(await labels(stage), set(range(60)) - {17})


@pytest.mark.slow
async def test_another_model_behind_the_endpoint_ends_the_process_and_the_next_one_judges_by_it(
    tmp_path: Path, kafka: Kafka
) -> None:
    async with Served().running() as served, staged(tmp_path, kafka, served) as stage:
        served.takes = 0.02
        await fed(stage, range(100))
        judge = stage.service("judge", member="judge")
        await judge.started(60)
        await begun(stage, 10)
        for first, build in ((100, "vllm-two"), (150, "vllm-three")):
            served.build = build
            # It notices by an answer: there must be something left to ask.
            await fed(stage, range(first, first + 50))
            assert await judge.ended(60) == 1, judge.log
            assert build in judge.log
            await judge.started(60)
        await stage.drained(120, "judge")
        assert await judge.stopped() == 0
        found = await labels(stage)
        assert right(found, range(200))
        assert await letters(stage) == []
        # What was in flight at an end is judged again, so the first model's labels may all be gone.
        assert any("vllm-three" in str(label.judge) for label in found.values())


@pytest.mark.slow
async def test_an_outage_is_waited_for_and_ends_nothing(tmp_path: Path, kafka: Kafka) -> None:
    served = Served()
    async with AsyncExitStack() as life:
        await life.enter_async_context(served.running())
        port = int(served.url.rpartition(":")[2])
        async with staged(tmp_path, kafka, served) as stage:
            served.takes = 0.05
            await fed(stage, range(300))
            judge = stage.service("judge", member="judge")
            await judge.started(60)
            await begun(stage, 10)
            await life.aclose()
            await logged(judge, "out of service")
            # Another one waits for the endpoint, and takes no partition before.
            second = stage.service("judge")
            second.start()
            await logged(second, "waiting for the endpoint")
            assert judge.child.running
            await life.enter_async_context(served.running(port=port))
            await stage.drained(120, "judge")
            assert await judge.stopped() == 0
            assert right(await labels(stage), range(300))
            assert await letters(stage) == []


async def _drained_or_ended(stage: Stage, judge: Service) -> bool:
    group = f"{stage.group}-judge"

    async def over() -> bool:
        if not judge.child.running:
            return True
        return await lag(stage.bootstrap, group, stage.topics.judge) == 0

    await until(over, 120)
    return judge.child.running
