"""A model on two processes answers as on one, and what vLLM refuses is told in its words."""

from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from streamer.errors import ConfigError
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.judge import JudgeScores
from streamer.judging.llm.language import LanguageJudge
from streamer.judging.llm.prepared_prompt import Form
from tests.judging.tiny import make_prompt, save_model

TEXTS = ("Please return my money.", "The app crashes when I open the report.", "", "parcel " * 90)
PROMPT = make_prompt(10)
FORM = Form(codes="letters", max_ticket_tokens=64)


def judge(folder: Path, **settings: Any) -> LanguageJudge:
    told = EngineSettings(precision="float32", **settings)
    return LanguageJudge.load(folder, {"topic": (PROMPT,)}, FORM, settings=told)


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


async def answers(judge: LanguageJudge) -> JudgeScores:
    await judge.start()
    try:
        listening = [
            connection.laddr.ip
            for process in children()
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
        assert set(listening) <= {"127.0.0.1", "::1"}
        return await judge.score("topic", PROMPT.label_set.version, TEXTS)
    finally:
        await judge.stop()
        assert not [one for one in children() if "resource_tracker" not in " ".join(one.cmdline())]


@pytest.mark.slow
async def test_two_processes_answer_as_one_does(tmp_path: Path) -> None:
    save_model(tmp_path, width=128)
    alone = await answers(judge(tmp_path))
    both = await answers(judge(tmp_path, tensor_parallel_size=2))
    worst = np.abs(both.probabilities - alone.probabilities).max()
    print(f"tensor_parallel_size 2: p differs by {worst:.1e} at most")
    assert worst < 1e-3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"quantization": "awq"}, "Cannot find the config file for awq"),
        ({"quantization": "sparse"}, "Unknown quantization method: sparse"),
        ({"kv_cache_dtype": "fp9"}, "cache_dtype: Input should be 'auto'"),
        ({"tensor_parallel_size": 3}, "must be divisible by tensor parallel size"),
    ],
)
async def test_what_vllm_refuses_is_told_before_it_loads(
    tmp_path: Path, settings: dict[str, object], words: str
) -> None:
    save_model(tmp_path)
    refused = judge(tmp_path, **settings)
    with pytest.raises(ConfigError, match=r"judge\.engine: vLLM refuses this") as told:
        await refused.start()
    await refused.stop()
    print(told.value)
    assert words in str(told.value)
    assert "\n" not in str(told.value)
