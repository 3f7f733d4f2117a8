"""Ends a process of the engine with the one that started it, however that one ends."""

import multiprocessing
import os
import signal
import threading


def end_with_parent() -> None:
    """Kill this process as soon as its parent is gone; does nothing in one that has none here.

    vLLM's own processes end where they are told to, and a parent that is killed tells nobody: an
    engine that was loading would stay behind with its gigabytes. In its first seconds, before it
    calls plugins, it waits for its parent's word, and gives up by itself after five minutes.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
