"""The text of a new streamer.yaml."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from streamer.config.tasks import STARTERS

OUTPUTS = (
    "labels",
    "judge",
    "dead",
    "audit",
    "review",
    "answers",
    "log",
    "stats",
    "alerts",
    "current",
)

_NEVER = 2**31
_GUESS = "  # a guess: nothing like it was seen in any ticket"


@dataclass(frozen=True, slots=True)
class Answers:
    """What a new configuration is made of; `id` and `text` are JSON pointers."""

    bootstrap: str
    topic: str
    id: str
    text: tuple[str, ...]
    task: str
    labels: tuple[str, ...]
    guessed: tuple[str, ...] = ()


def document(answers: Answers) -> str:
    """A commented streamer.yaml."""
    return "\n".join(_lines(answers)) + "\n"


def _lines(answers: Answers) -> Iterator[str]:
    yield "# Written by `streamer init`. Every key and its default: docs/configuration.md."
    yield "# `streamer check` says whether this file is right, `streamer check --connect` whether"
    yield "# Kafka, Triton and the models are."
    yield ""
    yield "kafka:"
    yield f"  bootstrap: {_scalar(answers.bootstrap)}"
    yield "  # Where labelling begins: earliest labels what lies in the topic already, latest only"
    yield "  # what comes from now on; or a time such as 2026-01-31T08:00:00Z."
    yield "  start: earliest"
    yield ""
    yield "# Names are yours to choose. `streamer topics --create` makes those that are missing."
    yield "topics:"
    yield f"  tickets: {_scalar(answers.topic)}"
    for name in OUTPUTS:
        if name == "current":
            yield "  # What stands of each label: `streamer table` writes it."
        yield f"  {name}: {_scalar(f'{answers.topic}.{name}')}"
    yield ""
    yield "# JSON pointers into your tickets. Several texts are joined by a newline."
    yield "input:"
    yield f"  id: {_scalar(answers.id)}{_GUESS if 'id' in answers.guessed else ''}"
    yield f"  text: {_list(answers.text)}{_GUESS if 'text' in answers.guessed else ''}"
    yield ""
    yield "# The workers' server. `streamer up` starts its own here."
    yield "triton:"
    yield "  url: 127.0.0.1:8001"
    yield ""
    yield from _task(answers)


def _task(answers: Answers) -> Iterator[str]:
    yield "tasks:"
    yield f"  {answers.task}:"
    yield "    # Closed and ordered: after a change, train again."
    yield f"    labels: {_list(answers.labels)}"
    yield "    # Small models that vote. `streamer train` makes them and says how good they are."
    yield "    # Kind encoder is slower, and often better: docs/choosing.md."
    yield "    workers:"
    for end, kind in STARTERS.items():
        yield f"      - {{model: {answers.task}_{end}, kind: {kind}}}"
    yield "    # Only where all three agree is the judge spared; majority asks it less often."
    yield "    rule: unanimity"
    yield "    # NEXT: tickets with the right label, to learn from. Put them into a CSV or a JSON"
    yield "    # lines file, correct the columns or pointers here, take the `#` away, and run"
    yield "    # `streamer train`."
    yield f"    # data: {{train: examples.csv, label: {answers.task}}}"


def _list(words: Sequence[str]) -> str:
    return f"[{', '.join(map(_scalar, words))}]"


def _scalar(text: str) -> str:
    """Plain where YAML reads it back as the same text, in a list too; else quoted."""
    try:
        read = yaml.safe_load(f"alone: {text}\nlisted: [{text}]")
    except yaml.YAMLError:
        read = None
    if read == {"alone": text, "listed": [text]}:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=_NEVER)
    return quoted.strip()
