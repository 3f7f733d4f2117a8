"""An engine that lives and answers nothing, and the end of one that lives."""

import asyncio
import os
import signal

import psutil
import pytest

from streamer.judging.classifier.embedder import Embedder
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.judge import EngineDead


@pytest.mark.slow
async def test_a_stalled_engine_counts_as_dead_and_still_stops(encoder: Encoder) -> None:
    embedder = Embedder(encoder, stalled_after=3, look_every=0.1)
    await embedder.engine.start()
    pids = embedder.engine.process_ids
    ticket = [101, 7592, 102]
    assert (await embedder.embed([ticket])).shape == (1, encoder.dimensions)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(60):
        with pytest.raises(EngineDead, match="answered none"):
            await embedder.embed([ticket])
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    await embedder.engine.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    with pytest.raises(EngineDead):
        await embedder.embed([ticket])
