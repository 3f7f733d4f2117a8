"""One of our own services as a child process."""

import os
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from streamer.dev.child import Child, wait_until_ready
from streamer.dev.ports import LOOPBACK, free_port
from streamer.errors import BrokerError, ConfigError

# vLLM alone takes up to a minute to load, and more where the training runs beside it. A language
# model of a billion weights that names nine labels was seen to warm up for nine on two busy cores.
# Who ends meanwhile is noticed at once.
_READY_S = 900.0
_MISCONFIGURED = 2


class Service:
    """`streamer <verb>` under the interpreter `python`, with its log in the folder `logs`.

    Its status page listens on `port`, or another one where that is taken. `grace_s` is how long
    it may finish its work when stopped.
    """

    def __init__(
        self,
        verb: str,
        python: Path,
        arguments: Sequence[str],
        logs: Path,
        *,
        port: int,
        grace_s: float,
    ) -> None:
        self.verb = verb
        self.port = free_port(port)
        self.log = logs / f"{verb}.log"
        self._python = python
        self._grace_s = grace_s
        listen = ["--listen", f"{LOOPBACK}:{self.port}"]
        command = [str(python), "-m", "streamer.cli", verb, *arguments, *listen]
        self._child = Child(command, self.log, env={**os.environ, "PYTHONUNBUFFERED": "1"})

    @property
    def url(self) -> str:
        """Where it answers /metrics, /healthz and /readyz."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.running

    def start(self) -> None:
        """Start the service and wait until it reads its topic.

        Raises ConfigError where it says that the configuration is wrong, BrokerError for all else.
        """
        if not self._python.exists():
            raise ConfigError(
                f"{self._python} isn't there, and {self.verb} needs it: run `make setup`, or name "
                "the interpreter of the judge's environment by judge.python"
            )
        self._child.start()
        if not wait_until_ready(self._child, self.healthy, _READY_S):
            code = self._child.returncode
            tail = self._child.log_tail()
            self.stop()
            if code == _MISCONFIGURED:
                raise ConfigError(f"{self.verb}: {tail.splitlines()[-1] if tail else 'no log'}")
            late = f"wasn't ready after {_READY_S:g} s" if code is None else "didn't start"
            raise BrokerError(f"{self.verb} {late}; its log ({self.log}):\n{tail}")

    def stop(self) -> None:
        """Let it finish what is in flight, and end it."""
        self._child.stop(self._grace_s)

    def healthy(self) -> bool:
        """Whether it reads its topic."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
