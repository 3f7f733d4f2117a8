"""A process whose parent is killed ends; an engine that was loading leaves nothing behind."""

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


def test_it_ends_with_its_parent_and_a_process_without_one_lives_on(tmp_path: Path) -> None:
    file = tmp_path / "parent.py"
    file.write_text(PARENT)
    with subprocess.Popen([sys.executable, file], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
    child.wait(PATIENCE_S)


def _engine(process: psutil.Process) -> bool:
    # By the second name once its modules are there.
    line = " ".join(process.cmdline())
    return "spawn_main" in line or "EngineCore" in line


@pytest.mark.slow
def test_an_engine_whose_judge_is_killed_while_it_loads_ends_too(tmp_path: Path) -> None:
    save_model(tmp_path)
    file = tmp_path / "loading.py"
    file.write_text(LOADING)
    with subprocess.Popen([sys.executable, file, tmp_path]) as judge:
        try:
            engines: list[psutil.Process] = []
            while not engines and judge.poll() is None:
                time.sleep(0.1)
                # Others come and go meanwhile.
                with suppress(psutil.NoSuchProcess):
                    engines = [one for one in psutil.Process(judge.pid).children() if _engine(one)]
        finally:
            judge.kill()
    assert engines
    psutil.wait_procs(engines, PATIENCE_S)
    left = [engine for engine in engines if engine.is_running()]
    for engine in left:
        engine.kill()
    assert not left
