"""One supervised child process: it logs to a file and never outlives us."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from streamer.errors import ConfigError, in_words

# Becomes the program after leaving a guard behind: a process that kills the whole group once our
# end of a pipe is closed, which the kernel does however we die. (PR_SET_PDEATHSIG would reach the
# program alone, and Triton's stubs outlive a killed Triton.)
_LEASH = """\
import os, signal, sys
pipe = int(sys.argv[1])
if os.fork() == 0:
    os.read(pipe, 1)
    os.killpg(0, signal.SIGKILL)
os.close(pipe)
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Child:
    """A process of its own session whose output goes to `log`; it can be started again once ended.

    The methods block and may be called from any thread; from asyncio call them by `to_thread`.
    """

    def __init__(
        self,
        argv: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.log = log
        self._argv = list(argv)
        self._env = None if env is None else dict(env)
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._reaping = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The process id, of the last run if it has ended; None before the first start."""
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and not self._ended.is_set()

    @property
    def returncode(self) -> int | None:
        """As in subprocess: negative for a signal, None while it runs or before the first start."""
        return self._process.returncode if self._process and self._ended.is_set() else None

    def start(self) -> None:
        """Start the process; raises ConfigError where it can't be executed."""
        if self.running:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        leash, ours = os.pipe()
        try:
            self._process = self._spawn(leash)
        except OSError as error:
            os.close(ours)
            raise ConfigError(
                f"can't start {self._argv[0]}: {in_words(error)}; correct its path"
            ) from error
        finally:
            os.close(leash)
        self._ended.clear()
        threading.Thread(target=self._watch, args=(self._process, ours), daemon=True).start()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end; False when it still runs after `timeout_s` seconds."""
        return self._process is None or self._ended.wait(timeout_s)

    def stop(self, grace_s: float = 10.0) -> None:
        """SIGTERM, then SIGKILL after `grace_s` seconds; returns when the process is gone."""
        self._signal(signal.SIGTERM)
        if not self.wait(grace_s):
            self._signal(signal.SIGKILL)
            self._ended.wait()

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the log, for error messages."""
        with suppress(FileNotFoundError):
            text = self.log.read_text(encoding="utf-8", errors="replace")
            return "\n".join(text.splitlines()[-lines:])
        return ""

    def _watch(self, process: "subprocess.Popen[bytes]", ours: int) -> None:
        # Not reaped yet, so that neither its id nor its group's can belong to someone else.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        _end_group(process.pid)
        with self._reaping:
            process.wait()
            self._ended.set()
        os.close(ours)

    def _spawn(self, pipe: int) -> "subprocess.Popen[bytes]":
        leash = [sys.executable, "-I", "-S", "-c", _LEASH, str(pipe)]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                leash + self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
                pass_fds=[pipe],
            )

    def _signal(self, number: signal.Signals) -> None:
        with self._reaping:
            if self._process is not None and not self._ended.is_set():
                os.kill(self._process.pid, number)


def wait_until_ready(child: Child, ready: Callable[[], bool], timeout_s: float) -> bool:
    """Ask `ready` until it says yes; False when the child ends or `timeout_s` passes before."""
    deadline = time.monotonic() + timeout_s
    while child.running and time.monotonic() < deadline:
        if ready():
            return True
        child.wait(0.1)
    return False


def _end_group(leader: int) -> None:
    """End what a dead session leader left running, such as the stubs of a killed Triton."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
