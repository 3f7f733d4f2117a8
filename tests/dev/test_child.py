import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from streamer.dev.child import Child, wait_until_ready
from streamer.errors import ConfigError
from tests.waiting import eventually

FOREVER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_runs_logs_and_stops(tmp_path: Path) -> None:
    child = Child(FOREVER, tmp_path / "state" / "child.log")
    assert (child.running, child.pid, child.returncode) == (False, None, None)
    child.start()
    assert wait_until_ready(child, lambda: child.log_tail() == "up", 30)
    assert (child.running, child.returncode) == (True, None)
    child.stop()
    assert (child.running, child.returncode) == (False, -signal.SIGTERM)
    assert gone(child.pid)


def test_starts_again_after_its_end(tmp_path: Path) -> None:
    child = Child(["sh", "-c", "echo once more; exit 3"], tmp_path / "log")
    for _ in range(2):
        child.start()
        assert child.wait(30)
    assert child.returncode == 3
    assert child.log_tail() == "once more\nonce more"


def test_kills_what_ignores_the_request(tmp_path: Path) -> None:
    code = "import signal,time; signal.signal(15, signal.SIG_IGN); print('up',flush=True)"
    child = Child([sys.executable, "-c", f"{code}; time.sleep(600)"], tmp_path / "log")
    child.start()
    assert wait_until_ready(child, lambda: child.log_tail() == "up", 30)
    child.stop(grace_s=0.2)
    assert child.returncode == -signal.SIGKILL


def test_takes_its_own_children_along(tmp_path: Path) -> None:
    child = Child(["sh", "-c", "sleep 600 & echo $!; wait"], tmp_path / "log")
    child.start()
    assert wait_until_ready(child, lambda: child.log_tail().isdecimal(), 30)
    grandchild = int(child.log_tail())
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait(30)
    assert eventually(lambda: gone(grandchild))


def test_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    child = Child(FOREVER, tmp_path / "log")
    thread = threading.Thread(target=child.start)
    thread.start()
    thread.join()
    assert wait_until_ready(child, lambda: child.log_tail() == "up", 30)
    assert not child.wait(0.5)
    child.stop()


def test_dies_with_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from streamer.dev.child import Child;"
        f"child = Child(['sleep', '600'], Path({str(tmp_path / 'log')!r}));"
        "child.start(); print(child.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        assert eventually(lambda: psutil.Process(pid).name() == "sleep")
        parent.kill()
    assert eventually(lambda: gone(pid))


def test_a_program_that_cannot_run_says_so(tmp_path: Path) -> None:
    child = Child(["/nonexistent"], tmp_path / "log")
    child.start()
    assert child.wait(30)
    assert child.returncode != 0
    assert "/nonexistent" in child.log_tail() or "No such file" in child.log_tail()
    with pytest.raises(ConfigError, match="can't start"):
        Child(["true"], tmp_path / "log2", cwd=tmp_path / "nowhere").start()
