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


def test_labelled_tickets_of_a_judge_that_shows_some_are_read_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _written(tmp_path, PROMPT)
    config.write_text(CONFIG.replace("kind: llm", "kind: llm, examples: 2"))
    assert main(["check", "--config", str(config)]) == 2
    assert "no <task>.examples.jsonl" in capsys.readouterr().err
    rows = '{"text": "back", "label": "refund"}\n{"text": "broken", "label": "bgu"}\n'
    (tmp_path / "prompts/topic.examples.jsonl").write_text(rows)
    assert main(["check", "--config", str(config)]) == 2
    assert "line 2 has the label 'bgu'" in capsys.readouterr().err


def test_an_empty_ticket_of_prompts_that_differ_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _written(tmp_path, PROMPT)
    config.write_text(CONFIG.replace("kind: llm", "kind: llm, examples: 2, contextual: true"))
    assert main(["check", "--config", str(config)]) == 2
    assert "take one of the two out" in capsys.readouterr().err


def test_a_taught_model_brings_its_own_prompts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _written(tmp_path, None)
    model = tmp_path / "models_repo" / "judge" / "language-model"
    for version, text in (("1", PROMPT), ("2", PROMPT.replace("bug:", "fault:"))):
        folder = model / version / "prompts"
        folder.mkdir(parents=True)
        (folder / "topic.yaml").write_text(text)
    assert main(["check", "--config", str(config)]) == 2
    assert f"{model / '2'}" in capsys.readouterr().err
    (model / "2" / "prompts" / "topic.yaml").write_text(f"bare: true{PROMPT}")
    assert main(["check", "--config", str(config)]) == 0


def _written(folder: Path, prompt: str | None) -> Path:
    config = folder / "streamer.yaml"
    config.write_text(CONFIG)
    if prompt is not None:
        (folder / "prompts").mkdir()
        (folder / "prompts" / "topic.yaml").write_text(prompt)
    return config
