"""Writes the prompts of a language-model judge, for people to complete."""

from pathlib import Path

import yaml

from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.records.labelset import LabelSet
from streamer.terminal import tell

_HEAD = """\
# What the judge is told about task {task}. Write what belongs to each label: the model knows no
# more of it than stands here. `streamer judge --try "text"` shows what it makes of a ticket.
# A changed file is another judge: calibrate again.
"""


def run(settings: Settings) -> int:
    """Write `<judge.prompts>/<task>.yaml` for every task that has none; never over one."""
    folder = settings.path(settings.judge.prompts)
    for task, label_set in settings.label_sets.items():
        file = folder / f"{task}.yaml"
        if file.exists():
            tell(f"{file} is there already")
            continue
        _write(file, task, label_set)
        tell(f"wrote {file}: say what belongs to each label")
    return 0


def _write(file: Path, task: str, label_set: LabelSet) -> None:
    body = {
        "instructions": f"You label support tickets by their {task.replace('_', ' ')}.",
        "labels": {name: f"tickets about {name.replace('_', ' ')}" for name in label_set.labels},
        "examples": [],
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        written = yaml.safe_dump(body, sort_keys=False, allow_unicode=True)
        file.write_text(_HEAD.format(task=task) + written, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"can't write {file}: {error.strerror}; make its folder") from None
