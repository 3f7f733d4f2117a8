"""A process whose parent is killed ends; an engine that was loading leaves nothing behind."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.judging.tiny import save_model

# A parent, which starts a child of its own, tells that child's id, and would wait for ever.
PARENT = """
import multiprocessing, time
from streamer.judging.engine.end_with_parent import end_with_parent

def child(told):
    end_with_parent()
    told.set()
    time.sleep(600)

if __name__ == "__main__":
    end_with_parent()
    spawned = multiprocessing.get_context("spawn")
    told = spawned.Event()
    process = spawned.Process(target=child, args=(told,))
    process.start()
    told.wait()
    print(process.pid, flush=True)
    process.join()
"""
LOADING = """
import asyncio, sys
from pathlib import Path
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.llm.language import LanguageJudge
from streamer.judging.llm.prepared_prompt import Form
from tests.judging.tiny import make_prompt

if __name__ == "__main__":
    folder, form = Path(sys.argv[1]), Form(codes="letters", max_ticket_tokens=64)
    judge = LanguageJudge.load(
        folder, {"topic": (make_prompt(3),)}, form, settings=EngineSettings(precision="float32")
    )
    asyncio.run(judge.start())
"""
PATIENCE_S = 240
ROOT = Path(__file__).parents[3]


def _runs(process: psutil.Process) -> bool:
    # Of one whose parent is gone nobody may read the end: it has ended all the same.
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _ended(processes: list[psutil.Process]) -> None:
    until = time.monotonic() + PATIENCE_S
    while (left := [one for one in processes if _runs(one)]) and time.monotonic() < until:
        time.sleep(0.1)
    for process in left:
        process.kill()
    assert not left


def test_it_ends_with_its_parent_and_a_process_without_one_lives_on(tmp_path: Path) -> None:
    file = tmp_path / "parent.py"
    file.write_text(PARENT)
    with subprocess.Popen([sys.executable, file], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
    _ended([child])


@pytest.mark.slow
def test_an_engine_whose_judge_is_killed_while_it_loads_ends_too(tmp_path: Path) -> None:
    save_model(tmp_path)
    file = tmp_path / "loading.py"
    file.write_text(LOADING)
    here = {**os.environ, "PYTHONPATH": str(ROOT), "VLLM_LOGGING_LEVEL": "INFO"}
    with subprocess.Popen(
        [sys.executable, file, tmp_path], env=here, stderr=subprocess.PIPE, text=True
    ) as judge:
        try:
            assert judge.stderr is not None
            # Before this it asks its parent who it is to be, and gives up where nobody answers.
            assert any("Initializing a V1 LLM engine" in line for line in judge.stderr)
            engines = psutil.Process(judge.pid).children()
        finally:
            judge.kill()
        assert engines
        _ended(engines)
