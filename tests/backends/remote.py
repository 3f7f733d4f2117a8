"""Workers of kind llm, made by the command that makes them, at endpoints that tests break."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streamer.backends.remote import ASKS
from streamer.commands import worker
from streamer.config import load

CONFIG = """
kafka: {start: earliest}
triton: {models: models, deadline: %g}
tasks:
  topic:
    labels: [%s]
    workers: [%s]
    rule: {kind: chow, alpha: 0.1}
"""


def configured(
    folder: Path, labels: Sequence[str], workers: str = "topic_llm", deadline: float = 2.0
) -> Path:
    """A configuration of the task topic, and a prompt for it."""
    config = folder / "streamer.yaml"
    config.write_text(CONFIG % (deadline, ", ".join(labels), workers))
    (folder / "prompts").mkdir(exist_ok=True)
    lines = "".join(f"  {name}: tickets about {name}\n" for name in labels)
    prompt = f"instructions: You sort tickets.\nlabels:\n{lines}"
    (folder / "prompts" / "topic.yaml").write_text(prompt)
    return config


def made(config: Path, url: str, **wanted: Any) -> Path:
    """Make a version as a user would; returns its folder. The servers of tests speak letters."""
    settings = load(config)
    whole = {"model": "topic_llm", "task": "topic", "url": url, "codes": "letters", **wanted}
    worker.run(settings, worker.RemoteWorker(**whole), as_json=False)
    folder = settings.path(settings.triton.models) / whole["model"]
    return max(folder.glob(f"*/{ASKS}"), key=lambda path: path.stat().st_mtime_ns).parent
