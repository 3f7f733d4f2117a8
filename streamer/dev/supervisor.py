"""Starts a server, and starts it again when it ends without being asked to."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from streamer.errors import DEFECTS, ConfigError, StreamerError

Say = Callable[[str], None]

_LOOK_EVERY_S = 0.2
_ASK_EVERY_S = 5.0
_SICK_AFTER = 3
_LONGEST_PAUSE_S = 30.0
_STEADY_AFTER_S = 60.0


class Server(Protocol):
    """A child process that `start` brings up and waits for."""

    @property
    def running(self) -> bool: ...
    @property
    def log(self) -> Path: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Supervisor:
    """Keeps one server up, in a thread of its own.

    `healthy` is asked every few seconds; a server that fails it three times in a row is stopped
    and started again. `say` gets one message for each thing that people should know.
    """

    def __init__(
        self,
        name: str,
        server: Server,
        say: Say,
        *,
        healthy: Callable[[], bool] | None = None,
        pause_s: float = 1.0,
    ) -> None:
        self.name = name
        self.server = server
        self.restarts = 0
        self._say = say
        self._healthy = healthy or (lambda: True)
        self._first_pause_s = pause_s
        self._stopping = threading.Event()
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)

    def begin(self) -> "Future[None]":
        """Start the server; the future is done when it is ready, or has what it raised."""
        if not self._thread.is_alive() and not self._ready.done():
            self._thread.start()
        return self._ready

    def stop(self) -> None:
        """Stop the server for good, even while it is being started."""
        self._stopping.set()
        while self._thread.is_alive():
            self.server.stop()
            self._thread.join(_LOOK_EVERY_S)
        self.server.stop()

    def _live(self) -> None:
        try:
            self.server.start()
        except (StreamerError, OSError, MemoryError, *DEFECTS) as error:
            self._ready.set_exception(error)
            return
        self._ready.set_result(None)
        pause = self._first_pause_s
        while not self._stopping.is_set():
            began = time.monotonic()
            why = self._until_down()
            if self._stopping.is_set():
                return
            steady = time.monotonic() - began > _STEADY_AFTER_S
            pause = self._first_pause_s if steady else min(2 * pause, _LONGEST_PAUSE_S)
            self._say(f"{self.name} {why}; starting it again. Its log: {self.server.log}")
            if not self._again(pause):
                return

    def _until_down(self) -> str:
        """Why the server is down, when it is."""
        failures, asked = 0, time.monotonic()
        while self.server.running and failures < _SICK_AFTER:
            if self._stopping.wait(_LOOK_EVERY_S):
                return "was stopped"
            if time.monotonic() - asked >= _ASK_EVERY_S:
                failures = 0 if self._healthy() else failures + 1
                asked = time.monotonic()
        if not self.server.running:
            return "ended unexpectedly"
        self.server.stop()
        return "did not answer any more"

    def _again(self, pause_s: float) -> bool:
        while not self._stopping.wait(pause_s):
            try:
                self.server.start()
            except ConfigError as error:
                self._say(f"{self.name} stays down: {error}")
                return False
            except StreamerError as error:
                if not self._stopping.is_set():
                    self._say(str(error))
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                self.restarts += 1
                self._say(f"{self.name} is up again")
                return True
        return False
