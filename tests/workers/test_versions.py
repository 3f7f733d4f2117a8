"""Two versions of a model on a real Triton: the pinned one answers, whichever is the newest."""

from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.learn.artifacts.repository import write_model
from streamer.services.classify.vote.shadows import Shadow, Trial
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Worker
from tests.conftest import ECHO_LABELS, own_triton


async def test_promotion_and_rollback_are_one_value(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "models", "echo_a", "echo", ECHO_LABELS, served=2)
    (folder / "2").mkdir()
    texts = [b"help #echo_a=1", b"help #echo_a=2"]
    with own_triton(tmp_path / "state", tmp_path / "models") as server:
        client = TritonClient(server.url)
        try:
            for pinned, answers in (("1", "1"), ("2", "2"), ("1", "1"), ("", "2")):
                worker = Worker(client, "echo_a", ECHO_LABELS, version=pinned)
                assert await worker.start() == answers
                assert (await worker.answer(TextTensor(texts))).version == answers
                await worker.close()
            trial = Trial("echo_a", "2", 1.0, 5.0)
            said = await Shadow(client, trial, ECHO_LABELS).votes(texts)
            assert [(vote.version, vote.label) for vote in said] == [
                ("2", ECHO_LABELS[1]),
                ("2", ECHO_LABELS[2]),
            ]
            with pytest.raises(ConfigError, match="name or version"):
                await Worker(client, "echo_a", ECHO_LABELS, version="3").start()
        finally:
            await client.close()
