"""What the README says is true: its commands exist, its configuration loads, its label is one."""

import re
import shlex
from pathlib import Path

import jsonschema
import orjson
import pytest

from streamer.cli import parser
from streamer.config import load
from streamer.records.label import Label
from streamer.records.schema import schema

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


COMMANDS = [
    line.removeprefix("$ ").split("#")[0].strip()
    for block in blocks("console")
    for line in block.splitlines()
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one(command: str) -> None:
    program, *words = shlex.split(command)
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words) <= set(targets)
    else:
        assert program == "streamer"
        parser().parse_args(words)


def test_the_configuration_loads(tmp_path: Path) -> None:
    for block in blocks("yaml"):
        path = tmp_path / "streamer.yaml"
        path.write_text(block)
        assert load(path).tasks


def test_the_label_follows_the_schema_and_reads_back() -> None:
    (block,) = blocks("json")
    raw = orjson.loads(block)
    jsonschema.validate(raw, schema("label"))
    assert orjson.loads(Label.from_json(orjson.dumps(raw)).to_json()) == raw
