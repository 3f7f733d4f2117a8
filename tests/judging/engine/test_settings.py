"""What the engine is told, on whatever device it runs."""

from pathlib import Path

import pytest
import torch

from streamer.config.judge import Engine
from streamer.errors import ConfigError
from streamer.judging.engine.settings import EngineSettings, precision

FOLDER = Path("model")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: request.param)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize("card", [(7, 5), (7, 0)], indirect=True)
@pytest.mark.usefixtures("card")
def test_a_card_before_capability_8_takes_float16_and_refuses_bfloat16() -> None:
    assert precision() == "float16"
    assert precision("float32") == "float32"
    with pytest.raises(ConfigError, match=r"capability 8.0, and this one has 7\.\d: set float16"):
        EngineSettings(precision="bfloat16").arguments(FOLDER, 64)


@pytest.mark.parametrize("card", [(8, 0), (9, 0), (12, 0)], indirect=True)
@pytest.mark.usefixtures("card")
def test_later_ones_take_bfloat16(card: None) -> None:
    assert precision() == "bfloat16"
    assert EngineSettings(precision="bfloat16").arguments(FOLDER, 64)["dtype"] == "bfloat16"


@pytest.mark.parametrize("card", [(9, 0)], indirect=True)
@pytest.mark.usefixtures("card")
def test_more_gpus_than_there_are_is_refused() -> None:
    EngineSettings(tensor_parallel_size=2).arguments(FOLDER, 64)
    with pytest.raises(ConfigError, match="needs as many GPUs, and there are 2"):
        EngineSettings(tensor_parallel_size=2, pipeline_parallel_size=2).arguments(FOLDER, 64)


def test_what_is_configured_reaches_vllm_by_its_own_names() -> None:
    given = {
        "tensor_parallel_size": 2,
        "pipeline_parallel_size": 2,
        "quantization": "fp8",
        "kv_cache_dtype": "fp8",
        "load_format": "runai_streamer",
    }
    configured = Engine.model_validate(given).model_dump()
    settings = EngineSettings(**configured)
    for arguments in (settings.arguments(FOLDER, 64), settings.pooling_arguments(FOLDER, 64)):
        assert given.items() <= arguments.items()
        assert arguments["distributed_executor_backend"] == "mp"
    assert EngineSettings().arguments(FOLDER, 64)["distributed_executor_backend"] == "uni"
