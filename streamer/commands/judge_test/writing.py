"""Writes the chosen way of asking into the configuration and beside the prompts."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from streamer.commands.judge_test.ways import TYPICAL
from streamer.config.editing import Plain, with_keys, with_rows
from streamer.config.settings import Settings
from streamer.errors import ConfigError, in_words
from streamer.judging.llm.nearest import ENDING, LabelledTickets
from streamer.judging.llm.prompt import Prompt
from streamer.learn.judge_test.variant import OWN, Variant


@dataclass(frozen=True, slots=True)
class Choosable:
    """What can be written of a task: its prompts by name, and its labelled tickets."""

    task: str
    prompts: dict[str, Prompt]
    labelled: LabelledTickets


def keys(variant: Variant) -> dict[str, Plain]:
    """What stands under `judge` for a variant."""
    return {
        "codes": variant.question.codes,
        "contextual": variant.contextual,
        "shifts": variant.shifts,
        "examples": variant.question.examples,
    }


def write(settings: Settings, config: Path, variant: Variant, found: Choosable) -> Iterator[str]:
    """Write what serves the variant, and say so; raises `ConfigError`.

    Of a prompt that is replaced, the file of before stays beside it.
    """
    folder = settings.path(settings.judge.prompts)
    # First what may be refused: then nothing was written.
    text = with_keys(_read(config), "judge", keys(variant))
    prompt = folder / f"{found.task}.yaml"
    if variant.question.prompt == TYPICAL:
        rows = [{"text": text, "label": label} for text, label in found.prompts[TYPICAL].examples]
        yield _written(prompt, with_rows(_read(prompt), "examples", rows))
    elif variant.question.prompt != OWN:
        _written(prompt.with_suffix(".yaml.before"), _read(prompt))
        yield _written(prompt, _read(Path(variant.question.prompt)))
    if variant.question.examples:
        yield _written(folder / f"{found.task}{ENDING}", _rows(found.labelled))
    yield _written(config, text)


def _rows(labelled: LabelledTickets) -> str:
    names = labelled.label_set.labels
    rows = (
        orjson.dumps({"text": text, "label": names[label]})
        for text, label in zip(labelled.texts, labelled.labels, strict=True)
    )
    return b"".join(row + b"\n" for row in rows).decode()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"can't read {file}: {in_words(error)}; check the path") from None


def _written(file: Path, text: str) -> str:
    try:
        draft = file.with_name(f".{file.name}.draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        raise ConfigError(f"can't write {file}: {in_words(error)}; correct its rights") from None
    return f"wrote {file}"
