"""A judge of kind llm on a stage: a small model of random weights, a prompt and requests."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from streamer.cli import main
from streamer.dev.kafka import Kafka
from streamer.records.judge_request import JudgeRequest
from streamer.records.labelset import LabelSet
from tests.conftest import ECHO_LABELS
from tests.services.judging import request
from tests.stage import JUDGE_PYTHON, ROOT, Stage

_MADE = (
    "import sys; from pathlib import Path; from tests.judging.tiny import save_model;"
    " save_model(Path(sys.argv[1]))"
)


@asynccontextmanager
async def language_stage(
    folder: Path,
    kafka: Kafka,
    partitions: int = 4,
    log: float = 0.0,
    triton: str = "127.0.0.1:1",
    blocks: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncIterator[Stage]:
    """`log` is the share of the tickets that are logged; there is no Triton unless one is given.

    `blocks` are as in `Stage`.
    """
    model = folder / "model"
    command = [str(JUDGE_PYTHON), "-c", _MADE, str(model)]
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, check=True, timeout=120)
    given = {
        "judge": {"kind": "llm", "model": str(model), "min_coverage": 0},
        "log": {"share": log},
        **(blocks or {}),
    }
    with Stage(folder, kafka, triton, given) as made:
        assert main(["init", "--prompts", "--out", str(made.config)]) == 0
        await made.make_topics(partitions)
        yield made


def asked(number: int, task: str, text: str) -> JudgeRequest:
    """A request about ticket `number` of this text."""
    label_set = LabelSet(ECHO_LABELS).version
    return request(text, task=task, number=number, label_set=label_set)
