"""A language model behind vLLM's own server, on loopback."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from streamer.dev.child import Child, wait_until_ready
from streamer.dev.ports import LOOPBACK, free_port
from streamer.errors import ModelError
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.llm.chat_prompt import BLOCK

_READY_S = 300.0


@dataclass(frozen=True, slots=True)
class Served:
    """Where it answers, and the process that does."""

    url: str
    pid: int | None


@contextmanager
def served(model: Path, python: Path, log: Path, longest: int) -> Iterator[Served]:
    """The model in the folder `model`, for prompts of up to `longest` tokens.

    As the service would run it in its own process. Raises ModelError with the log's end where it
    does not come up.
    """
    port = free_port()
    options = {
        "model": model,
        "served-model-name": model.parent.name,
        "host": LOOPBACK,
        "port": port,
        "max-model-len": longest + 1,
        "block-size": BLOCK,
        "generation-config": "vllm",
    }
    command = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager"]
    command += [word for key, value in options.items() for word in (f"--{key}", str(value))]
    child = Child(command, log, env={**os.environ, **EngineSettings().environment()})
    url = f"http://{LOOPBACK}:{port}"
    child.start()
    try:
        if not wait_until_ready(child, lambda: _answers(url), _READY_S):
            raise ModelError(f"vLLM's server did not come up; its log ({log}):\n{child.log_tail()}")
        yield Served(url, child.pid)
    finally:
        child.stop()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
