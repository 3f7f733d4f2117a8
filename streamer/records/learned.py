"""What `streamer learn` changed of the configuration, and how it came to it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

import orjson

from streamer.records.reading import made

Kind = Literal["trial", "promoted", "rolled_back", "dropped"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Shadowed:
    """The version on trial, shown the share `share` of the tickets for up to `deadline` seconds."""

    version: str
    share: float
    deadline: float


@dataclass(frozen=True, slots=True)
class Serving:
    """The version of a worker that votes, and the one on trial beside it."""

    version: str
    shadow: Shadowed | None = None


@dataclass(frozen=True, slots=True)
class Serves:
    """What is laid over a task of the configuration: workers by model, and files.

    A file that is None stays as the configuration has it.
    """

    workers: Mapping[str, Serving] = field(default_factory=dict)
    calibration: str | None = None
    segments: str | None = None

    @property
    def without_shadows(self) -> "Serves":
        """The same with nothing on trial."""
        workers = {name: replace(serving, shadow=None) for name, serving in self.workers.items()}
        return replace(self, workers=workers)


@dataclass(frozen=True, slots=True)
class Trained:
    """A version of a model; `digest` is that of its manifest's recipe, None without a manifest."""

    version: str
    digest: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One step, and what `serves` the task from then on.

    `models` are the versions that it is about, `log` the SHA-256 of the log that was learnt or
    judged from, `seed` that of training and `segments` the folder that was trained with.
    `calibration` is the version of the one that was promoted, `figures` are those of the test;
    `why` is what a person gave as the reason.
    """

    number: int
    at: str
    task: str
    kind: Kind
    serves: Serves
    models: Mapping[str, Trained] = field(default_factory=dict)
    log: str | None = None
    seed: int | None = None
    segments: str | None = None
    calibration: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """All steps of all tasks, in their order; entries are added and never changed."""

    entries: tuple[Entry, ...] = ()

    @property
    def serves(self) -> dict[str, Serves]:
        """What is laid over each task now, by its name."""
        return {entry.task: entry.serves for entry in self.entries}

    @property
    def next_number(self) -> int:
        """Of the entry to come."""
        return len(self.entries) + 1

    def of(self, task: str) -> tuple[Entry, ...]:
        """The steps of one task."""
        return tuple(entry for entry in self.entries if entry.task == task)

    def trial(self, task: str) -> Entry | None:
        """The open trial of a task."""
        mine = self.of(task)
        return mine[-1] if mine and mine[-1].kind == "trial" else None

    def promotion(self, task: str) -> tuple[Entry, Serves] | None:
        """The last promotion that still stands, and what served before it."""
        standing: list[tuple[Entry, Serves]] = []
        before = Serves()
        for entry in self.of(task):
            if entry.kind == "promoted":
                standing.append((entry, before.without_shadows))
            elif entry.kind == "rolled_back":
                standing.pop()
            before = entry.serves
        return standing[-1] if standing else None

    def then(self, *entries: Entry) -> "Learned":
        """With these steps after the others."""
        return Learned((*self.entries, *entries))

    def to_json(self) -> bytes:
        """With a hash of all that it says, so that a change by hand is seen."""
        body = {
            "format": _FORMAT,
            "serves": {name: asdict(serves) for name, serves in self.serves.items()},
            "entries": [asdict(entry) for entry in self.entries],
        }
        return orjson.dumps({"sha256": _digest(body), **body}, option=orjson.OPT_INDENT_2)

    @classmethod
    def from_json(cls, value: bytes) -> "Learned":
        """Raises `ValueError`, `TypeError` or `KeyError` when the value is none, or was changed."""
        raw: dict[str, Any] = orjson.loads(value)
        digest = raw.pop("sha256")
        if raw["format"] != _FORMAT:
            raise ValueError(f"its format is {raw['format']!r}, this release knows {_FORMAT}")
        if digest != _digest(raw):
            raise ValueError("it was changed after it was written")
        return cls(tuple([_entry(entry) for entry in raw["entries"]]))


def _digest(body: Mapping[str, Any]) -> str:
    return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _entry(raw: Mapping[str, Any]) -> Entry:
    models = {name: made(Trained, trained) for name, trained in raw["models"].items()}
    return made(Entry, {**raw, "serves": _serves(raw["serves"]), "models": models})


def _serves(raw: Mapping[str, Any]) -> Serves:
    workers = {name: _serving(serving) for name, serving in raw["workers"].items()}
    return made(Serves, {**raw, "workers": workers})


def _serving(raw: Mapping[str, Any]) -> Serving:
    shadow = None if raw["shadow"] is None else made(Shadowed, raw["shadow"])
    return made(Serving, {**raw, "shadow": shadow})
