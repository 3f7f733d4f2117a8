"""`streamer check` of a configuration whose judge is a language model."""

from pathlib import Path

import pytest

from streamer.cli import main

CONFIG = """
kafka: {start: earliest}
judge: {kind: llm}
tasks:
  topic: {labels: [refund, bug], workers: [topic_a, topic_b]}
"""
PROMPT = """
instructions: You sort tickets.
labels: {refund: wants money back, bug: something does not work}
"""


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (None, "topic.yaml"),
        (PROMPT.replace("refund:", "refnud:"), "refund of task topic is not described"),
        (PROMPT.replace("}", ", other: the rest}"), "task topic has no other"),
        (PROMPT.replace("instructions", "instruction"), "instruction"),
    ],
)
def test_each_fault_of_a_prompt_is_said(
    prompt: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _written(tmp_path, prompt)
    assert main(["check", "--config", str(config)]) == 2
    assert said in capsys.readouterr().err


def test_a_good_prompt_is_good(tmp_path: Path) -> None:
    assert main(["check", "--config", str(_written(tmp_path, PROMPT))]) == 0


def _written(folder: Path, prompt: str | None) -> Path:
    config = folder / "streamer.yaml"
    config.write_text(CONFIG)
    if prompt is not None:
        (folder / "prompts").mkdir()
        (folder / "prompts" / "topic.yaml").write_text(prompt)
    return config
