"""Asks a judge of another kind, beside the stack's own, about the same tickets."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from aiokafka import AIOKafkaProducer

from streamer.config import Settings
from streamer.dev.demo.beside import judge_beside
from streamer.dev.demo.evidence import OtherJudge
from streamer.dev.demo.judge_only import judge_all
from streamer.dev.demo.observer import Observer
from streamer.dev.demo.scenario import Played


async def ask_other_judge(
    settings: Settings,
    config: Path,
    producer: AIOKafkaProducer,
    observer: Observer,
    asked: Sequence[tuple[Played, str]],
) -> list[OtherJudge]:
    """What the encoder says of each (ticket, task), and what it costs, by task.

    Raises what starting it raises, and as `judge_all`.
    """
    kind = "classifier"
    async with judge_beside(settings, config, f"{kind}-{time.time_ns()}", kind) as other:
        answered = await judge_all(producer, observer, other, asked)
    by_task: dict[str, list[int]] = {}
    for (_, task), label in zip(asked, answered.labels, strict=True):
        by_task.setdefault(task, []).append(settings.tasks[task].label_set.index[label])
    cost = answered.seconds / len(asked)
    return [
        OtherJudge(kind, task, np.array(label_ids, np.int64), cost)
        for task, label_ids in by_task.items()
    ]
