"""Hands ended spans to an exporter in the background, and counts what is lost on the way."""

import logging
import os
import threading
from collections import deque
from collections.abc import Mapping

from opentelemetry.sdk.trace.export import SpanExporter

from streamer.errors import DEFECTS
from streamer.observe.exporter import sender
from streamer.observe.spans import OpenSpan, Spans

log = logging.getLogger(__name__)

ROOM = ("OTEL_BSP_MAX_QUEUE_SIZE", 2048)
AT_ONCE = ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)
DELAY_MS = ("OTEL_BSP_SCHEDULE_DELAY", 5000)


class SpanQueue:
    """What the SDK's BatchSpanProcessor does, by the same variables, for a sixth of the time.

    That one also forgets without a word what doesn't fit; here it is counted. Belongs to one event
    loop: nobody else may `put`.
    """

    def __init__(self, exporter: SpanExporter, spans: Spans) -> None:
        self._exporter = exporter
        self._export = sender(exporter, spans.finished)
        self._room = _given(*ROOM)
        self._at_once = min(_given(*AT_ONCE), self._room)
        self._delay_s = _given(*DELAY_MS) / 1000
        self._waiting: deque[OpenSpan] = deque()
        self._put = 0
        self._full = 0
        self._refused = 0
        self._wake = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="spans", daemon=True)
        self._thread.start()

    @property
    def made(self) -> int:
        """Spans that ended, those dropped included."""
        return self._put + self._full

    @property
    def dropped(self) -> Mapping[str, int]:
        """Spans that no collector has, by reason."""
        return {"queue_full": self._full, "refused": self._refused}

    def put(self, span: OpenSpan) -> None:
        """Send it soon, or drop it where too many wait."""
        waiting = len(self._waiting)
        if waiting >= self._room:
            self._full += 1
            return
        self._put += 1
        self._waiting.append(span)
        if waiting + 1 == self._at_once:
            self._wake.set()

    def shutdown(self, within: float) -> None:
        """Send what is left, for at most `within` seconds. Blocks: call it in a thread."""
        self._room, self._ending = 0, True
        self._wake.set()
        self._thread.join(within)
        # It also gives up what it tries again at the moment.
        self._exporter.shutdown()

    def _work(self) -> None:
        while not self._ending:
            self._wake.wait(self._delay_s)
            self._wake.clear()
            self._send()
        self._send()

    def _send(self) -> None:
        while count := min(len(self._waiting), self._at_once):
            spans = [self._waiting.popleft() for _ in range(count)]
            try:
                taken = self._export(spans)
            except (OSError, *DEFECTS):
                log.exception("spans were lost")
                taken = False
            self._refused += 0 if taken else count


def _given(name: str, otherwise: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() and int(text) else otherwise
