"""docs/configuration.md names every key there is, and its defaults are the real ones."""

import re
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from streamer.config import Settings, load
from streamer.config.tasks import Task

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def documented(tmp_path: Path) -> Path:
    text = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "streamer.yaml"
    path.write_text(re.sub(r"\$\{\w+\}", "", block), encoding="utf-8")
    return path


def blocks(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in blocks(part)]


def missing(model: type[BaseModel], raw: dict[str, Any], where: str = "") -> list[str]:
    gaps = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in raw:
            gaps.append(where + key)
        elif isinstance(raw[key], dict):
            for block in blocks(field.annotation):
                inner = raw[key] if block is not Task else raw[key]["intent"]
                gaps += missing(block, inner, f"{where}{key}.")
    return gaps


def test_every_key_is_documented(tmp_path: Path) -> None:
    raw = yaml.safe_load(documented(tmp_path).read_text())
    assert not missing(Settings, raw)


def test_the_documented_defaults_are_the_real_ones(tmp_path: Path) -> None:
    path = documented(tmp_path)
    written = load(path)
    raw = yaml.safe_load(path.read_text())
    least = tmp_path / "least.yaml"
    least.write_text(yaml.safe_dump({"kafka": {"start": "earliest"}, "tasks": raw["tasks"]}))
    assert written == load(least)
