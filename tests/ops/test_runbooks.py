"""Every alarm has a page, and what the pages tell people to do can be done."""

import re
import shlex
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from streamer.cli import parser
from streamer.config.settings import Settings
from streamer.observe.families import FAMILIES
from streamer.records.alarm import AlarmKind
from tests.config.test_documentation import blocks

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in PAGES}
RUNBOOKS = {name: text for name, text in TEXTS.items() if name != "README"}
METRICS = {family.name for family in FAMILIES}
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "ops/prometheus/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
COMMANDS = [
    (name, line.removeprefix("$ "))
    for name, text in TEXTS.items()
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    for line in block.splitlines()
]


def pages_of(rule: dict[str, Any]) -> set[str]:
    name = Path(rule["annotations"]["runbook_url"]).stem
    return set(get_args(AlarmKind)) if "$labels.kind" in name else {name}


def test_every_alarm_and_alert_has_its_page_and_no_page_is_without_one() -> None:
    told = set(get_args(AlarmKind)).union(*map(pages_of, ALERTS))
    assert told == set(RUNBOOKS), "each alarm and alert needs a page in docs/runbooks/"


@pytest.mark.parametrize("name", RUNBOOKS)
def test_every_page_says_what_it_must(name: str) -> None:
    text = RUNBOOKS[name]
    assert text.startswith(f"# {name}: ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Look at", "Do", "Wake somebody"]
    assert len(text.splitlines()) < 60


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_every_command_is_one(page: str, command: str) -> None:
    program, *words = shlex.split(command)
    assert program == "streamer"
    parser().parse_args(words)


def test_a_command_that_is_none_is_found() -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["dead", "resurrect"])


@pytest.mark.parametrize("name", TEXTS)
def test_every_metric_exists(name: str) -> None:
    named = set(re.findall(r"`((?:streamer|messaging)_\w+)`", TEXTS[name]))
    assert named <= METRICS


def test_every_key_of_the_configuration_exists() -> None:
    keys = set(keys_of(Settings))
    starts = {key.partition(".")[0] for key in keys}
    for name, text in TEXTS.items():
        for key in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", text):
            if key.partition(".")[0] in starts:
                assert key in keys, f"{name}: {key}"


def keys_of(model: Any, where: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        key = where + (field.alias or name)
        found.append(key)
        for block in blocks(field.annotation):
            found += keys_of(block, f"{key}.")
    return found


def test_the_index_lists_every_page_and_alert() -> None:
    pages = set(re.findall(r"\]\(([^)]+)\)", TEXTS["README"]))
    named = set(re.findall(r"\bStreamer\w+", TEXTS["README"]))
    missing = ({f"{name}.md" for name in RUNBOOKS} - pages) | ({r["alert"] for r in ALERTS} - named)
    assert missing == set(), "docs/runbooks/README.md needs a row with the page and the alert"
