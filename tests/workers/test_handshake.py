import asyncio
import logging
from pathlib import Path

import pytest

from streamer.dev.ports import free_port
from streamer.dev.triton import Triton
from streamer.errors import ConfigError
from streamer.learn.artifacts.repository import write_model
from streamer.workers.faults import Outage
from streamer.workers.handshake import handshake
from streamer.workers.triton import TritonClient
from tests.conftest import ECHO_LABELS, own_triton
from tests.waiting import soon


async def test_the_right_labels_give_the_version(triton_echo: Triton) -> None:
    client = TritonClient(triton_echo.url)
    assert (await handshake(client, "echo_a", ECHO_LABELS)).version == "1"
    await client.close()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["account", "shipping", "billing", "technical"], "position 1: 'billing' where 'shipping'"),
        ([*ECHO_LABELS, "other"], "4 labels where 5 .* position 4: none where 'other'"),
        (ECHO_LABELS[:3], "4 labels where 3 .* position 3: 'technical' where none"),
    ],
)
async def test_wrong_labels_say_where(triton_echo: Triton, labels: list[str], said: str) -> None:
    client = TritonClient(triton_echo.url)
    with pytest.raises(ConfigError, match=said):
        await handshake(client, "echo_a", labels)
    await client.close()


async def test_an_unknown_model_is_a_mistake(triton_echo: Triton) -> None:
    client = TritonClient(triton_echo.url)
    with pytest.raises(ConfigError, match=r"nobody.*correct the model's name"):
        await handshake(client, "nobody", ECHO_LABELS)
    await client.close()


async def test_waits_for_a_server_that_comes_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.workers.handshake._LOG_EVERY_S", 0.0)
    write_model(tmp_path / "models", "late", "echo", ECHO_LABELS)
    server = own_triton(tmp_path / "state", tmp_path / "models")
    client = TritonClient(server.url)
    with caplog.at_level(logging.WARNING):
        waiting = asyncio.create_task(handshake(client, "late", ECHO_LABELS))
        assert await soon(lambda: bool(caplog.records))
        try:
            await asyncio.to_thread(server.start)
            assert (await waiting).version == "1"
        finally:
            await client.close()
            await asyncio.to_thread(server.stop)
    assert f"waiting for Triton at {server.url}" in caplog.text


async def test_patience_ends() -> None:
    client = TritonClient(f"127.0.0.1:{free_port()}")
    with pytest.raises(Outage, match="UNAVAILABLE"):
        await handshake(client, "any", ECHO_LABELS, patience_s=0)
    await client.close()
