"""What is read of a process and of those that it started."""

import os
import subprocess
import sys
import time
from threading import Event, Thread

from bench.process import cpu_s, tree_cpu_s

BUSY = "import time\nwhile time.process_time() < 0.5: pass\ntime.sleep(600)"


def test_what_another_thread_started_counts_as_well() -> None:
    started: list[subprocess.Popen[bytes]] = []
    begun, done = Event(), Event()

    def work() -> None:
        started.append(subprocess.Popen([sys.executable, "-c", BUSY]))
        begun.set()
        done.wait()

    thread = Thread(target=work)
    thread.start()
    begun.wait()
    [child] = started
    try:
        while cpu_s(child.pid) < 0.3:
            time.sleep(0.05)
        least = cpu_s(os.getpid()) + cpu_s(child.pid)
        assert tree_cpu_s(os.getpid()) >= least
    finally:
        child.kill()
        child.wait()
        done.set()
        thread.join()
